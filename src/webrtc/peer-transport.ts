/**
 * A browser as the far end of a call: answers its offer and carries packets, events and candidates over one werift peer
 * connection (RFC 9429, RFC 8445, RFC 5764), behind the media transport contract.
 */
import {
  MediaStreamTrack,
  type RTCDataChannel,
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
import {
  type MediaFormat,
  type MediaPacket,
  type MediaTransport,
  maxEventBytes,
  type OpenPeer,
  type TransportCounters,
  type TransportHooks,
} from '../media/transport';
import { writeAnswer } from './answer';
import { type DatagramCounters, guardDatagrams, releaseRelays } from './datagram-guard';
import { readCandidate } from './ice-candidate';
import { type CheckedOffer, checkOffer, MAX_CANDIDATES_PER_PEER } from './offer';
import { isLoopback, PortWindows } from './peer-addresses';
import { installRtpHeaderGuard } from './rtp-header-guard';
import { readTrickleFragment } from './trickle-fragment';
import { installUdpBindGuard } from './udp-bind-guard';

/** A peer that has not connected by then never will: ICE gives up after about half of it. */
const CONNECT_TIMEOUT_MS = 15_000;
/** A TURN server that does not answer lets its allocation run out by itself. */
const RELEASE_WITHIN_MS = 500;
/** Sent events waiting for the network; a peer that reads none of them loses the newest. */
const MAX_BUFFERED_EVENT_BYTES = 256 * 1024;
/** A person types slower; a script that floods the channel is heard at this rate. */
const MAX_EVENTS_PER_SECOND = 50;
const EVENTS_CHANNEL = 'events';
/** Said before the channel stands, as the greeting's captions are: the oldest give way. */
const MAX_EARLY_EVENTS = 64;

export interface PeerLimits {
  readonly clock: Clock;
  /** Measured: fifty two-way peers take 40 % of a core and keep their packets within 10 ms. */
  readonly maxPeers: number;
}

/** What a peer dropped, for `dump`. */
export interface PeerDrops {
  readonly candidates: number;
  readonly events: number;
}

/** Installs the guards and gives the function that opens peers; at most `maxPeers` of them live at once. */
export function createOpenPeer({ clock, maxPeers }: PeerLimits): OpenPeer {
  installRtpHeaderGuard();
  installUdpBindGuard();
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
      bundlePolicy: 'max-bundle',
      maxMessageSize: 65_536,
    });
    livePeers += 1;
    const transport = new PeerTransport(connection, offer, clock, hooks, () => {
      livePeers -= 1;
    });
    try {
      if (!message.iceServers.some(({ urls }) => /^stuns?:/.test(urls))) transport.askNoStunServer();
      await connection.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
      await connection.setLocalDescription(await connection.createAnswer());
      transport.guardSockets();
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
  private readonly connectDeadline: Timer;
  private channel: RTCDataChannel | undefined;
  private readonly earlyEvents: string[] = [];
  private remoteSsrc: number | undefined;
  private candidateCount: number;
  private eventAllowance = MAX_EVENTS_PER_SECOND;
  private allowanceAtMs: number;
  private malformed = 0;
  private readonly datagrams: DatagramCounters = { foreign: 0 };
  private sendFailed = 0;
  private remote: TransportCounters['remote'];
  private droppedCandidates: number;
  private droppedEvents = 0;
  private hooks: TransportHooks | undefined;

  constructor(
    private readonly connection: RTCPeerConnection,
    private readonly offer: CheckedOffer,
    private readonly clock: Clock,
    hooks: TransportHooks,
    private readonly onClosed: () => void,
  ) {
    this.format = offer.format;
    this.hooks = hooks;
    this.candidateCount = offer.candidateCount;
    this.droppedCandidates = Object.values(offer.refusedCandidates).reduce((sum, count) => sum + count, 0);
    this.allowanceAtMs = clock.nowMs();
    this.transceiver = connection.addTransceiver(this.track, { direction: 'sendrecv' });
    this.dtls = this.transceiver.dtlsTransport;
    // Straight from SRTP, before the library's routing by SSRC: an offer need not name its SSRC (RFC 8843 §9.2).
    this.dtls.onRtp.subscribe((packet) => this.receive(packet));
    this.transceiver.sender.onRtcp.subscribe((packet) => this.receiveReport(packet));
    this.dtls.onStateChange.subscribe((state) => {
      if (state === 'closed') this.end('closed');
    });
    connection.connectionStateChange.subscribe((state) => {
      if (state === 'connected') this.connected();
      else if (state === 'failed' || state === 'closed') this.end(state);
    });
    connection.onDataChannel.subscribe((channel) => this.adopt(channel));
    this.connectDeadline = clock.after(CONNECT_TIMEOUT_MS, () => {
      if (this.state === 'connecting') this.end('failed');
    });
  }

  /** The library would ask one of its own choice, in somebody else's network, and the caller would wait for the answer. */
  askNoStunServer(): void {
    this.dtls.iceTransport.connection.stunServer = undefined;
  }

  /** Once the candidates are gathered and before anyone has been told of them. */
  guardSockets(): void {
    guardDatagrams(this.dtls.iceTransport.connection, this.datagrams);
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
    const { channel } = this;
    if (this.state === 'ended' || !this.offer.hasDataChannel) return false;
    if (channel === undefined || channel.readyState === 'connecting') {
      this.earlyEvents.push(json);
      if (this.earlyEvents.length > MAX_EARLY_EVENTS) {
        this.earlyEvents.shift();
        this.droppedEvents += 1;
      }
      return true;
    }
    if (channel.readyState !== 'open') return false;
    if (channel.bufferedAmount > MAX_BUFFERED_EVENT_BYTES) {
      this.droppedEvents += 1;
      return false;
    }
    try {
      channel.send(json);
      return true;
    } catch {
      this.droppedEvents += 1;
      return false;
    }
  }

  addCandidates(fragment: string): boolean {
    if (this.state === 'ended') return false;
    try {
      const { usernameFragment, candidates, endOfCandidates, refused } = readTrickleFragment(fragment);
      if (usernameFragment !== undefined && usernameFragment !== this.offer.usernameFragment) return false;
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
      return true;
    } catch {
      return false;
    }
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
    return { candidates: this.droppedCandidates, events: this.droppedEvents };
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
  private end(state: 'failed' | 'closed'): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.connectDeadline.cancel();
    const { hooks } = this;
    this.hooks = undefined;
    this.track.stop();
    void this.closeConnection();
    hooks?.onState(state);
  }

  private async closeConnection(): Promise<void> {
    await Promise.race([
      releaseRelays(this.dtls.iceTransport.connection),
      new Promise<void>((resolve) => this.clock.after(RELEASE_WITHIN_MS, resolve)),
    ]);
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

  private adopt(channel: RTCDataChannel): void {
    if (channel.label !== EVENTS_CHANNEL || this.channel !== undefined) {
      channel.close();
      return;
    }
    this.channel = channel;
    channel.stateChange.subscribe((state) => {
      if (state === 'open') for (const json of this.earlyEvents.splice(0)) this.sendEvent(json);
    });
    channel.onMessage.subscribe((data) => {
      if (typeof data !== 'string' || Buffer.byteLength(data) > maxEventBytes || !this.takeEventAllowance()) {
        this.droppedEvents += 1;
        return;
      }
      this.hooks?.onEvent(data);
    });
  }

  /** A bucket that refills at the allowed rate. */
  private takeEventAllowance(): boolean {
    const nowMs = this.clock.nowMs();
    const refill = ((nowMs - this.allowanceAtMs) / 1000) * MAX_EVENTS_PER_SECOND;
    this.eventAllowance = Math.min(MAX_EVENTS_PER_SECOND, this.eventAllowance + refill);
    this.allowanceAtMs = nowMs;
    if (this.eventAllowance < 1) return false;
    this.eventAllowance -= 1;
    return true;
  }

  private addCandidate(candidate: string): void {
    // Section 0: with BUNDLE every section shares one transport (RFC 8843 §7.3).
    this.connection.addIceCandidate({ candidate, sdpMLineIndex: 0 }).catch(() => {
      this.droppedCandidates += 1;
    });
  }
}
