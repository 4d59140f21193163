/**
 * One GET of a small text over https, for certificates that strangers name: the host is resolved anew, refused when private,
 * the connection pinned to what was looked at; no redirect is followed.
 */
import { request } from 'node:https';
import { TrunklineError } from '../core/errors';
import { resolveTarget, type TargetPolicy } from './post-json';

const largestBytes = 65_536;

/** `ca`: the authority of the server, for tests. Rejects with `webhook.private-target`, `webhook.unreachable` or the system's error. */
export async function getText(address: string, policy: TargetPolicy, timeoutMs: number, ca?: string): Promise<string> {
  const url = new URL(address);
  const signal = AbortSignal.timeout(timeoutMs);
  const refused = (cause?: unknown): TrunklineError =>
    new TrunklineError('webhook.unreachable', 'The address cannot be read.', { cause, details: { host: url.host } });
  if (url.protocol !== 'https:' || url.username !== '') throw refused();
  const target = await resolveTarget(url, policy, signal);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: 'GET',
        signal,
        agent: false,
        ca,
        lookup: (_host, options, found) => {
          if (options.all) found(null, [{ address: target.address, family: target.family }]);
          else found(null, target.address, target.family);
        },
        headers: { accept: 'application/pem-certificate-chain, application/x-pem-file', 'user-agent': 'Trunkline' },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        if (response.statusCode !== 200) {
          outgoing.destroy(refused());
          return;
        }
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > largestBytes) outgoing.destroy(refused());
          else chunks.push(chunk);
        });
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}
