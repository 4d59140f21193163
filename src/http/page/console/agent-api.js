/** The agent's HTTP interface as the console uses it: JSON, files, actions, and the events as they happen. */
import { apiToken } from '../api.js';

const RETRY_MS = 2000;

/** `status` of the answer, 0 where there was none; `message` and `fix` as the agent's problem document has them. */
export class Refused extends Error {
  constructor(status, { title, detail } = {}) {
    super(title ?? 'The agent cannot be reached.');
    this.status = status;
    this.fix = detail ?? 'See whether it is still running.';
  }

  get wantsToken() {
    return this.status === 401 || this.status === 403;
  }
}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (apiToken() !== '') headers.Authorization = `Bearer ${apiToken()}`;
  let response;
  try {
    response = await fetch(path, { cache: 'no-store', ...options, headers });
  } catch (error) {
    if (error?.name === 'AbortError') throw error;
    throw new Refused(0);
  }
  if (response.ok) return response;
  throw new Refused(response.status, await response.json().catch(() => ({})));
}

export async function getJson(path) {
  return (await ask(path)).json();
}

export async function getBlob(path) {
  return (await ask(path)).blob();
}

export async function act(callId, action) {
  await ask(`v1/calls/${encodeURIComponent(callId)}/actions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(action),
  });
}

/** Hands a file to the browser's downloads. A link could not carry the token. */
export async function download(path, name) {
  const url = URL.createObjectURL(await getBlob(path));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * Calls `take` with every event until `signal` aborts, and `missed` whenever the stream began anew without knowing what was missed.
 * EventSource sends no Authorization; so the stream (WHATWG HTML §9.2) is read by hand.
 */
export async function followEvents({ take, missed, signal }) {
  let lastId;
  while (!signal.aborted) {
    try {
      const headers = lastId === undefined ? {} : { 'Last-Event-ID': lastId };
      const response = await ask('v1/events', { headers, signal });
      missed();
      for await (const { id, data } of readStream(response.body)) {
        lastId = id ?? lastId;
        const event = parsed(data);
        if (event !== undefined) take(event);
      }
    } catch (error) {
      if (signal.aborted || error?.wantsToken) return;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function* readStream(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const lines = block.split('\n');
      const field = (name) =>
        lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
      const data = field('data').join('\n');
      if (data !== '') yield { id: field('id')[0], data };
    }
  }
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
