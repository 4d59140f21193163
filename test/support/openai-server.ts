/** A real HTTP server that speaks the stream of OpenAI's Chat Completions, one scripted answer per request. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ChatMessage {
  readonly role: string;
  readonly content: string | null;
  readonly tool_calls?: readonly { readonly id: string; readonly function: { name: string; arguments: string } }[];
  readonly tool_call_id?: string;
}

export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly unknown[];
  readonly tool_choice?: string;
}

/** Deltas of `choices[0]`, or the raw bytes of a body. */
export type ChatReply = readonly unknown[] | string;

export interface OpenAiServer {
  readonly baseUrl: string;
  readonly seen: ChatRequest[];
  reply: (request: ChatRequest) => ChatReply;
  close(): Promise<void>;
}

export async function startOpenAiServer(): Promise<OpenAiServer> {
  const seen: ChatRequest[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body: ChatRequest = JSON.parse(Buffer.concat(parts).toString('utf8'));
      seen.push(body);
      const reply = started.reply(body);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (typeof reply === 'string') response.end(reply);
      else {
        for (const delta of reply) response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`);
        response.end('data: [DONE]\n\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const started: OpenAiServer = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    reply: () => [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return started;
}

/** A call as such servers stream it: the name first, the arguments in pieces. */
export function callDeltas(id: string, name: string, argumentsText: string): unknown[] {
  const middle = Math.floor(argumentsText.length / 2);
  const piece = (text: string) => ({ tool_calls: [{ index: 0, function: { arguments: text } }] });
  return [
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ index: 0, id, type: 'function', function: { name, arguments: '' } }],
    },
    piece(argumentsText.slice(0, middle)),
    piece(argumentsText.slice(middle)),
  ];
}
