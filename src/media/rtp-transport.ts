/**
 * RTP over UDP (RFC 3550) for calls that SIP set up: an even port for media and the odd one above it for RTCP, answers
 * sent to where the locked source is heard from. It moves packets; when they move is decided by its session.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import { TrunklineError } from '../core/errors';
import { isRtcp, parseRtp, rtpHeaderBytes, writeRtp } from '../rtp/packet';
import type { PortPool } from '../rtp/port-pool';
import { parseRtcp, type ReportBlock, roundTripMs, writeRtcp } from '../rtp/rtcp';
import { SourceLock } from '../rtp/source-lock';
import { LineProtection, type OpenDtls } from './line-protection';
import type { SocketAddress, SrtpAgreement } from './protocol';
import type {
  MediaFormat,
  MediaPacket,
  MediaTransport,
  StreamReport,
  TransportCounters,
  TransportHooks,
} from './transport';

export interface RtpTransportOptions {
  readonly bindAddress: string;
  readonly ports: PortPool;
  readonly hooks: TransportHooks;
  readonly ssrc: number;
  readonly nowMs: () => number;
  /** For the NTP times of RTCP. */
  readonly wallClockMs: () => number;
  /** Left out: an agreement on DTLS never gets its keys. */
  readonly openDtls?: OpenDtls | undefined;
}

/** What SDP says of the far end beside where it listens. */
export interface RemoteOptions {
  /** The port above the one of RTP if left out. */
  readonly rtcp?: SocketAddress | undefined;
  /** RTCP shares the port of RTP (RFC 5761). */
  readonly rtcpMux?: boolean | undefined;
  /** Left out: plain RTP. */
  readonly srtp?: SrtpAgreement | undefined;
  /** Where its signalling comes from: a phone behind a NAT often speaks from there too. */
  readonly signalledFrom?: string | undefined;
}

/** Datagrams that the kernel may still hold when the next one is written. */
const sendBuffers = 8;
const maxDatagramBytes = 1472;
const maxBindAttempts = 64;

export class RtpTransport implements MediaTransport {
  readonly kind = 'rtp';
  readonly ssrc: number;
  format: MediaFormat | undefined;
  private readonly lock = new SourceLock();
  private readonly buffers = Array.from(
    { length: sendBuffers },
    () => new Uint8Array(rtpHeaderBytes + maxDatagramBytes),
  );
  private nextBuffer = 0;
  private readonly count = { malformed: 0, foreign: 0, sendFailed: 0 };
  /** Undefined while the line is plain: then nothing below costs anything for it. */
  private protection: LineProtection | undefined;
  /** Who speaks DTLS with us; it may come from behind a NAT, and proves itself by its certificate. */
  private dtlsPeer: SocketAddress | undefined;
  private expectedRtcp: SocketAddress | undefined;
  private signalledFrom: string | undefined;
  private rtcpMux = false;
  private smoothedRoundTripMs: number | undefined;
  private rtcpRemote: SocketAddress | undefined;
  private lastSenderReport = { ntpMiddle: 0, arrivalMs: 0, ssrc: 0 };
  private reportedPackets = 0;
  private remoteReport: ReportBlock | undefined;
  private closed = false;

  private constructor(
    private readonly options: RtpTransportOptions,
    private readonly rtp: Socket,
    private readonly rtcp: Socket,
    /** Undefined: the system chose the port. */
    private readonly pooledPort: number | undefined,
  ) {
    this.ssrc = options.ssrc;
    rtp.on('message', (datagram, from) => this.receive(datagram, from));
    rtp.on('error', () => this.count.sendFailed++);
    rtcp.on('message', (datagram, from) => this.receiveRtcp(datagram, from));
    rtcp.on('error', () => this.count.sendFailed++);
  }

  /** Binds a pair of ports; rejects with `media.no-port`. A pool of size 0 leaves the choice to the system. */
  static async open(options: RtpTransportOptions): Promise<RtpTransport> {
    const systemChooses = options.ports.size === 0;
    for (let attempt = 0; attempt < maxBindAttempts; attempt++) {
      const port = systemChooses ? 0 : options.ports.take(options.nowMs());
      if (port === undefined) break;
      const rtp = await bind(options.bindAddress, port);
      const rtcp = rtp && (await bind(options.bindAddress, rtp.address().port + 1));
      if (rtp && rtcp) return new RtpTransport(options, rtp, rtcp, systemChooses ? undefined : port);
      rtp?.close();
      if (!systemChooses) options.ports.release(port, options.nowMs());
    }
    throw new TrunklineError('media.no-port', 'No free pair of UDP ports was found for the call.', {
      fix: 'Widen rtp.ports, and check that the address to bind to belongs to this machine.',
    });
  }

  get local(): SocketAddress {
    const { address, port } = this.rtp.address();
    return { address, port };
  }

  /** Where to send and whom to expect; again after each SDP. A host name is looked up once. */
  connect(remote: SocketAddress, format: MediaFormat, options: RemoteOptions = {}): void {
    this.format = format;
    this.rtcpMux = options.rtcpMux === true;
    this.expectedRtcp = options.rtcp;
    this.signalledFrom = options.signalledFrom;
    if (options.srtp !== undefined) this.protect(options.srtp);
    // Plain after protected only if signalling says so, and ours never does (sip/sdp-security.ts).
    else this.unprotect();
    if (isIP(remote.address) !== 0) {
      this.expect(remote.address, remote.port);
      return;
    }
    lookup(remote.address, (error, address) => {
      if (error === null && !this.closed) this.expect(address, remote.port);
    });
  }

  send(packet: MediaPacket): boolean {
    const remote = this.lock.destination;
    if (this.closed || remote === undefined || remote.port === 0) return false;
    const buffer = this.buffers[this.nextBuffer]!;
    this.nextBuffer = (this.nextBuffer + 1) % sendBuffers;
    let length = writeRtp(packet, buffer);
    if (length > 0 && this.protection !== undefined) length = this.protection.protectRtp(buffer, length);
    if (length === 0) {
      this.count.sendFailed++;
      return false;
    }
    return this.transmit(this.rtp, buffer, length, remote.address, remote.port);
  }

  report(report: StreamReport): void {
    this.sendRtcp(report, false);
  }

  sendEvent(): boolean {
    return false;
  }

  addCandidates(): boolean {
    return false;
  }

  counters(): TransportCounters {
    const { unauthentic = 0, replayed = 0, malformed = 0, unready = 0 } = this.protection?.counts ?? {};
    return {
      ...this.count,
      malformed: this.count.malformed + malformed,
      unauthentic: unauthentic + replayed,
      unready,
      protection: this.protection?.keying,
      remote: this.remoteReport && {
        lost: Math.max(0, this.remoteReport.cumulativeLost),
        lostShare: this.remoteReport.fractionLost / 256,
        jitterTicks: this.remoteReport.jitterTicks,
      },
      roundTripMs: this.smoothedRoundTripMs,
    };
  }

  close(last?: StreamReport): void {
    if (this.closed) return;
    if (last !== undefined) this.sendRtcp(last, true);
    this.closed = true;
    this.protection?.close();
    this.rtp.removeAllListeners('message');
    this.rtcp.removeAllListeners('message');
    this.rtp.close();
    this.rtcp.close();
    if (this.pooledPort !== undefined) this.options.ports.release(this.pooledPort, this.options.nowMs());
  }

  private expect(address: string, port: number): void {
    const before = this.lock.destination;
    this.lock.expect({ address, port }, this.signalledFrom);
    if (this.lock.destination !== before) this.rtcpRemote = undefined;
  }

  private protect(srtp: SrtpAgreement): void {
    this.protection ??= new LineProtection(this.options.openDtls, {
      send: (datagram) => this.sendDtls(datagram),
      onFailed: (error) => this.options.hooks.onFailed?.(error),
      onReady: () => {
        if (this.dtlsPeer !== undefined) this.expect(this.dtlsPeer.address, this.dtlsPeer.port);
      },
    });
    this.protection.agree(srtp);
  }

  private unprotect(): void {
    this.protection?.close();
    this.protection = undefined;
  }

  private sendDtls(datagram: Uint8Array): void {
    const to = this.dtlsPeer ?? this.lock.destination;
    if (this.closed || to === undefined || to.port === 0) return;
    this.transmit(this.rtp, datagram, datagram.length, to.address, to.port);
  }

  /** The far end's own address is preferred; before it has spoken, whoever begins a handshake is answered. */
  private receiveDtls(datagram: Uint8Array, source: SocketAddress): void {
    const expected = this.lock.destination;
    const isExpected = expected?.address === source.address && expected.port === source.port;
    if (isExpected || this.dtlsPeer === undefined) {
      this.dtlsPeer = { address: source.address, port: source.port };
    } else if (this.dtlsPeer.address !== source.address || this.dtlsPeer.port !== source.port) {
      this.count.foreign++;
      return;
    }
    this.protection?.receiveDtls(datagram);
  }

  private receive(bytes: Uint8Array, from: RemoteInfo): void {
    if (isRtcp(bytes)) {
      this.receiveRtcp(bytes, from);
      return;
    }
    const source = from.address.startsWith('::ffff:') ? { address: from.address.slice(7), port: from.port } : from;
    let datagram: Uint8Array | undefined = bytes;
    if (this.protection !== undefined) {
      if (isDtls(bytes)) {
        this.receiveDtls(bytes, source);
        return;
      }
      // Before the lock sees it: what is not authentic teaches nobody where the far end is.
      datagram = this.protection.unprotectRtp(bytes);
      if (datagram === undefined) return;
    }
    const packet = parseRtp(datagram);
    if (packet === undefined) {
      this.count.malformed++;
      return;
    }
    const nowMs = this.options.nowMs();
    const decision = this.lock.judge(source, packet, nowMs);
    if (decision === 'foreign') {
      this.count.foreign++;
      return;
    }
    if (decision === 'locked') this.options.hooks.onStarted(this.lock.locked);
    this.options.hooks.onPacket(packet, nowMs);
  }

  private receiveRtcp(bytes: Uint8Array, from: RemoteInfo): void {
    const datagram = this.protection === undefined ? bytes : this.protection.unprotectRtcp(bytes);
    if (datagram === undefined) return;
    const packets = parseRtcp(datagram);
    const address = from.address.startsWith('::ffff:') ? from.address.slice(7) : from.address;
    if (packets === undefined) {
      this.count.malformed++;
      return;
    }
    // Reports steer nothing but figures; still, they are believed from the call's own address only.
    if (address !== this.lock.destination?.address) {
      this.count.foreign++;
      return;
    }
    this.rtcpRemote = { address, port: from.port };
    for (const packet of packets) {
      if (packet.type === 'bye' || packet.type === 'source-description') continue;
      if (packet.type === 'sender-report') {
        this.lastSenderReport = { ntpMiddle: packet.ntpMiddle, arrivalMs: this.options.nowMs(), ssrc: packet.ssrc };
      }
      for (const block of packet.blocks) {
        if (block.ssrc !== this.ssrc) continue;
        this.remoteReport = block;
        const tripMs = roundTripMs(block, this.options.wallClockMs());
        if (tripMs === undefined) continue;
        this.smoothedRoundTripMs =
          this.smoothedRoundTripMs === undefined
            ? tripMs
            : this.smoothedRoundTripMs + (tripMs - this.smoothedRoundTripMs) / 4;
      }
    }
  }

  private sendRtcp(report: StreamReport, bye: boolean): void {
    const remote = this.lock.destination;
    if (this.closed || remote === undefined || remote.port === 0) return;
    let block: ReportBlock | undefined;
    if (report.received !== undefined) {
      const heard = this.lastSenderReport.ssrc === report.received.ssrc && this.lastSenderReport.ntpMiddle !== 0;
      block = {
        ...report.received,
        lastSenderReport: heard ? this.lastSenderReport.ntpMiddle : 0,
        delaySinceLastSenderReport: heard
          ? Math.round(((this.options.nowMs() - this.lastSenderReport.arrivalMs) * 65536) / 1000)
          : 0,
      };
    }
    // §6.4: a sender report only from who has sent since the last one.
    const isSender = report.sentPackets !== this.reportedPackets;
    this.reportedPackets = report.sentPackets;
    const sent = !isSender
      ? undefined
      : {
          wallClockMs: this.options.wallClockMs(),
          timestampTicks: report.sentTimestampTicks,
          packets: report.sentPackets,
          bytes: report.sentBytes,
        };
    const compound = writeRtcp({ ssrc: this.ssrc, cname: `${this.ssrc.toString(16)}@trunkline`, sent, block }, bye);
    const bytes = this.protection === undefined ? compound : this.protection.protectRtcp(compound);
    if (bytes === undefined) return;
    if (this.rtcpMux) {
      this.transmit(this.rtp, bytes, bytes.length, remote.address, remote.port);
      return;
    }
    // The keys of DTLS belong to the port on which it ran (RFC 5764 §4.2): without sharing it, RTCP has none.
    if (this.protection?.keying === 'dtls') return;
    const to = this.rtcpRemote ?? this.rtcpDestination(remote);
    this.transmit(this.rtcp, bytes, bytes.length, to.address, to.port);
  }

  /** Where SDP says, as long as that is the host that is heard; else the port above (RFC 3550 §11). */
  private rtcpDestination(remote: SocketAddress): SocketAddress {
    const expected = this.expectedRtcp;
    return expected !== undefined && expected.address === remote.address
      ? expected
      : { address: remote.address, port: remote.port + 1 };
  }

  private transmit(socket: Socket, bytes: Uint8Array, length: number, address: string, port: number): boolean {
    try {
      socket.send(bytes, 0, length, port, this.mapped(address));
      return true;
    } catch {
      this.count.sendFailed++;
      return false;
    }
  }

  /** A socket of IPv6 reaches IPv4 by mapped addresses (RFC 4291 §2.5.5.2). */
  private mapped(address: string): string {
    return isIPv6(this.options.bindAddress) && !address.includes(':') ? `::ffff:${address}` : address;
  }
}

/** RFC 7983 §7: first bytes 20…63. */
function isDtls(datagram: Uint8Array): boolean {
  return datagram.length > 0 && datagram[0]! >= 20 && datagram[0]! <= 63;
}

/** Undefined when the port is taken or the address is not ours. */
function bind(address: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    if (port > 65535) {
      resolve(undefined);
      return;
    }
    const socket = createSocket({
      type: isIPv6(address) ? 'udp6' : 'udp4',
      // Addresses only ever are numbers here: the default would put a tick of the event loop before every packet.
      lookup: (host, _options, done) => done(null, host, isIPv6(host) ? 6 : 4),
    });
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
