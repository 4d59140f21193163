/**
 * A peer that is reached through a TURN server only, which we speak to over UDP, TCP or TLS (RFC 8656 §3.1): coturn relays between
 * it and a second real peer connection.
 */
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpHeader, RtpPacket } from 'werift';

import { SystemClock } from '../../src/core/clock';
import type { MediaPacket } from '../../src/media/transport';
import { iceServersFor } from '../../src/webrtc/ice-servers';
import { createOpenPeer } from '../../src/webrtc/peer-transport';
import { startTurnServer, type TurnServer, turnServerInstalled } from '../support/turn-server';

const PAYLOAD = Buffer.from([0xf8, 1, 2, 3]);
const describeWithRelay = turnServerInstalled() ? describe : describe.skip;

async function until(check: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    if (check()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`It did not happen in time: ${what}.`);
}

describeWithRelay('a peer behind a TURN relay', () => {
  let relay: TurnServer;
  beforeAll(async () => {
    relay = await startTurnServer();
  }, 30_000);
  afterAll(() => relay.close());

  /** A caller who takes no way but to a relayed address of ours. */
  async function callOver(urls: string) {
    const caller = new RTCPeerConnection({
      codecs: { audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 })] },
      iceServers: [],
      iceAdditionalHostAddresses: ['127.0.0.1'],
      iceUseIpv6: false,
      iceFilterCandidatePair: (pair) => pair.remoteCandidate.type === 'relay',
      bundlePolicy: 'max-bundle',
    });
    const track = new MediaStreamTrack({ kind: 'audio' });
    const received: RtpPacket[] = [];
    const transceiver = caller.addTransceiver(track, { direction: 'sendrecv' });
    transceiver.dtlsTransport.onRtp.subscribe((packet) => received.push(packet));
    await caller.setLocalDescription(await caller.createOffer());

    const heard: MediaPacket[] = [];
    const states: string[] = [];
    const openPeer = createOpenPeer({ clock: new SystemClock(), maxPeers: 2, turnAuthority: relay.authority });
    const iceServers = iceServersFor([{ urls, secret: relay.secret }], 'agent', Date.now());
    const { answerSdp, transport } = await openPeer(
      {
        type: 'open-webrtc',
        sessionId: 's1',
        iceServers,
        advertised: [],
        ports: [32_000, 32_999],
        timeoutMs: 10_000,
        offerSdp: caller.localDescription!.sdp,
      },
      {
        onPacket: (packet) => heard.push(packet),
        onStarted: () => undefined,
        onState: (state) => states.push(state),
        onFailed: () => undefined,
        onEvent: () => undefined,
      },
    );
    await caller.setRemoteDescription({ type: 'answer', sdp: answerSdp });
    return { caller, track, received, heard, states, transport, answerSdp };
  }

  test.each([
    ['UDP', () => `turn:127.0.0.1:${relay.port}?transport=udp`],
    ['TCP', () => `turn:127.0.0.1:${relay.port}?transport=tcp`],
    ['TLS', () => `turns:127.0.0.1:${relay.tlsPort}`],
  ])(
    'hears and is heard when we speak to the relay over %s',
    async (_, urls) => {
      const { caller, track, received, heard, states, transport, answerSdp } = await callOver(urls());
      try {
        expect(answerSdp).toMatch(/a=candidate:.* typ relay/);
        await until(() => states.includes('connected') && caller.connectionState === 'connected', 'connected');
        // What is lost on the way is sent again here, as a speaker would go on.
        for (let sequenceNumber = 1; heard.length === 0 || received.length === 0; sequenceNumber += 1) {
          expect(sequenceNumber).toBeLessThan(500);
          const header = { payloadType: 96, sequenceNumber, timestamp: 960 * sequenceNumber, ssrc: 1 };
          track.writeRtp(new RtpPacket(new RtpHeader(header), PAYLOAD));
          const ours = {
            payloadType: 96,
            sequenceNumber,
            timestampTicks: 960 * sequenceNumber,
            ssrc: 2,
            marker: false,
          };
          transport.send({ ...ours, payload: PAYLOAD });
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        expect(Buffer.from(heard[0]!.payload)).toEqual(PAYLOAD);
      } finally {
        await transport.close();
        await caller.close();
      }
    },
    60_000,
  );
});
