/** coturn on 127.0.0.1 as the relay between two ends of a call, with accounts that are good for a while only. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeUdpPort } from '../../src/bench/own-agent';
import { makeCertificate } from './certificates';

const executable = '/usr/bin/turnserver';

/** Says once why the tests that need it are skipped. */
export function turnServerInstalled(): boolean {
  const found = existsSync(executable);
  if (!found) process.stderr.write('skipped: calls through a TURN relay, because coturn is not installed\n');
  return found;
}

export interface TurnServer {
  /** UDP and TCP. */
  readonly port: number;
  readonly tlsPort: number;
  /** Who vouches for its certificate, PEM. */
  readonly authority: string;
  readonly secret: string;
  /** What it says of its sessions so far. */
  log(): string;
  close(): Promise<void>;
}

export async function startTurnServer(): Promise<TurnServer> {
  const port = await freeUdpPort();
  const tlsPort = await freeUdpPort();
  const secret = `secret-of-${port}`;
  const folder = mkdtempSync(join(tmpdir(), 'coturn-'));
  const issuer = makeCertificate({ name: 'relays', authority: true });
  const own = makeCertificate({ name: 'relay', issuer, addresses: ['127.0.0.1'] });
  writeFileSync(join(folder, 'cert.pem'), own.certificate);
  writeFileSync(join(folder, 'key.pem'), own.key);
  const child = spawn(
    executable,
    [
      '-n',
      '--no-cli',
      '--no-dtls',
      `--cert=${join(folder, 'cert.pem')}`,
      `--pkey=${join(folder, 'key.pem')}`,
      `--tls-listening-port=${tlsPort}`,
      '--listening-ip=127.0.0.1',
      '--relay-ip=127.0.0.1',
      `--listening-port=${port}`,
      '--min-port=40000',
      '--max-port=40999',
      '--allow-loopback-peers',
      '--use-auth-secret',
      `--static-auth-secret=${secret}`,
      '--realm=trunkline.test',
      '--log-file=stdout',
      '--simple-log',
      '--verbose',
      `--userdb=${join(folder, 'turndb')}`,
      `--pidfile=${join(folder, 'pid')}`,
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
  }
  await listening(child, () => log);
  return {
    port,
    tlsPort,
    authority: issuer.certificate,
    secret,
    log: () => log,
    close: () =>
      new Promise((resolve) => {
        child.once('exit', () => {
          rmSync(folder, { recursive: true, force: true });
          resolve();
        });
        child.kill('SIGKILL');
      }),
  };
}

async function listening(child: ChildProcess, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (/IPv4\. UDP listener opened on/.test(log())) return;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`coturn does not listen:\n${log()}`);
}
