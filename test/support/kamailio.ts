/** Kamailio (Debian package kamailio) with the configuration that we ship, dialplans/trunks/kamailio, on a port of 127.0.0.1. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const shipped = resolve(__dirname, '../../dialplans/trunks/kamailio/kamailio.cfg');

/** Says once why the tests that need it are skipped. */
export function kamailioInstalled(): boolean {
  const installed = spawnSync('kamailio', ['-v']).error === undefined;
  if (!installed) process.stderr.write('skipped: the Kamailio that we ship, because kamailio is not installed\n');
  return installed;
}

/** `host:port` of each. */
export interface KamailioPeers {
  readonly agents: readonly string[];
  readonly carriers: readonly string[];
}

export interface ShippedKamailio {
  readonly port: number;
  /** What it has said so far, the last of it. */
  said(): string;
  /** Reads a list of other peers, as `kamcmd dispatcher.reload` makes it; calls go on. */
  reload(peers: KamailioPeers): void;
  stop(): Promise<void>;
}

/** It tells agents and carriers apart by the host. It may take a while until it answers. */
export function startShippedKamailio(port: number, peers: KamailioPeers): ShippedKamailio {
  const folder = mkdtempSync(join(tmpdir(), 'kamailio-'));
  const list = join(folder, 'peers.list');
  const control = `unix:${join(folder, 'ctl')}`;
  const writeList = ({ agents, carriers }: KamailioPeers): void => {
    const lines = [
      ...agents.map((agent) => `1 sip:${agent} 8 0`),
      ...carriers.map((carrier) => `2 sip:${carrier} 0 10`),
    ];
    writeFileSync(list, `${lines.join('\n')}\n`);
  };
  writeList(peers);
  const child = spawn('kamailio', [
    ...['-DD', '-E', '-f', shipped, '-Y', folder, '-P', join(folder, 'pid')],
    ...['-l', `udp:127.0.0.1:${port}`, '-l', `tcp:127.0.0.1:${port}`],
    ...['-A', `PEERS="${list}"`, '-A', 'PING_SECONDS=1', '-A', `RPC="${control}"`],
  ]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
    });
  }
  return {
    port,
    said: () => said,
    reload(changed) {
      writeList(changed);
      execFileSync('kamcmd', ['-s', control, 'dispatcher.reload']);
    },
    async stop() {
      const over = once(child, 'close');
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await over;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
