/** What a service tells becomes text that an agent can answer from: bounded, and without what is no text. */
import { TrunklineError } from '../core/errors';

/** As much as `tool_result` may have. */
const MOST_CHARACTERS = 10_000;
const MOST_BYTES = 65_536;

/** Throws `tool.answer-too-large`. */
export async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // The body that Node gives is an async iterable; its type does not say so.
  for await (const chunk of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) {
      throw new TrunklineError('tool.answer-too-large', 'The service answered with more than 64 KiB.', {
        fix: 'Answer in a few sentences: the agent reads no more than 10,000 characters.',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `text` of a JSON object, a JSON string, else the body as it is. */
export function resultText(body: string): string {
  const json = parsed(body);
  const text = typeof json === 'string' ? json : (wordsOf(json, ['text']) ?? body);
  return bounded(text);
}

/** Of an error: the sentence that a problem document (RFC 9457) or its like has for people. */
export function problemText(body: string): string | undefined {
  const text = wordsOf(parsed(body), ['detail', 'text', 'message', 'error', 'title']);
  return text === undefined ? undefined : bounded(text);
}

export function bounded(text: string): string {
  return text.trim().slice(0, MOST_CHARACTERS);
}

function wordsOf(json: unknown, keys: readonly string[]): string | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  for (const key of keys) {
    const value: unknown = Reflect.get(json, key);
    if (typeof value === 'string' && value.trim() !== '') return value;
  }
  return undefined;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
