/** The control thread's handle on the listener thread: starts it, joins it to media threads, sorts its reports by session. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { TrunklineError } from '../core/errors';
import type { VadConfig } from '../turn/vad';
import type { FromListener, ListenerCommand, ListenerDump, ListenerReport } from './protocol';

export interface ListenerThreadOptions {
  /** Compiled entry: `workerEntry('listener')` of workers/locate. */
  readonly entry: string;
  readonly modelsDir: string;
  readonly vad?: Partial<VadConfig>;
  /** The thread ended without having been asked to: no call is heard any more. */
  readonly onDied?: (error: Error) => void;
}

export class ListenerThread {
  private readonly sessions = new Map<string, Set<(report: ListenerReport) => void>>();
  private readonly dumps = new Map<number, (dump: ListenerDump) => void>();
  private readonly ended: Promise<void>;
  private nextRequestId = 1;
  private closing = false;
  private strays = 0;

  private constructor(
    private readonly worker: Worker,
    onDied: ((error: Error) => void) | undefined,
  ) {
    let cause: Error | undefined;
    worker.on('message', (message: FromListener) => this.receive(message));
    worker.on('error', (error) => {
      cause = error instanceof Error ? error : new Error(String(error));
    });
    this.ended = new Promise((resolve) => {
      worker.once('exit', (status) => {
        if (!this.closing) onDied?.(cause ?? new Error(`The listener thread ended with status ${status}.`));
        resolve();
      });
    });
  }

  /** Resolves when the network is loaded; rejects with the code of what went wrong. */
  static async start(options: ListenerThreadOptions): Promise<ListenerThread> {
    const worker = new Worker(options.entry, { name: 'listener' });
    const loaded = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromListener) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'failed') {
          reject(new TrunklineError(message.code as `${string}.${string}`, message.message, { fix: message.fix }));
        }
      });
      worker.once('error', reject);
    });
    const { modelsDir, vad } = options;
    worker.postMessage({ type: 'load', modelsDir, vad } satisfies ListenerCommand);
    try {
      await loaded;
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    return new ListenerThread(worker, options.onDied);
  }

  /** The end of a new channel that a media thread takes as `attach-listener`. */
  mediaPort(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.worker.postMessage({ type: 'attach-media', port: port1 } satisfies ListenerCommand, [port1]);
    return port2;
  }

  /** Reports about `sessionId` go to `take` until the returned function is called. */
  subscribe(sessionId: string, take: (report: ListenerReport) => void): () => void {
    const takers = this.sessions.get(sessionId) ?? new Set();
    this.sessions.set(sessionId, takers.add(take));
    return () => {
      takers.delete(take);
      if (takers.size === 0 && this.sessions.get(sessionId) === takers) this.sessions.delete(sessionId);
    };
  }

  dump(): Promise<ListenerDump & { readonly strays: number }> {
    const requestId = this.nextRequestId;
    this.nextRequestId += 1;
    return new Promise((resolve) => {
      this.dumps.set(requestId, (dump) => resolve({ ...dump, strays: this.strays }));
      this.worker.postMessage({ type: 'dump', requestId } satisfies ListenerCommand);
    });
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (!this.closing) {
      this.closing = true;
      this.worker.postMessage({ type: 'shutdown' } satisfies ListenerCommand);
    }
    await this.ended;
  }

  private receive(message: FromListener): void {
    if (message.type === 'dumped') {
      this.dumps.get(message.requestId)?.(message.dump);
      this.dumps.delete(message.requestId);
    } else if ('sessionId' in message) {
      const takers = this.sessions.get(message.sessionId);
      // A session without a conversation (echo, tone) is heard in vain.
      if (takers === undefined) this.strays += 1;
      for (const take of takers ?? []) take(message);
    }
  }
}
