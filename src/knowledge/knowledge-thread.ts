/** Handle of the knowledge thread. A question of a caller waits for at most one batch of passages that are being embedded. */
import { Worker } from 'node:worker_threads';
import { type ErrorCode, TrunklineError } from '../core/errors';
import type { KnowledgeReplies, KnowledgeReply, KnowledgeRequest } from './protocol';

type Unnumbered<R> = R extends { readonly id: number } ? Omit<R, 'id'> : never;
type Asked = { resolve(reply: never): void; reject(error: Error): void };

export class KnowledgeThread {
  private readonly asked = new Map<number, Asked>();
  private readonly worker: Worker;
  private readonly gone: Promise<void>;
  private lastId = 0;
  private ended: Error | undefined;

  /** `entry`: compiled entry, `workerEntry('knowledge')` of workers/locate. */
  constructor(entry: string, options: { readonly modelsDir: string; readonly threads: number }) {
    this.worker = new Worker(entry, { name: 'knowledge', workerData: options });
    this.worker.on('message', (message: KnowledgeReply) => {
      const asked = this.asked.get(message.id);
      this.asked.delete(message.id);
      if ('reply' in message) asked?.resolve(message.reply as never);
      else asked?.reject(failure(message.failed));
    });
    let cause: unknown;
    this.worker.on('error', (error) => {
      cause = error;
    });
    this.gone = new Promise((resolve) => {
      this.worker.once('exit', () => {
        this.ended = new TrunklineError('knowledge.thread-ended', 'The thread of documents has ended.', {
          fix: 'Start the agent again; look for a lack of memory if it happens often.',
          cause,
        });
        for (const asked of this.asked.values()) asked.reject(this.ended);
        this.asked.clear();
        resolve();
      });
    });
  }

  ask<T extends KnowledgeRequest['type']>(
    request: Extract<Unnumbered<KnowledgeRequest>, { readonly type: T }>,
  ): Promise<KnowledgeReplies[T]> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    this.lastId += 1;
    const id = this.lastId;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.worker.postMessage({ ...request, id });
    });
  }

  async close(): Promise<void> {
    this.worker.postMessage('close');
    await this.gone;
  }
}

function failure({ code, message, fix }: Extract<KnowledgeReply, { failed: object }>['failed']): TrunklineError {
  return new TrunklineError((code ?? 'knowledge.failed') as ErrorCode, message, {
    fix: fix ?? 'This is a defect of ours; please report it.',
  });
}
