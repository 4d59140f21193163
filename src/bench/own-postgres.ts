/** A PostgreSQL of one's own on 127.0.0.1, with an empty database; it can be stopped and started in between. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeTcpPort } from './own-agent';

const programs = '/usr/lib/postgresql/15/bin';

export function postgresIsThere(): boolean {
  return existsSync(join(programs, 'initdb'));
}

export interface PostgresServer {
  readonly url: string;
  stop(): void;
  start(): void;
  /** Stops it and forgets all. */
  remove(): void;
}

export async function startPostgres(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  // The server refuses to run as root, and whoever runs it must reach the folder.
  chmodSync(folder, 0o777);
  const data = join(folder, 'data');
  const port = await freeTcpPort();
  const settings = `-c listen_addresses=127.0.0.1 -c port=${port} -c unix_socket_directories=''`;
  const control = (...words: string[]): void => asNobody('pg_ctl', ['-D', data, '-w', ...words]);
  asNobody('initdb', ['-D', data, '-A', 'trust', '-N', '-U', 'app']);
  const start = (): void => control('-l', join(folder, 'log'), '-o', settings, 'start');
  const stop = (): void => control('-m', 'immediate', 'stop');
  start();
  return {
    url: `postgres://app@127.0.0.1:${port}/postgres`,
    start,
    stop,
    remove() {
      try {
        stop();
      } catch {
        // It was stopped already.
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function asNobody(program: string, words: readonly string[]): void {
  const path = join(programs, program);
  const [command, ...given] =
    process.getuid?.() === 0
      ? ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', path, ...words]
      : [path, ...words];
  // A server that inherits a pipe would keep it open.
  execFileSync(command ?? path, given, { stdio: ['ignore', 'ignore', 'ignore'], cwd: '/' });
}
