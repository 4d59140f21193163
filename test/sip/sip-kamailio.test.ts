/** Kamailio between two agents: we register at it, and every call goes through it (Debian package kamailio). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { Caller } from '../../src/sip/front-door';
import { SipPeers } from '../../src/sip/sip-peers';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import type { SipDialog } from '../../src/sip/user-agent';
import { freePort } from '../support/sipp';
import { sdpBody } from './embedded/endpoint-driver';

const installed = spawnSync('kamailio', ['-v']).error === undefined;
if (!installed) process.stderr.write('skipped: Kamailio in the path, because kamailio is not installed\n');

let folder: string;
let port: number;
let kamailio: ChildProcess;
let said = '';

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !condition(); turn++) await new Promise((done) => setTimeout(done, 5));
  if (!condition()) throw new Error(`it never came to that: ${said}`);
}

(installed ? describe : describe.skip)('with Kamailio in the path', () => {
  const opened: { stop(): Promise<void> }[] = [];
  const dialogs: SipDialog[] = [];
  const callers: Caller[] = [];
  let peers: SipPeers;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kamailio-'));
    port = await freePort();
    const config = readFileSync(resolve(__dirname, '../../infra/kamailio/proxy.cfg'), 'utf8');
    writeFileSync(join(folder, 'proxy.cfg'), config.replaceAll('PORT', String(port)));
    kamailio = spawn(
      'kamailio',
      ['-DD', '-E', '-f', join(folder, 'proxy.cfg'), '-Y', folder, '-P', join(folder, 'pid')],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    for (const stream of [kamailio.stdout, kamailio.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4000);
      });
    }
  });

  afterEach(async () => {
    await peers.close();
    for (const one of opened.splice(0)) await one.stop();
    dialogs.length = 0;
    callers.length = 0;
  });

  afterAll(async () => {
    const over = new Promise((done) => kamailio.once('close', done));
    kamailio.kill('SIGTERM');
    await over;
    rmSync(folder, { recursive: true, force: true });
  });

  async function agent(): Promise<SrfUserAgent> {
    const made = new SrfUserAgent({
      listen: { host: '127.0.0.1', port: 0 },
      clock: new SystemClock(),
      log: silentLogger,
      userAgentName: 'Trunkline test',
    });
    opened.push(made);
    await made.start();
    return made;
  }

  async function registered(transport: 'udp' | 'tcp'): Promise<SrfUserAgent> {
    const callee = await agent();
    peers = new SipPeers({
      trunks: [],
      users: [],
      registrations: [
        {
          name: 'kamailio',
          registrar: `sip:127.0.0.1:${port};transport=${transport}`,
          username: 'alice',
          password: 'wonderland',
          // More than it grants, so that what it says has to be read.
          expiresSeconds: 600,
        },
      ],
      clock: new SystemClock(),
      now: () => new Date(),
      log: silentLogger,
      random: (bytes) => randomBytes(bytes).toString('hex'),
    });
    callee.onInvite((invite) => {
      const caller = peers.admit(invite);
      if (caller === undefined) return;
      callers.push(caller);
      void invite.accept(sdpBody).then((dialog) => dialogs.push(dialog));
    });
    peers.start(callee);
    // A Kamailio that has just begun may miss the first one.
    await until(() => peers.status.registrations[0]?.state === 'registered');
    return callee;
  }

  it.each(['udp', 'tcp'] as const)(
    'we register over %s, and are called and hung up by either side',
    async (transport) => {
      await registered(transport);
      const { expiresAt } = peers.status.registrations[0]!;
      expect(Date.parse(expiresAt ?? '') - Date.now()).toBeLessThan(91_000);
      const caller = await agent();
      const call = {
        to: 'sip:alice@127.0.0.1',
        proxy: `sip:127.0.0.1:${port};transport=${transport}`,
        offerSdp: sdpBody,
      };

      const first = await caller.invite(call);
      await until(() => dialogs.length === 1);
      expect(callers).toEqual([{ kind: 'trunk', name: 'kamailio' }]);
      const overThere = new Promise((done) => dialogs[0]!.onEnd(done));
      await first.dialog.bye();
      expect(await overThere).toMatchObject({ by: 'remote' });

      const second = await caller.invite(call);
      await until(() => dialogs.length === 2);
      const overHere = new Promise((done) => second.dialog.onEnd(done));
      await dialogs[1]!.bye();
      expect(await overHere).toMatchObject({ by: 'remote' });
    },
  );

  it('a call that nobody takes is refused by it, and one that is given up is cancelled through it', async () => {
    const callee = await registered('udp');
    const caller = await agent();
    const proxy = `sip:127.0.0.1:${port}`;
    await expect(caller.invite({ to: 'sip:bob@127.0.0.1', proxy, offerSdp: sdpBody })).rejects.toMatchObject({
      details: { status: 404 },
    });
    const abort = new AbortController();
    let cancelled = false;
    callee.onInvite((invite) => {
      invite.ring();
      invite.onCancelled(() => {
        cancelled = true;
      });
    });
    const call = caller.invite({
      to: 'sip:alice@127.0.0.1',
      proxy,
      offerSdp: sdpBody,
      signal: abort.signal,
      onProvisional: () => abort.abort(),
    });
    await expect(call).rejects.toMatchObject({ code: 'sip.cancelled' });
    await until(() => cancelled);
  });
});
