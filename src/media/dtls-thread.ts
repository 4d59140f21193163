/**
 * A media thread's handle on the thread that does DTLS handshakes for it, started with the first one: signatures and key
 * exchanges take milliseconds, and loading the library takes hundreds of them, in which no packet could leave.
 */
import { Worker } from 'node:worker_threads';
import { type ErrorCode, TrunklineError } from '../core/errors';
import type { FromDtls, ToDtls } from './dtls-protocol';
import type { DtlsCallbacks, OpenDtls } from './line-protection';
import type { DtlsIdentity } from './protocol';

/** Datagrams of one association that are handed over in all; a handshake needs some twenty. */
const maxDatagrams = 256;

export class DtlsThread {
  private worker: Worker | undefined;
  private readonly associations = new Map<number, DtlsCallbacks>();
  private identity: DtlsIdentity | undefined;
  private nextId = 1;
  /** Beyond `maxDatagrams`. */
  droppedDatagrams = 0;

  /** `entry`: compiled entry, `workerEntry('dtls')` of workers/locate. */
  constructor(private readonly entry: string) {}

  setIdentity(identity: DtlsIdentity): void {
    this.identity = identity;
  }

  readonly open: OpenDtls = ({ role, fingerprints }, callbacks) => {
    const id = this.nextId++;
    const { identity } = this;
    if (identity === undefined) {
      callbacks.onFailed(failure('media.dtls-failed', 'DTLS has no certificate of ours.'));
      return { receive: () => {}, close: () => {} };
    }
    this.associations.set(id, callbacks);
    this.post({ type: 'open', id, role, fingerprints, identity });
    let datagrams = 0;
    return {
      receive: (datagram) => {
        if (!this.associations.has(id)) return;
        if (++datagrams > maxDatagrams) this.droppedDatagrams++;
        else this.post({ type: 'datagram', id, bytes: datagram });
      },
      close: () => {
        if (this.associations.delete(id)) this.post({ type: 'close', id });
      },
    };
  };

  async close(): Promise<void> {
    this.associations.clear();
    await this.worker?.terminate();
    this.worker = undefined;
  }

  private post(message: ToDtls): void {
    this.worker ??= this.start();
    this.worker.postMessage(message);
  }

  private start(): Worker {
    const worker = new Worker(this.entry, { name: 'dtls' });
    worker.on('message', (message: FromDtls) => this.receive(message));
    worker.on('error', (error) => this.failAll(error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = undefined;
      this.failAll('its thread ended');
    });
    return worker;
  }

  private receive(message: FromDtls): void {
    const callbacks = this.associations.get(message.id);
    if (callbacks === undefined) return;
    if (message.type === 'send') callbacks.send(message.bytes);
    else if (message.type === 'keys') callbacks.onKeys(message.keys);
    else {
      this.associations.delete(message.id);
      callbacks.onFailed(failure(message.code as ErrorCode, message.message));
    }
  }

  /** Associations that have their keys need the thread no more; the others never get theirs. */
  private failAll(why: string): void {
    for (const [id, callbacks] of [...this.associations]) {
      this.associations.delete(id);
      callbacks.onFailed(failure('media.dtls-failed', `DTLS cannot be done: ${why}`));
    }
  }
}

function failure(code: ErrorCode, sentence: string): TrunklineError {
  return new TrunklineError(code, sentence, { fix: 'Try the call again, or offer SDES.' });
}
