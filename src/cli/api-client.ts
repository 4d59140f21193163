/** The running agent's HTTP interface as commands use it. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type Config, loadConfig, tokenFromEnvironment } from '../config';
import { type ErrorCode, TrunklineError } from '../core/errors';
import { tokensIn } from '../http/token-files';

const problemSchema = z.object({ title: z.string(), code: z.string(), detail: z.string().optional() });

export class ApiClient {
  private constructor(
    private readonly base: string,
    private readonly token: string,
  ) {}

  static fromConfig(config: Config = loadConfig()): ApiClient {
    const { host, port, tls } = config.http;
    const reachable = host === '0.0.0.0' || host === '::' || host === '*' ? '127.0.0.1' : host;
    const name = reachable.includes(':') ? `[${reachable}]` : reachable;
    return new ApiClient(`${tls === undefined ? 'http' : 'https'}://${name}:${port}`, readToken(config));
  }

  async get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const response = await this.request(path, {});
    return schema.parse(await response.json());
  }

  async post(path: string, body: unknown): Promise<void> {
    await this.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  async order<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T> {
    const response = await this.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return schema.parse(await response.json());
  }

  async remove(path: string): Promise<void> {
    await this.request(path, { method: 'DELETE' });
  }

  /** Server-sent events, the `data` of each. Ends when the agent does. */
  async *events(path: string): AsyncIterable<string> {
    const response = await this.request(path, {});
    if (response.body === null) return;
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of response.body) {
      rest += decoder.decode(chunk, { stream: true });
      const messages = rest.split('\n\n');
      rest = messages.pop() ?? '';
      for (const message of messages) {
        const line = message.split('\n').find((text) => text.startsWith('data: '));
        if (line !== undefined) yield line.slice('data: '.length);
      }
    }
  }

  private async request(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${this.token}`);
      response = await fetch(`${this.base}${path}`, { ...init, headers });
    } catch (cause) {
      throw new TrunklineError('cli.no-agent', `No agent answers at ${this.base}.`, {
        fix: 'Start it with `npm start`, or name its configuration with --config.',
        cause,
      });
    }
    if (response.ok) return response;
    const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
    if (!problem.success) {
      throw new TrunklineError('cli.refused', `The agent answered with status ${response.status}.`, {
        fix: 'Look whether another program has that port.',
      });
    }
    const { title, code, detail } = problem.data;
    throw new TrunklineError(isErrorCode(code) ? code : 'cli.refused', title, { fix: detail });
  }
}

function isErrorCode(text: string): text is ErrorCode {
  return text.includes('.');
}

function readToken(config: Config): string {
  const given = tokenFromEnvironment();
  if (given !== undefined) return given;
  const path = join(resolve(config.data), 'token');
  try {
    return tokensIn(readFileSync(path, 'utf8'))[0] ?? '';
  } catch (cause) {
    throw new TrunklineError('cli.no-token', `There is no API token in ${path}.`, {
      fix: 'Start the agent once from this folder, or set TRUNKLINE_TOKEN.',
      cause,
    });
  }
}
