import { spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/core/clock';
import type { TrunklineError } from '../../src/core/errors';
import type { DtlsKeys } from '../../src/media/line-protection';
import type { DtlsIdentity, DtlsRole } from '../../src/media/protocol';
import { type IdentityWithFingerprint, makeDtlsIdentity } from '../../src/sip/dtls-identity';
import { DtlsHandshake } from '../../src/webrtc/dtls-handshake';

type Outcome = { readonly keys: DtlsKeys } | { readonly error: TrunklineError };

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const clock = new SystemClock();
const open: DtlsHandshake[] = [];

afterEach(() => {
  for (const handshake of open.splice(0)) handshake.close();
});

function start(
  role: DtlsRole,
  identity: DtlsIdentity,
  fingerprint: string,
  send: (datagram: Uint8Array) => void,
): { handshake: DtlsHandshake; outcome: Promise<Outcome> } {
  let settle: (outcome: Outcome) => void = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });
  const handshake = new DtlsHandshake({
    role,
    identity,
    fingerprints: [fingerprint.toLowerCase()],
    clock,
    send,
    onKeys: (keys) => settle({ keys }),
    onFailed: (error) => settle({ error }),
  });
  open.push(handshake);
  return { handshake, outcome };
}

/** Two ends, each datagram by way of `carry`. */
function pair(
  client: { identity: DtlsIdentity; expects: string },
  server: { identity: DtlsIdentity; expects: string },
  carry: (deliver: () => void) => void = (deliver) => setImmediate(deliver),
): Promise<[Outcome, Outcome]> {
  const there = start('server', server.identity, server.expects, (datagram) =>
    carry(() => here.handshake.receive(datagram)),
  );
  const here = start('client', client.identity, client.expects, (datagram) =>
    carry(() => there.handshake.receive(datagram)),
  );
  return Promise.all([here.outcome, there.outcome]);
}

describe('a DTLS handshake for SRTP', () => {
  let alice: IdentityWithFingerprint;
  let bob: IdentityWithFingerprint;
  let mallory: IdentityWithFingerprint;

  beforeAll(() => {
    [alice, bob, mallory] = [0, 1, 2].map(() => makeDtlsIdentity(new Date())) as [
      IdentityWithFingerprint,
      IdentityWithFingerprint,
      IdentityWithFingerprint,
    ];
  });

  it('shows a certificate that is well formed and signed by itself', () => {
    const certificate = new X509Certificate(alice.certificatePem);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(`sha-256 ${certificate.fingerprint256}`).toBe(alice.fingerprint);
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now() + 300 * 24 * 3600 * 1000);
  });

  it('gives both ends the same keys, crosswise', async () => {
    const [here, there] = await pair(
      { identity: alice, expects: bob.fingerprint },
      { identity: bob, expects: alice.fingerprint },
    );
    if (!('keys' in here) || !('keys' in there)) throw new Error(JSON.stringify([here, there]));
    expect(here.keys.suite).toBe('AEAD_AES_128_GCM');
    expect(here.keys.localMaster).toEqual(there.keys.remoteMaster);
    expect(here.keys.remoteMaster).toEqual(there.keys.localMaster);
    expect(here.keys.localMaster).not.toEqual(here.keys.remoteMaster);
  });

  it('fails on either side when the certificate is not the announced one', async () => {
    const [here] = await pair(
      { identity: alice, expects: mallory.fingerprint },
      { identity: bob, expects: alice.fingerprint },
    );
    expect('error' in here && here.error.code).toBe('media.dtls-fingerprint');
    const [, there] = await pair(
      { identity: alice, expects: bob.fingerprint },
      { identity: bob, expects: mallory.fingerprint },
    );
    expect('error' in there && there.error.code).toBe('media.dtls-fingerprint');
  });

  it('is not fooled by who shows the right certificate without its key', async () => {
    const stolen = (victim: DtlsIdentity) => ({ certificatePem: victim.certificatePem, keyPem: mallory.keyPem });
    const [here] = await pair(
      { identity: alice, expects: bob.fingerprint },
      { identity: stolen(bob), expects: alice.fingerprint },
    );
    expect('error' in here && here.error.code).toBe('media.dtls-failed');
    const [, there] = await pair(
      { identity: stolen(alice), expects: bob.fingerprint },
      { identity: bob, expects: alice.fingerprint },
    );
    expect('error' in there && there.error.code).toBe('media.dtls-failed');
  });

  it('bears with a network that brings everything twice, and late', async () => {
    const [here, there] = await pair(
      { identity: alice, expects: bob.fingerprint },
      { identity: bob, expects: alice.fingerprint },
      (deliver) => {
        setImmediate(deliver);
        setTimeout(deliver, 40);
      },
    );
    expect('keys' in here && 'keys' in there).toBe(true);
  });

  it('bears with junk between its datagrams', async () => {
    const { handshake, outcome } = start('server', bob, alice.fingerprint, (datagram) =>
      here.handshake.receive(datagram),
    );
    const here = start('client', alice, bob.fingerprint, (datagram) => {
      handshake.receive(Uint8Array.of(22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 255, 255, 1));
      handshake.receive(Uint8Array.of(22));
      setImmediate(() => handshake.receive(datagram));
    });
    expect('keys' in (await outcome)).toBe(true);
  });

  (hasOpenssl ? it : it.skip).each(['client', 'server'] as const)(
    'exports what OpenSSL exports, as %s',
    async (role) => {
      const folder = mkdtempSync(join(tmpdir(), 'dtls-'));
      writeFileSync(join(folder, 'cert.pem'), bob.certificatePem);
      writeFileSync(join(folder, 'key.pem'), bob.keyPem);
      const socket = createSocket('udp4');
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      const probe = createSocket('udp4');
      await new Promise<void>((resolve) => probe.bind(0, '127.0.0.1', resolve));
      const theirPort = probe.address().port;
      await new Promise<void>((resolve) => probe.close(() => resolve()));

      const both = ['-cert', 'cert.pem', '-key', 'key.pem', '-use_srtp', 'SRTP_AES128_CM_SHA1_80'];
      const exporting = ['-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', '60'];
      const asServer = ['s_server', '-dtls1_2', '-accept', `127.0.0.1:${theirPort}`, '-verify', '1', '-timeout'];
      const asClient = ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${socket.address().port}`, '-timeout'];
      const child = spawn('openssl', [...(role === 'client' ? asServer : asClient), ...both, ...exporting], {
        cwd: folder,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      let printed = '';
      const exported = new Promise<string>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          printed += chunk.toString();
          const found = /Keying material: ([0-9A-F]{120})/.exec(printed);
          if (found !== null) resolve(found[1]!.toLowerCase());
        });
      });
      if (role === 'client') while (!printed.includes('ACCEPT')) await new Promise((next) => setTimeout(next, 10));

      let peer = theirPort;
      const { handshake, outcome } = start(role, alice, bob.fingerprint, (datagram) =>
        socket.send(datagram, peer, '127.0.0.1'),
      );
      socket.on('message', (datagram, from) => {
        peer = from.port;
        handshake.receive(datagram);
      });
      try {
        const result = await outcome;
        if (!('keys' in result)) throw result.error;
        const { suite, localMaster, remoteMaster } = result.keys;
        expect(suite).toBe('AES_CM_128_HMAC_SHA1_80');
        const [client, server] = role === 'client' ? [localMaster, remoteMaster] : [remoteMaster, localMaster];
        const layout = [client.subarray(0, 16), server.subarray(0, 16), client.subarray(16), server.subarray(16)];
        expect(Buffer.concat(layout).toString('hex')).toBe(await exported);
      } finally {
        child.kill();
        socket.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    30_000,
  );
});
