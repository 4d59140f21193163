/** A WebRTC peer as media transport, against a second real peer connection on the loopback. */
import { createSocket } from 'node:dgram';

import fc from 'fast-check';
import {
  classes,
  type DtlsSocket,
  MediaStreamTrack,
  Message,
  methods,
  type RTCDataChannel,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtpHeader,
  RtpPacket,
} from 'werift';

import { ManualClock } from '../../src/core/clock';
import { TrunklineError } from '../../src/core/errors';
import type { SocketAddress } from '../../src/media/protocol';
import { type MediaPacket, type MediaTransport, maxEventBytes, type TransportHooks } from '../../src/media/transport';
import { makeDtlsIdentity } from '../../src/sip/dtls-identity';
import { createOpenPeer } from '../../src/webrtc/peer-transport';

const OPUS = () => new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 });

interface Caller {
  readonly connection: RTCPeerConnection;
  readonly track: MediaStreamTrack;
  readonly channel: RTCDataChannel;
  readonly received: RtpPacket[];
}

async function offerOf(
  codecs: RTCRtpCodecParameters[],
  identity?: { readonly keyPem: string; readonly certPem: string },
): Promise<Caller & { offerSdp: string }> {
  const connection = new RTCPeerConnection({
    codecs: { audio: codecs },
    iceServers: [],
    iceAdditionalHostAddresses: ['127.0.0.1'],
    iceUseIpv6: false,
    bundlePolicy: 'max-bundle',
    ...(identity && { dtls: { keys: { ...identity, signatureHash: { hash: 4, signature: 3 } } } }),
  });
  const track = new MediaStreamTrack({ kind: 'audio' });
  const received: RtpPacket[] = [];
  const transceiver = connection.addTransceiver(track, { direction: 'sendrecv' });
  transceiver.dtlsTransport.onRtp.subscribe((packet) => received.push(packet));
  const channel = connection.createDataChannel('events');
  await connection.setLocalDescription(await connection.createOffer());
  return { connection, track, channel, received, offerSdp: connection.localDescription!.sdp };
}

const base = {
  type: 'open-webrtc' as const,
  sessionId: 's1',
  iceServers: [],
  advertised: ['127.0.0.1'],
  ports: [31_000, 31_999] as const,
  timeoutMs: 10_000,
};

async function until(check: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (check()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('It did not happen in time.');
}

/** What the peer said through its hooks, in order. */
class Heard implements TransportHooks {
  readonly packets: MediaPacket[] = [];
  readonly events: string[] = [];
  readonly states: string[] = [];
  readonly failures: TrunklineError[] = [];
  remote: SocketAddress | undefined;

  onPacket(packet: MediaPacket): void {
    this.packets.push(packet);
  }
  onStarted(remote: SocketAddress | undefined): void {
    this.remote = remote;
  }
  onState(state: string): void {
    this.states.push(state);
  }
  onFailed(error: TrunklineError): void {
    this.failures.push(error);
  }
  onEvent(json: string): void {
    this.events.push(json);
  }
}

const PAYLOAD = Buffer.from([0xf8, 1, 2, 3]);

describe('a WebRTC peer', () => {
  const opened: { close(): unknown }[] = [];
  const clock = new ManualClock();
  const openPeer = createOpenPeer({ clock, maxPeers: 2 });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    // The library frees a peer's ports in its own time; the next test counts peers anew.
    await new Promise((resolve) => setTimeout(resolve, 50));
  });

  async function open(offerSdp: string): Promise<{ answerSdp: string; transport: MediaTransport; heard: Heard }> {
    const heard = new Heard();
    const peer = await openPeer({ ...base, offerSdp }, heard);
    opened.push(peer.transport);
    return { ...peer, heard };
  }

  async function connect(codecs = [OPUS()], setup = 'actpass') {
    const caller = await offerOf(codecs);
    opened.push(caller.connection);
    const peer = await open(caller.offerSdp.replaceAll('a=setup:actpass', `a=setup:${setup}`));
    await caller.connection.setRemoteDescription({ type: 'answer', sdp: peer.answerSdp });
    await until(() => peer.heard.states.includes('connected') && caller.connection.connectionState === 'connected');
    await until(() => caller.channel.readyState === 'open');
    return { caller, ...peer };
  }

  function speak(caller: Caller, sequenceNumber: number, payloadType = 96): void {
    const header = new RtpHeader({ payloadType, sequenceNumber, timestamp: 960 * sequenceNumber, ssrc: 1 });
    caller.track.writeRtp(new RtpPacket(header, PAYLOAD));
  }

  test('hands on what arrives, as it was sent', async () => {
    const { caller, heard, transport } = await connect();
    expect(transport.format?.codec.name).toBe('opus');
    speak(caller, 7);
    await until(() => heard.packets.length === 1);
    expect(heard.packets[0]).toMatchObject({ payloadType: 96, sequenceNumber: 7, timestampTicks: 6720 });
    expect(Buffer.from(heard.packets[0]!.payload)).toEqual(PAYLOAD);
    expect(heard.remote?.address).toBe('127.0.0.1');
  });

  test('knows what the browser lost of its packets', async () => {
    const { caller, transport } = await connect();
    const { payloadType } = transport.format!.codec;
    // Every fourth is missing; the browser's library reports by itself, and says so.
    for (let count = 0; count < 400 && transport.counters().remote === undefined; count += 1) {
      const packet = { payloadType, sequenceNumber: count + (count >> 2), timestampTicks: 960 * count, ssrc: 5 };
      transport.send({ ...packet, marker: false, payload: PAYLOAD });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await until(() => transport.counters().remote !== undefined);
    expect(caller.received.length).toBeGreaterThan(0);
    expect(transport.counters().remote!.lost).toBeGreaterThan(0);
  });

  test('sends over the wrap of sequence number and timestamp', async () => {
    const { caller, transport } = await connect();
    const { payloadType } = transport.format!.codec;
    for (let count = 0; count < 4; count += 1) {
      const sequenceNumber = (65_534 + count) % 65_536;
      const timestampTicks = (2 ** 32 - 960 + 960 * count) % 2 ** 32;
      const packet = { payloadType, sequenceNumber, timestampTicks, ssrc: 5, marker: false, payload: PAYLOAD };
      expect(transport.send(packet)).toBe(true);
    }
    await until(() => caller.received.length === 4);
    expect(caller.received.map(({ header }) => header.sequenceNumber)).toEqual([65_534, 65_535, 0, 1]);
    expect(caller.received.map(({ header }) => header.timestamp)).toEqual([2 ** 32 - 960, 0, 960, 1920]);
  });

  test('serves G.711 where that is all there is', async () => {
    const { caller, heard, transport } = await connect([
      new RTCRtpCodecParameters({ mimeType: 'audio/PCMU', clockRate: 8000, payloadType: 0 }),
    ]);
    expect(transport.format?.codec).toMatchObject({ name: 'PCMU', payloadType: 0, clockRate: 8000 });
    speak(caller, 1, 0);
    await until(() => heard.packets.length === 1);
  });

  test('carries events both ways, and bounds what a peer may say', async () => {
    const { caller, heard, transport } = await connect();
    const answers: string[] = [];
    caller.channel.onMessage.subscribe((data) => answers.push(String(data)));
    await until(() => transport.sendEvent('{"type":"state","state":"listening"}'));
    await until(() => answers.length === 1);

    caller.channel.send('x'.repeat(maxEventBytes + 1));
    caller.channel.send(Buffer.from('bytes are no text'));
    caller.channel.send('{"type":"user_text","text":"hello"}');
    await until(() => heard.events.length > 0);
    expect(heard.events).toEqual(['{"type":"user_text","text":"hello"}']);
    // The clock stands still, so the rest of this second's allowance is all there is.
    for (let count = 0; count < 200; count += 1) caller.channel.send(`{"n":${count}}`);
    speak(caller, 1);
    await until(() => heard.packets.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(heard.events).toHaveLength(50);
  });

  test('keeps what is said before the channel stands, the newest of it', async () => {
    const caller = await offerOf([OPUS()]);
    opened.push(caller.connection);
    const { answerSdp, transport } = await open(caller.offerSdp);
    const answers: string[] = [];
    caller.channel.onMessage.subscribe((data) => answers.push(String(data)));
    for (let count = 0; count < 70; count += 1) expect(transport.sendEvent(`{"n":${count}}`)).toBe(true);
    await caller.connection.setRemoteDescription({ type: 'answer', sdp: answerSdp });
    await until(() => answers.length === 64);
    expect([answers.at(0), answers.at(-1)]).toEqual(['{"n":6}', '{"n":69}']);
  });

  test('keeps its connection and its pace under forged RTP headers and junk from elsewhere', async () => {
    const { caller, heard, answerSdp, transport } = await connect();
    const port = Number(/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) /m.exec(answerSdp)![1]);
    const attacker = createSocket('udp4');
    const send = (bytes: Buffer) =>
      // Read before the next is sent: the system would drop what the socket cannot hold.
      new Promise<void>((resolve) => attacker.send(bytes, port, '127.0.0.1', () => setImmediate(resolve)));
    const forged = Buffer.alloc(24, 0x10);
    forged.writeUInt32BE(0x906f0001, 0);
    forged.writeUInt32BE(0xbede_ffff, 12);
    // Unguarded, the first of these would block this very thread for minutes.
    for (let count = 0; count < 20; count += 1) await send(forged);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.constantFrom(0, 1, 20, 22, 128, 144, 200),
        (bytes, first) => {
          bytes[0] = first;
          return send(Buffer.from(bytes));
        },
      ),
      { numRuns: 500 },
    );
    // DTLS without protection, as before a handshake: alert, close notify. The library would hang up on it.
    await send(Buffer.from('15fefd0000000000000009' + '0002' + '0100', 'hex'));
    // A connectivity check without the password, which claims the role that is ours.
    await send(
      new Message(methods.BINDING, classes.REQUEST)
        .setAttribute('USERNAME', 'a:b')
        .setAttribute('ICE-CONTROLLED', 1n)
        .addFingerprint().bytes,
    );
    attacker.close();
    await until(() => transport.counters().foreign >= 520);
    let sequenceNumber = 0;
    await until(() => {
      sequenceNumber += 1;
      speak(caller, sequenceNumber);
      return heard.packets.length >= 5;
    });
    expect(heard.states).toEqual(['connected']);
  });

  describe.each([
    ['we are the client', 'actpass'],
    ['we are the server', 'active'],
  ])('when %s', (_who, setup) => {
    async function refused(caller: Awaited<ReturnType<typeof offerOf>>, offerSdp = caller.offerSdp) {
      opened.push(caller.connection);
      const { answerSdp, heard } = await open(offerSdp.replaceAll('a=setup:actpass', `a=setup:${setup}`));
      expect(answerSdp).toContain(setup === 'active' ? 'a=setup:passive' : 'a=setup:active');
      await caller.connection.setRemoteDescription({ type: 'answer', sdp: answerSdp });
      await until(() => heard.failures.length > 0 || heard.states.length > 0);
      expect(heard.states).toEqual([]);
      return heard.failures.map(({ code }) => code);
    }

    test('connects with a peer that is who it says', async () => {
      const { caller, heard } = await connect([OPUS()], setup);
      speak(caller, 1);
      await until(() => heard.packets.length === 1);
      expect(heard.failures).toEqual([]);
    });

    test('refuses a peer that shows another certificate than it announced', async () => {
      const caller = await offerOf([OPUS()]);
      const forged = caller.offerSdp.replaceAll(/^(a=fingerprint:sha-256 )[0-9A-F]{2}:[0-9A-F]{2}/gm, '$1DE:AD');
      expect(await refused(caller, forged)).toEqual(['media.dtls-fingerprint']);
    });

    test('refuses a peer that shows a certificate whose key it does not have', async () => {
      const [victim, thief] = [makeDtlsIdentity(new Date()), makeDtlsIdentity(new Date())];
      const stolen = { certPem: victim.certificatePem, keyPem: thief.keyPem };
      expect(await refused(await offerOf([OPUS()], stolen))).toEqual(['media.dtls-failed']);
    });

    test('refuses a peer that saw other messages than we did', async () => {
      const caller = await offerOf([OPUS()]);
      const { dtlsTransport } = caller.connection.getTransceivers()[0]!;
      let socket: DtlsSocket | undefined;
      Object.defineProperty(dtlsTransport, 'dtls', {
        get: () => socket,
        set(made: DtlsSocket) {
          socket = made;
          made.cipher.verifyData = () => Buffer.alloc(12, 7);
        },
      });
      expect(await refused(caller)).toEqual(['media.dtls-failed']);
    });
  });

  test('takes trickled candidates of its own ICE session only', async () => {
    const caller = await offerOf([OPUS()]);
    opened.push(caller.connection);
    const usernameFragment = /^a=ice-ufrag:(.*)$/m.exec(caller.offerSdp)![1]!.trim();
    const { transport } = await open(caller.offerSdp.replaceAll(/^a=(candidate:.*|end-of-candidates)\r\n/gm, ''));
    const candidate = 'a=candidate:1 1 udp 1 127.0.0.1 9 typ host';
    expect(transport.addCandidates(`a=ice-ufrag:${usernameFragment}\r\na=mid:0\r\n${candidate}\r\n`)).toBe(true);
    expect(transport.addCandidates(`a=ice-ufrag:other\r\na=mid:0\r\n${candidate}\r\n`)).toBe(false);
    expect(transport.addCandidates('junk')).toBe(false);
    transport.close();
    expect(transport.addCandidates(`${candidate}\r\n`)).toBe(false);
  });

  test('begins ICE anew only for new credentials, on a call that stands, and not for ever', async () => {
    const early = await offerOf([OPUS()]);
    opened.push(early.connection);
    const waiting = await open(early.offerSdp);
    const fragment = (name: string) => `a=ice-ufrag:${name}\r\na=ice-pwd:${'p'.repeat(22)}\r\na=mid:0\r\n`;
    expect(await waiting.transport.restartIce?.(fragment('anew'))).toBeUndefined();
    waiting.transport.close();

    const { caller, heard, transport } = await connect();
    const own = /^a=ice-ufrag:(.*)$/m.exec(caller.connection.localDescription!.sdp)![1]!.trim();
    expect(await transport.restartIce?.(fragment(own))).toBeUndefined();
    expect(await transport.restartIce?.('a=ice-ufrag:anew\r\n')).toBeUndefined();
    const answer = await transport.restartIce?.(fragment('anew'));
    expect(answer).toMatch(/^a=ice-ufrag:\S+\r\na=ice-pwd:\S{22}\r\n/);
    expect(answer).toMatch(/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host\r$/m);
    // The peer keeps silent about it: what it says by the old way still counts, until it has had its time.
    speak(caller, 9);
    await until(() => heard.packets.some(({ sequenceNumber }) => sequenceNumber === 9));
    expect(transport.addCandidates(`a=ice-ufrag:${own}\r\na=end-of-candidates\r\n`)).toBe(false);
    clock.advance(15_000);
    expect(heard.states).toEqual(['connected', 'failed']);
  });

  test('gives up on a caller that never connects', async () => {
    const caller = await offerOf([OPUS()]);
    opened.push(caller.connection);
    const { heard, transport } = await open(caller.offerSdp);
    const packet = { payloadType: 96, sequenceNumber: 1, timestampTicks: 1, ssrc: 1, marker: false, payload: PAYLOAD };
    expect(transport.send(packet)).toBe(false);
    clock.advance(15_000);
    expect(transport.sendEvent('{}')).toBe(false);
    expect(heard.states).toEqual(['failed']);
    expect(transport.counters().sendFailed).toBe(1);
  });

  test('says nothing more once it is closed, however often', async () => {
    const { caller, heard, transport } = await connect();
    transport.close();
    transport.close();
    speak(caller, 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard.states).toEqual(['connected']);
    expect(heard.packets).toEqual([]);
  });

  test('refuses the call after the last, and takes one again when another has ended', async () => {
    const callers = [await offerOf([OPUS()]), await offerOf([OPUS()]), await offerOf([OPUS()])];
    for (const { connection } of callers) opened.push(connection);
    const first = await open(callers[0]!.offerSdp);
    await open(callers[1]!.offerSdp);
    await expect(open(callers[2]!.offerSdp)).rejects.toMatchObject({ code: 'webrtc.too-many-peers' });
    first.transport.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await open(callers[2]!.offerSdp);
  });

  test('answers or refuses with a code whatever is offered, and keeps nothing of what it refused', async () => {
    const caller = await offerOf([OPUS()]);
    opened.push(caller.connection);
    const lines = caller.offerSdp.split('\r\n');
    await fc.assert(
      fc.asyncProperty(
        fc.nat(lines.length - 1),
        fc.nat(lines.length - 1),
        fc.string({ maxLength: 20 }),
        async (at, from, junk) => {
          const copy = [...lines];
          copy[at] = junk.length % 2 === 0 ? (lines[from] ?? '') : `${(lines[at] ?? '').slice(0, 8)}${junk}`;
          let code: string | undefined;
          try {
            const { transport } = await openPeer({ ...base, offerSdp: copy.join('\r\n') }, new Heard());
            transport.close();
            await new Promise((resolve) => setTimeout(resolve, 5));
          } catch (error) {
            code = error instanceof TrunklineError ? error.code : `not ours: ${String(error)}`;
          }
          expect([undefined, 'webrtc.bad-offer', 'webrtc.no-common-codec']).toContain(code);
        },
      ),
      { numRuns: 60 },
    );
    // Two may be open at once; a leaked one would show here.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await open(caller.offerSdp);
    const second = await offerOf([OPUS()]);
    opened.push(second.connection);
    await open(second.offerSdp);
  });
});
