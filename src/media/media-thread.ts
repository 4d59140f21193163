/** The control thread's handle on a media thread: starts it, speaks the protocol with types, and ends it in good order. */
import { type Transferable, Worker } from 'node:worker_threads';
import { holdOpusLibrary } from '../codecs/opus';
import type { FromMedia, ToMedia } from './protocol';

export interface MediaThreadOptions {
  /** For thread listings and logs. */
  readonly name: string;
  /** Compiled entry: `workerEntry('media')` of workers/locate. */
  readonly entry: string;
  readonly onMessage: (message: FromMedia) => void;
  /** The thread ended without having been asked to: its calls are lost. */
  readonly onDied?: (error: Error) => void;
}

const closeWithinMs = 2000;

export class MediaThread {
  private state: 'running' | 'closing' | 'ended' = 'running';
  private readonly ended: Promise<void>;

  private constructor(
    readonly name: string,
    private readonly worker: Worker,
    options: MediaThreadOptions,
  ) {
    let cause: Error | undefined;
    worker.on('message', (message: FromMedia) => options.onMessage(message));
    worker.on('error', (error) => {
      cause = error instanceof Error ? error : new Error(String(error));
    });
    this.ended = new Promise((resolve) => {
      worker.once('exit', (status) => {
        const asked = this.state === 'closing';
        this.state = 'ended';
        if (!asked) options.onDied?.(cause ?? new Error(`The media thread ended with status ${status}.`));
        resolve();
      });
    });
  }

  static start(options: MediaThreadOptions): MediaThread {
    holdOpusLibrary();
    const worker = new Worker(options.entry, { name: options.name });
    return new MediaThread(options.name, worker, options);
  }

  /** What is posted to a thread that has ended is lost, as on any closed line. */
  post(message: ToMedia, transfer: readonly Transferable[] = []): void {
    if (this.state !== 'ended') this.worker.postMessage(message, transfer);
  }

  /** Closes every session (RTCP BYE, ports, recordings), then ends the thread. Idempotent. */
  async close(): Promise<void> {
    if (this.state === 'running') {
      this.state = 'closing';
      this.worker.postMessage({ type: 'shutdown' } satisfies ToMedia);
      const timer = setTimeout(() => void this.worker.terminate(), closeWithinMs);
      await this.ended;
      clearTimeout(timer);
    }
    await this.ended;
  }
}
