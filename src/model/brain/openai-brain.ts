/**
 * Lets any OpenAI-compatible endpoint think (`POST {baseUrl}/chat/completions`, server-sent events) while Trunkline
 * still hears and speaks. Aborting the answer closes the connection, which is how such servers stop generating.
 */
import { TrunklineError } from '../../core/errors';
import type { HowSaid } from '../../core/how-said';
import type { Persona } from '../omni-model';
import type { AnswerManner, Brain, BrainConversation, BrainEvent } from './conversation-brain';

const MAX_HISTORY_MESSAGES = 40;
/** A server that sends a line longer than this is not speaking the protocol. */
const MAX_LINE_CHARACTERS = 256 * 1_024;
const MAX_ANSWER_TOKENS = 120;

export interface OpenAiEndpoint {
  /** Up to and without `/chat/completions`, for example `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey?: string;
}

interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export class OpenAiBrain implements Brain {
  constructor(private readonly endpoint: OpenAiEndpoint) {}

  async *warm(): AsyncGenerator<void> {}

  async openConversation(persona: Persona): Promise<BrainConversation> {
    return new OpenAiConversation(this.endpoint, persona);
  }

  async close(): Promise<void> {}
}

class OpenAiConversation implements BrainConversation {
  private readonly history: Message[] = [];
  private readonly system: Message;

  constructor(
    private readonly endpoint: OpenAiEndpoint,
    persona: Persona,
  ) {
    this.system = { role: 'system', content: systemPrompt(persona) };
  }

  async *answer(userText: string, signal: AbortSignal, how: AnswerManner = {}): AsyncGenerator<BrainEvent> {
    const abort = new AbortController();
    const forward = () => abort.abort(signal.reason);
    signal.addEventListener('abort', forward, { once: true });
    if (signal.aborted) forward();
    try {
      const asked = how.wordless === undefined ? userText : described(how.wordless);
      const body = await this.request(asked, abort.signal);
      for await (const data of serverSentData(body)) {
        if (data === '[DONE]') return;
        const text = contentDelta(data);
        if (text !== '') yield { type: 'delta', text };
      }
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (cause instanceof TrunklineError) throw cause;
      throw unreachable(this.endpoint, 'the connection broke', cause);
    } finally {
      signal.removeEventListener('abort', forward);
      // Whoever stops listening early (barge-in) also stops the server.
      abort.abort();
    }
  }

  commit(turn: { userText: string | undefined; heardText: string; interrupted: boolean }): void {
    if (turn.userText !== undefined) this.history.push({ role: 'user', content: turn.userText });
    const heard = turn.interrupted && turn.heardText !== '' ? `${turn.heardText} …` : turn.heardText;
    if (heard !== '') this.history.push({ role: 'assistant', content: heard });
    while (this.history.length > MAX_HISTORY_MESSAGES) this.history.shift();
  }

  close(): void {}

  private async request(userText: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { baseUrl, model, apiKey } = this.endpoint;
    const response = await fetch(`${baseUrl.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      signal,
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({
        model,
        stream: true,
        max_tokens: MAX_ANSWER_TOKENS,
        messages: [this.system, ...this.history, { role: 'user', content: userText }],
      }),
    });
    if (!response.ok || response.body === null) {
      void response.body?.cancel();
      throw new TrunklineError('llm.refused', `The language model endpoint answered ${response.status}.`, {
        fix: 'Check engine.llm.baseUrl, engine.llm.model and engine.llm.apiKey.',
        details: { status: response.status },
      });
    }
    return response.body;
  }
}

/** For a model that reads text alone. */
function described({ sound, intonation, manner }: HowSaid): string {
  if (sound !== 'speech') return `[no words, only ${sound}]`;
  const how = [manner === 'calm' ? undefined : manner, intonation].filter((word) => word !== undefined);
  return `[words that could not be understood${how.length === 0 ? '' : `, ${how.join(', ')}`}]`;
}

/** The response rules of speakable answers (LLaMA-Omni, InstructS2S): short, no lists, no markup. */
function systemPrompt(persona: Persona): string {
  return [
    persona.instructions,
    'You are speaking on the telephone: answer in one or two short sentences that can be read aloud, without lists, markup or emoji.',
    ...(persona.facts.length === 0
      ? []
      : ['Answer from these facts; if they do not say it, say that you do not know.', ...persona.facts]),
  ].join('\n');
}

/** The payloads of `data:` lines (HTML standard, server-sent events), whatever the chunk borders. */
async function* serverSentData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r\n|\n|\r/);
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARACTERS) {
      throw new TrunklineError('llm.bad-stream', 'The language model endpoint sent a line without an end.', {
        fix: 'Point engine.llm.baseUrl at an OpenAI-compatible endpoint.',
      });
    }
    for (const line of lines) if (line.startsWith('data:')) yield line.slice(5).trim();
  }
}

/** `choices[0].delta.content`; '' for anything else that such servers send (roles, usage, keep-alives, nonsense). */
function contentDelta(data: string): string {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return '';
  }
  const choices = property(json, 'choices');
  const content = property(property(Array.isArray(choices) ? choices[0] : undefined, 'delta'), 'content');
  return typeof content === 'string' ? content : '';
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function unreachable(endpoint: OpenAiEndpoint, what: string, cause: unknown): TrunklineError {
  return new TrunklineError('llm.unreachable', `The language model endpoint ${endpoint.baseUrl} failed: ${what}.`, {
    cause,
    fix: 'Check that engine.llm.baseUrl is right and that the server is up.',
  });
}
