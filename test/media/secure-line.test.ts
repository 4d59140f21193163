import { createSocket, type Socket } from 'node:dgram';
import { TrunklineError } from '../../src/core/errors';
import type { DtlsCallbacks, OpenDtls } from '../../src/media/line-protection';
import type { SrtpAgreement } from '../../src/media/protocol';
import { RtpTransport } from '../../src/media/rtp-transport';
import type { MediaPacket, TransportHooks } from '../../src/media/transport';
import { writeRtp } from '../../src/rtp/packet';
import { PortPool } from '../../src/rtp/port-pool';
import { SrtpSender } from '../../src/rtp/srtp';
import { masterBytes, type SrtpSuite } from '../../src/rtp/srtp-keys';
import { pcmuFormat } from '../support/loopback-transport';

interface End {
  readonly transport: RtpTransport;
  readonly packets: MediaPacket[];
  readonly failures: TrunklineError[];
}

const opened: RtpTransport[] = [];
const sockets: Socket[] = [];

async function openEnd(ssrc: number, openDtls?: OpenDtls): Promise<End> {
  const packets: MediaPacket[] = [];
  const failures: TrunklineError[] = [];
  const hooks: TransportHooks = {
    onPacket: (packet) => packets.push(packet),
    onStarted: () => {},
    onState: () => {},
    onEvent: () => {},
    onFailed: (error) => failures.push(error),
  };
  const transport = await RtpTransport.open({
    bindAddress: '127.0.0.1',
    ports: new PortPool(1, 0, () => 0),
    hooks,
    ssrc,
    nowMs: () => performance.now(),
    wallClockMs: () => Date.now(),
    openDtls,
  });
  opened.push(transport);
  return { transport, packets, failures };
}

async function openSocket(): Promise<{ socket: Socket; heard: Buffer[]; port: number }> {
  const socket = createSocket('udp4');
  const heard: Buffer[] = [];
  socket.on('message', (datagram) => heard.push(datagram));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  sockets.push(socket);
  return { socket, heard, port: socket.address().port };
}

async function waitFor(enough: () => boolean): Promise<void> {
  while (!enough()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const packet = (sequenceNumber: number, ssrc: number): MediaPacket => ({
  payloadType: 0,
  sequenceNumber,
  timestampTicks: sequenceNumber * 160,
  ssrc,
  marker: false,
  payload: Buffer.from('thirty bytes that are the voice'),
});

const keys = (suite: SrtpSuite, fill: number) => new Uint8Array(masterBytes(suite)).fill(fill);
const sdes = (suite: SrtpSuite, local: number, remote: number): SrtpAgreement => ({
  kind: 'sdes',
  suite,
  localMaster: keys(suite, local),
  remoteMaster: keys(suite, remote),
});

const received = { fractionLost: 0, cumulativeLost: 0, extendedHighestSequence: 0, jitterTicks: 0 };
const report = (ssrc: number) => ({
  sentTimestampTicks: 0,
  sentPackets: 1,
  sentBytes: 3,
  received: { ssrc, ...received },
});

afterEach(() => {
  for (const transport of opened.splice(0)) transport.close();
  for (const socket of sockets.splice(0)) socket.close();
});

describe('a protected line', () => {
  it.each(['AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const)(
    'carries packets and reports both ways with %s, and never in the clear',
    async (suite) => {
      const a = await openEnd(1);
      const b = await openEnd(2);
      a.transport.connect(b.transport.local, pcmuFormat, { srtp: sdes(suite, 1, 2) });
      b.transport.connect(a.transport.local, pcmuFormat, { srtp: sdes(suite, 2, 1) });
      for (let i = 0; i < 3; i++) {
        a.transport.send(packet(i, 1));
        b.transport.send(packet(i, 2));
      }
      await waitFor(() => a.packets.length === 3 && b.packets.length === 3);
      expect(Buffer.from(a.packets[2]!.payload).toString()).toBe('thirty bytes that are the voice');
      await waitFor(() => {
        a.transport.report(report(2));
        b.transport.report(report(1));
        return a.transport.counters().roundTripMs !== undefined;
      });
      expect(a.transport.counters()).toMatchObject({ malformed: 0, unauthentic: 0, protection: 'sdes' });

      const eavesdropper = await openSocket();
      a.transport.connect({ address: '127.0.0.1', port: eavesdropper.port }, pcmuFormat, { srtp: sdes(suite, 1, 2) });
      a.transport.send(packet(3, 1));
      await waitFor(() => eavesdropper.heard.length > 0);
      expect(eavesdropper.heard[0]!.toString('latin1')).not.toContain('voice');
    },
  );

  it('hears nobody who has no key, however long and from wherever, and answers nobody else', async () => {
    const a = await openEnd(1);
    const attacker = await openSocket();
    const farEnd = await openSocket();
    const suite = 'AES_CM_128_HMAC_SHA1_80';
    a.transport.connect({ address: '127.0.0.1', port: farEnd.port }, pcmuFormat, { srtp: sdes(suite, 1, 2) });
    const wrongKey = new SrtpSender(suite, keys(suite, 3));
    for (let i = 0; i < 20; i++) {
      const plain = new Uint8Array(80);
      const length = writeRtp(packet(i, 9), plain);
      for (const from of [attacker, farEnd]) {
        from.socket.send(plain.slice(0, length), a.transport.local.port, '127.0.0.1');
      }
      attacker.socket.send(plain.slice(0, wrongKey.protectRtp(plain, length)), a.transport.local.port, '127.0.0.1');
    }
    await waitFor(() => (a.transport.counters().unauthentic ?? 0) >= 60);
    a.transport.send(packet(0, 1));
    await waitFor(() => farEnd.heard.length === 1);
    expect(a.packets).toEqual([]);
    expect(attacker.heard).toEqual([]);
  });

  it('goes on counting when the same keys are agreed on again, and begins anew with new ones', async () => {
    const a = await openEnd(1);
    const b = await openEnd(2);
    const suite = 'AEAD_AES_128_GCM';
    const agree = (remote: number) => {
      a.transport.connect(b.transport.local, pcmuFormat, { srtp: sdes(suite, 1, remote) });
      b.transport.connect(a.transport.local, pcmuFormat, { srtp: sdes(suite, remote, 1) });
    };
    agree(2);
    // Over the wrap: a receiver that began anew here would guess a wrong roll-over.
    for (const number of [65_534, 65_535, 0]) b.transport.send(packet(number, 2));
    await waitFor(() => a.packets.length === 3);
    agree(2);
    b.transport.send(packet(1, 2));
    await waitFor(() => a.packets.length === 4);
    agree(7);
    b.transport.send(packet(2, 2));
    await waitFor(() => a.packets.length === 5);
  });

  it('is silent and deaf until the DTLS handshake has its keys', async () => {
    let callbacks: DtlsCallbacks | undefined;
    const handed: Uint8Array[] = [];
    const openDtls: OpenDtls = (_agreement, given) => {
      callbacks = given;
      return { receive: (datagram) => handed.push(datagram), close: () => {} };
    };
    const a = await openEnd(1, openDtls);
    const farEnd = await openSocket();
    const srtp: SrtpAgreement = { kind: 'dtls', role: 'server', fingerprints: ['sha-256 ab'] };
    a.transport.connect({ address: '127.0.0.1', port: 9 }, pcmuFormat, { srtp, rtcpMux: true });
    expect(a.transport.send(packet(0, 1))).toBe(false);
    farEnd.socket.send(Uint8Array.of(22, 254, 253), a.transport.local.port, '127.0.0.1');
    await waitFor(() => handed.length === 1);
    // Whoever shakes hands is answered, wherever SDP says that it is: behind a NAT it is elsewhere.
    callbacks!.send(Uint8Array.of(22, 1));
    await waitFor(() => farEnd.heard.length === 1);
    const suite = 'AES_CM_128_HMAC_SHA1_80';
    callbacks!.onKeys({ suite, localMaster: keys(suite, 1), remoteMaster: keys(suite, 2) });
    expect(a.transport.send(packet(0, 1))).toBe(true);
    await waitFor(() => farEnd.heard.length === 2);
    expect(a.transport.counters()).toMatchObject({ protection: 'dtls', unready: 1 });
  });

  it('says so when the handshake fails', async () => {
    const openDtls: OpenDtls = (_agreement, { onFailed }) => {
      onFailed(new TrunklineError('media.dtls-failed', 'no'));
      return { receive: () => {}, close: () => {} };
    };
    const a = await openEnd(1, openDtls);
    const srtp: SrtpAgreement = { kind: 'dtls', role: 'client', fingerprints: ['sha-256 ab'] };
    a.transport.connect({ address: '127.0.0.1', port: 9 }, pcmuFormat, { srtp });
    expect(a.failures.map(({ code }) => code)).toEqual(['media.dtls-failed']);
    expect(a.transport.send(packet(0, 1))).toBe(false);
  });
});
