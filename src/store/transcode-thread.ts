/** Runs one conversion of a recording on a thread of its own, which ends with it. */
import { Worker } from 'node:worker_threads';

/** `entry`: compiled entry, `workerEntry('transcode')` of workers/locate. Rejects with what the thread died of. */
export function transcodeInThread(entry: string, from: string, to: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(entry, { name: 'transcode', workerData: { from, to } });
    let done = false;
    worker.once('message', () => {
      done = true;
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      if (done) resolve();
      else reject(new Error('the thread ended before the file was whole'));
    });
  });
}
