/**
 * A browser as the far end of a call: answers its offer and carries packets, events and candidates over one werift peer
 * connection (RFC 9429, RFC 8445, RFC 5764), behind the media transport contract.
 */
import {
  MediaStreamTrack,
  type RTCDtlsTransport,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  type RTCRtpTransceiver,
  type RtcpPacket,
  RtcpRrPacket,
  RtcpSrPacket,
  RtpHeader,
  RtpPacket,
} from 'werift';

import { type Clock, SystemClock, type Timer } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type {
  MediaFormat,
  MediaPacket,
  MediaTransport,
  OpenPeer,
  TransportCounters,
  TransportHooks,
} from '../media/transport';
import { writeAnswer } from './answer';
import type { DatagramCounters } from './datagram-guard';
import { proveDtls } from './dtls-proof';
import { EventsChannel } from './events-channel';
import { readCandidate } from './ice-candidate';
import { IcePath } from './ice-path';
import { type CheckedOffer, checkOffer, MAX_CANDIDATES_PER_PEER } from './offer';
import { isLoopback, PortWindows } from './peer-addresses';
import { installRtpHeaderGuard } from './rtp-header-guard';
import { readTrickleFragment, type TrickleFragment } from './trickle-fragment';
import { installTurnRefreshGuard } from './turn-refresh-guard';
import { installUdpBindGuard } from './udp-bind-guard';

/** A peer that has not connected by then never will: ICE gives up after about half of it. */
const CONNECT_TIMEOUT_MS = 15_000;

export interface PeerLimits {
  readonly clock: Clock;
  /** Measured: fifty two-way peers take 40 % of a core and keep their packets within 10 ms. */
  readonly maxPeers: number;
  /** Who vouches for TURN servers by TLS, PEM; left out: whom Node trusts, NODE_EXTRA_CA_CERTS among them. */
  readonly turnAuthority?: string;
}

/** What a peer dropped, for `dump`. */
export interface PeerDrops {
  readonly candidates: number;
  readonly events: number;
}

/** Installs the guards and gives the function that opens peers; at most `maxPeers` of them live at once. */
export function createOpenPeer({ clock, maxPeers, turnAuthority }: PeerLimits): OpenPeer {
  installRtpHeaderGuard();
  installUdpBindGuard();
  installTurnRefreshGuard();
  const windows = new PortWindows();
  let livePeers = 0;

  return async (message, hooks) => {
    const offer = checkOffer(message.offerSdp);
    if (livePeers >= maxPeers) {
      throw new TrunklineError('webrtc.too-many-peers', `There are ${maxPeers} WebRTC calls already.`, {
        fix: 'Try again when one has ended.',
      });
    }
    const allLoopback = message.advertised.length > 0 && message.advertised.every(isLoopback);
    const connection = new RTCPeerConnection({
      codecs: { audio: codecParameters(offer.format), video: [] },
      headerExtensions: { audio: [], video: [] },
      iceServers: message.iceServers.map((server) => ({ ...server })),
      icePortRange: windows.next(message.ports),
      // A browser on this very machine is reached without any network.
      iceAdditionalHostAddresses: message.advertised.length > 0 ? [...message.advertised] : ['127.0.0.1'],
      // Advertised addresses of the loopback only: nobody else may reach the port.
      iceInterfaceAddresses: allLoopback ? { udp4: '127.0.0.1', udp6: '::1' } : undefined,
      ...(turnAuthority === undefined ? {} : { turnTlsOptions: { ca: turnAuthority } }),
      bundlePolicy: 'max-bundle',
      maxMessageSize: 65_536,
    });
    livePeers += 1;
    const transport = new PeerTransport(connection, offer, clock, message.advertised, hooks, () => {
      livePeers -= 1;
    });
    try {
      if (!message.iceServers.some(({ urls }) => /^stuns?:/.test(urls))) transport.path.askNoStunServer();
      await connection.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
      await connection.setLocalDescription(await connection.createAnswer());
      transport.path.guardSockets();
      const local = connection.localDescription?.sdp;
      if (local === undefined) throw new Error('no local description');
      const answerSdp = writeAnswer(local, offer, message.advertised);
      if (!answerSdp.includes('a=candidate:')) {
        throw new TrunklineError('webrtc.no-port', 'No UDP port of the WebRTC range could be opened.', {
          fix: 'Widen webrtc.ports or end other programs that use it.',
        });
      }
      return { answerSdp, transport };
    } catch (error) {
      transport.close();
      if (error instanceof TrunklineError) throw error;
      throw new TrunklineError('webrtc.bad-offer', 'The offer cannot be answered.', {
        cause: error,
        fix: 'Send the SDP offer of an RTCPeerConnection with one audio track.',
      });
    }
  };
}

/** As the media worker opens peers. */
export const openPeer: OpenPeer = createOpenPeer({ clock: new SystemClock(), maxPeers: 50 });

function codecParameters({ codec, telephoneEvent }: MediaFormat): RTCRtpCodecParameters[] {
  const audio = new RTCRtpCodecParameters({
    mimeType: `audio/${codec.name}`,
    clockRate: codec.clockRate,
    payloadType: codec.payloadType,
    ...(codec.name === 'opus' ? { channels: 2 } : {}),
  });
  if (telephoneEvent === undefined) return [audio];
  const events = new RTCRtpCodecParameters({
    mimeType: 'audio/telephone-event',
    clockRate: telephoneEvent.clockRate,
    payloadType: telephoneEvent.payloadType,
  });
  return [audio, events];
}

type PeerState = 'connecting' | 'connected' | 'ended';

class PeerTransport implements MediaTransport {
  readonly kind = 'webrtc';
  readonly format: MediaFormat;
  private state: PeerState = 'connecting';
  private readonly track = new MediaStreamTrack({ kind: 'audio' });
  private readonly transceiver: RTCRtpTransceiver;
  private readonly dtls: RTCDtlsTransport;
  readonly path: IcePath;
  private readonly connectDeadline: Timer;
  private readonly events: EventsChannel;
  private remoteSsrc: number | undefined;
  private candidateCount: number;
  private malformed = 0;
  private readonly datagrams: DatagramCounters = { foreign: 0 };
  private sendFailed = 0;
  private remote: TransportCounters['remote'];
  private droppedCandidates: number;
  private hooks: TransportHooks | undefined;

  constructor(
    private readonly connection: RTCPeerConnection,
    private readonly offer: CheckedOffer,
    private readonly clock: Clock,
    advertised: readonly string[],
    hooks: TransportHooks,
    private readonly onClosed: () => void,
  ) {
    this.format = offer.format;
    this.hooks = hooks;
    this.candidateCount = offer.candidateCount;
    this.droppedCandidates = Object.values(offer.refusedCandidates).reduce((sum, count) => sum + count, 0);
    this.events = new EventsChannel(clock, (json) => this.hooks?.onEvent(json));
    this.transceiver = connection.addTransceiver(this.track, { direction: 'sendrecv' });
    this.dtls = this.transceiver.dtlsTransport;
    this.path = new IcePath({
      ice: this.dtls.iceTransport,
      usernameFragment: offer.usernameFragment,
      audioMid: offer.sections.find(({ used, media }) => used && media.startsWith('audio '))?.mid ?? '0',
      advertised,
      clock,
      counters: this.datagrams,
      onLost: () => this.end('failed'),
    });
    // The library would begin all the same, and both would wait for the other's answer.
    if (offer.beginsDtls) this.dtls.role = 'server';
    proveDtls(this.dtls, (error) => this.end('failed', error));
    // Straight from SRTP, before the library's routing by SSRC: an offer need not name its SSRC (RFC 8843 §9.2).
    this.dtls.onRtp.subscribe((packet) => this.receive(packet));
    this.transceiver.sender.onRtcp.subscribe((packet) => this.receiveReport(packet));
    this.dtls.onStateChange.subscribe((state) => {
      if (state === 'closed') this.end('closed');
    });
    connection.connectionStateChange.subscribe((state) => {
      if (state === 'connected') this.connected();
      // Once connected, a way that fails may be replaced by a restart: `path` tells when it was not.
      else if (state === 'closed' || (state === 'failed' && this.state === 'connecting')) this.end(state);
    });
    connection.onDataChannel.subscribe((channel) => this.events.adopt(channel));
    this.connectDeadline = clock.after(CONNECT_TIMEOUT_MS, () => {
      if (this.state === 'connecting') this.end('failed');
    });
  }

  get ssrc(): number {
    return this.transceiver.sender.ssrc;
  }

  send(packet: MediaPacket): boolean {
    if (this.state !== 'connected') {
      this.sendFailed += 1;
      return false;
    }
    const header = new RtpHeader({
      payloadType: packet.payloadType,
      sequenceNumber: packet.sequenceNumber,
      timestamp: packet.timestampTicks,
      marker: packet.marker,
      ssrc: this.ssrc,
    });
    // A copy: the library keeps what it sent, and the caller's buffer is free again when this returns.
    const payload = Buffer.from(packet.payload);
    try {
      if (packet.payloadType === this.format.codec.payloadType) this.track.writeRtp(new RtpPacket(header, payload));
      // The library would send every packet as the first codec; digits go past its sender.
      else void this.dtls.sendRtp(payload, header);
      return true;
    } catch {
      this.sendFailed += 1;
      return false;
    }
  }

  report(): void {
    // The library sends its own sender and receiver reports.
  }

  sendEvent(json: string): boolean {
    if (this.state === 'ended' || !this.offer.hasDataChannel) return false;
    return this.events.send(json);
  }

  addCandidates(fragment: string): boolean {
    if (this.state === 'ended') return false;
    try {
      const read = readTrickleFragment(fragment);
      const { usernameFragment } = read;
      if (usernameFragment !== undefined && usernameFragment !== this.path.usernameFragment) return false;
      this.takeCandidates(read);
      return true;
    } catch {
      return false;
    }
  }

  async restartIce(fragment: string): Promise<string | undefined> {
    if (this.state !== 'connected') return undefined;
    const read = readTrickleFragment(fragment);
    const answer = await this.path.restart(read);
    if (answer === undefined) return undefined;
    this.candidateCount = 0;
    this.takeCandidates(read);
    return answer;
  }

  private takeCandidates({ candidates, endOfCandidates, refused }: TrickleFragment): void {
    this.droppedCandidates += Object.values(refused).reduce((sum, count) => sum + count, 0);
    for (const { candidate } of candidates) {
      if (this.candidateCount >= MAX_CANDIDATES_PER_PEER) {
        this.droppedCandidates += 1;
        continue;
      }
      this.candidateCount += 1;
      this.addCandidate(candidate.text);
    }
    if (endOfCandidates) this.addCandidate('');
  }

  counters(): TransportCounters {
    return {
      malformed: this.malformed,
      foreign: this.datagrams.foreign,
      sendFailed: this.sendFailed,
      remote: this.remote,
      roundTripMs: undefined,
    };
  }

  drops(): PeerDrops {
    return { candidates: this.droppedCandidates, events: this.events.dropped };
  }

  close(): void {
    this.hooks = undefined;
    this.end('closed');
  }

  /** What the browser lost of ours (RFC 3550 §6.4). */
  private receiveReport(packet: RtcpPacket): void {
    if (!(packet instanceof RtcpRrPacket) && !(packet instanceof RtcpSrPacket)) return;
    const block = packet.reports.find(({ ssrc }) => ssrc === this.ssrc);
    if (block === undefined) return;
    this.remote = {
      lost: Math.max(0, block.packetsLost),
      lostShare: block.fractionLost / 256,
      jitterTicks: block.jitter,
    };
  }

  private connected(): void {
    if (this.state !== 'connecting') return;
    this.state = 'connected';
    this.connectDeadline.cancel();
    this.hooks?.onState('connected');
  }

  /** The one way out: `close`, a failed or closed connection, and the deadline all come here, and only the first counts. */
  private end(state: 'failed' | 'closed', error?: TrunklineError): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.connectDeadline.cancel();
    const { hooks } = this;
    this.hooks = undefined;
    this.track.stop();
    void this.closeConnection();
    if (error === undefined) hooks?.onState(state);
    else hooks?.onFailed?.(error);
  }

  private async closeConnection(): Promise<void> {
    await this.path.close();
    await this.connection.close().catch(() => undefined);
    this.onClosed();
  }

  private receive({ header, payload }: RtpPacket): void {
    const { hooks } = this;
    if (hooks === undefined) return;
    const { codec, telephoneEvent } = this.format;
    if (header.payloadType !== codec.payloadType && header.payloadType !== telephoneEvent?.payloadType) {
      this.malformed += 1;
      return;
    }
    if (this.remoteSsrc === undefined) {
      this.remoteSsrc = header.ssrc;
      hooks.onStarted(this.remoteAddress());
    } else if (this.remoteSsrc !== header.ssrc) {
      this.datagrams.foreign += 1;
      return;
    }
    hooks.onPacket(
      {
        payloadType: header.payloadType,
        sequenceNumber: header.sequenceNumber,
        timestampTicks: header.timestamp,
        ssrc: header.ssrc,
        marker: header.marker,
        payload,
      },
      this.clock.nowMs(),
    );
  }

  private remoteAddress(): { address: string; port: number } | undefined {
    const pair = this.dtls.iceTransport.getSelectedCandidatePair();
    if (pair === null) return undefined;
    // The library leaves the word off.
    const reading = readCandidate(`candidate:${pair.remote.candidate.replace(/^candidate:/, '')}`);
    if (reading.kind === 'refused') return undefined;
    return { address: reading.candidate.address, port: reading.candidate.port };
  }

  private addCandidate(candidate: string): void {
    // Section 0: with BUNDLE every section shares one transport (RFC 8843 §7.3).
    this.connection.addIceCandidate({ candidate, sdpMLineIndex: 0 }).catch(() => {
      this.droppedCandidates += 1;
    });
  }
}
