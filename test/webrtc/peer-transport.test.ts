/** A WebRTC peer as media transport, against a second real peer connection on the loopback. */
import {
  MediaStreamTrack,
  type RTCDataChannel,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtpHeader,
  RtpPacket,
} from 'werift';

import { ManualClock } from '../../src/core/clock';
import type { MediaPacket, MediaTransport } from '../../src/media/transport';
import { createOpenPeer } from '../../src/webrtc/peer-transport';

const OPUS = () => new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 });

interface Caller {
  readonly connection: RTCPeerConnection;
  readonly track: MediaStreamTrack;
  readonly channel: RTCDataChannel;
  readonly received: RtpPacket[];
}

async function offerOf(codecs: RTCRtpCodecParameters[]): Promise<Caller & { offerSdp: string }> {
  const connection = new RTCPeerConnection({
    codecs: { audio: codecs },
    iceServers: [],
    iceAdditionalHostAddresses: ['127.0.0.1'],
    iceUseIpv6: false,
    bundlePolicy: 'max-bundle',
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

describe('a WebRTC peer', () => {
  const open: { caller?: Caller; transport?: MediaTransport } = {};
  afterEach(async () => {
    open.transport?.close();
    await open.caller?.connection.close();
  });

  test('carries packets and events both ways once it is connected', async () => {
    const caller = await offerOf([OPUS()]);
    open.caller = caller;
    const packets: MediaPacket[] = [];
    const events: string[] = [];
    const states: string[] = [];
    const openPeer = createOpenPeer({ clock: new ManualClock(), maxPeers: 2 });
    const { answerSdp, transport } = await openPeer(
      { ...base, offerSdp: caller.offerSdp },
      {
        onPacket: (packet) => packets.push(packet),
        onStarted: () => states.push('started'),
        onState: (state) => states.push(state),
        onEvent: (json) => events.push(json),
      },
    );
    open.transport = transport;
    await caller.connection.setRemoteDescription({ type: 'answer', sdp: answerSdp });
    await until(() => states.includes('connected') && caller.connection.connectionState === 'connected');
    expect(transport.format?.codec.name).toBe('opus');

    const payload = Buffer.from([0xf8, 1, 2, 3]);
    const header = new RtpHeader({ payloadType: 96, sequenceNumber: 7, timestamp: 960, marker: true, ssrc: 1 });
    caller.track.writeRtp(new RtpPacket(header, payload));
    await until(() => packets.length === 1);
    expect(packets[0]).toMatchObject({ sequenceNumber: 7, timestampTicks: 960, marker: true });
    expect(Buffer.from(packets[0]!.payload)).toEqual(payload);

    const { payloadType } = transport.format!.codec;
    for (let count = 0; count < 4; count += 1) {
      const sequenceNumber = (65_534 + count) % 65_536;
      const timestampTicks = (2 ** 32 - 960 + 960 * count) % 2 ** 32;
      expect(transport.send({ payloadType, sequenceNumber, timestampTicks, ssrc: 5, marker: false, payload })).toBe(
        true,
      );
    }
    await until(() => caller.received.length === 4);
    expect(caller.received.map(({ header }) => header.sequenceNumber)).toEqual([65_534, 65_535, 0, 1]);
    expect(caller.received.map(({ header }) => header.timestamp)).toEqual([2 ** 32 - 960, 0, 960, 1920]);

    await until(() => caller.channel.readyState === 'open');
    caller.channel.send('{"type":"user_text","text":"hello"}');
    await until(() => events.length === 1);
    const heard: string[] = [];
    caller.channel.onMessage.subscribe((data) => heard.push(String(data)));
    await until(() => transport.sendEvent('{"type":"state","state":"listening"}'));
    await until(() => heard.length === 1);
  });
});
