/** Where the compiled entry of a worker thread or child process lies, seen from dist/ and from src/ (under jest) alike. */
import path from 'node:path';

export type WorkerName =
  | 'media'
  | 'dtls'
  | 'transcode'
  | 'database'
  | 'knowledge'
  | 'listener'
  | 'engine'
  | 'media-bench-peer';

/** Threads and processes start from compiled code only: run `npm run build` before anything that needs one. */
export function workerEntry(name: WorkerName): string {
  const compiled =
    path.basename(path.dirname(__dirname)) === 'src' ? path.join(__dirname, '../../dist/workers') : __dirname;
  return path.join(compiled, `${name}.js`);
}
