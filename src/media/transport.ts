/**
 * What carries a call's packets: the contract that RTP over UDP (rtp-transport.ts) and a WebRTC peer implement alike, so
 * that one session (session.ts) serves both. A transport moves packets and nothing else: it never decodes, paces,
 * reorders or conceals.
 */
import type { TrunklineError } from '../core/errors';
import type { FromMedia, NegotiatedCodec, SocketAddress, ToMedia } from './protocol';

/** An RTP packet taken apart (RFC 3550 §5.1), without what the transport keeps to itself (CSRC, extensions, padding). */
export interface MediaPacket {
  readonly payloadType: number;
  /** 16 bits, as on the wire. */
  readonly sequenceNumber: number;
  /** 32 bits, in ticks of the codec's RTP clock, as on the wire. */
  readonly timestampTicks: number;
  readonly ssrc: number;
  readonly marker: boolean;
  /** Sending: read before `send` returns. Receiving: the receiver may keep it. */
  readonly payload: Uint8Array;
}

export interface TelephoneEventFormat {
  readonly payloadType: number;
  readonly clockRate: number;
}

/** What both sides agreed on; fixed for a WebRTC peer once answered, changed by re-INVITE for RTP. */
export interface MediaFormat {
  readonly codec: NegotiatedCodec;
  readonly telephoneEvent?: TelephoneEventFormat;
  /** Agreed on (RFC 3389): then silence of ours is described instead of sent. */
  readonly comfortNoise?: { readonly payloadType: number } | undefined;
}

/** How a transport calls back. All calls come on the media thread, and none may throw. */
export interface TransportHooks {
  /** A packet of the far end. Junk and foreign sources are dropped and counted by the transport before this. */
  onPacket(packet: MediaPacket, arrivalMs: number): void;
  /** The first packet was accepted; for RTP with the source that is locked. */
  onStarted(remote: SocketAddress | undefined): void;
  /** WebRTC: the peer's connection state. `failed` and `closed` are final. */
  onState(state: 'connected' | 'failed' | 'closed'): void;
  /** WebRTC: a JSON text from the `events` data channel, at most `maxEventBytes` long; longer ones are dropped. */
  onEvent(json: string): void;
  /** The line cannot carry the call: its keys could not be agreed on. Final. */
  onFailed?(error: TrunklineError): void;
}

export const maxEventBytes = 16 * 1024;

/** What the session knows of the stream, for the transport's RTCP reports (RFC 3550 §6.4). */
export interface StreamReport {
  /** RTP timestamp that corresponds to now on the sending side. */
  readonly sentTimestampTicks: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
  /** What was received, if anything was. */
  readonly received:
    | {
        readonly ssrc: number;
        /** 0…255: the part lost since the last report, as on the wire. */
        readonly fractionLost: number;
        readonly cumulativeLost: number;
        readonly extendedHighestSequence: number;
        readonly jitterTicks: number;
      }
    | undefined;
}

export interface TransportCounters {
  /** Not RTP, or RTP cut short. */
  readonly malformed: number;
  /** Well-formed, but not of the locked source. */
  readonly foreign: number;
  /** The socket or peer refused a packet. */
  readonly sendFailed: number;
  /** Protected packets with a wrong tag, or that came already; 0 on a plain line. */
  readonly unauthentic?: number;
  /** Dropped because there were no keys yet. */
  readonly unready?: number;
  /** How the line is protected; undefined: plain, or WebRTC, which always is. */
  readonly protection?: 'sdes' | 'dtls' | undefined;
  /** What the far end last reported of our stream, if it reports. */
  readonly remote?: { readonly lostShare: number; readonly lost: number; readonly jitterTicks: number } | undefined;
  /** Smoothed round trip by RTCP, if the far end reports. */
  readonly roundTripMs: number | undefined;
}

export interface MediaTransport {
  readonly kind: 'rtp' | 'webrtc';
  /** Undefined until a format is agreed. */
  readonly format: MediaFormat | undefined;
  /** Where it is bound; undefined for WebRTC, where ICE chooses. */
  readonly local?: SocketAddress | undefined;
  /** Our SSRC; a WebRTC peer may rewrite it on the way out. */
  readonly ssrc: number;
  /** Sends one packet now; false: could not be sent (counted by the transport). Must not block and must not throw. */
  send(packet: MediaPacket): boolean;
  /** RTCP of our own; does nothing where the transport reports by itself (WebRTC). */
  report(report: StreamReport): void;
  /** One JSON text to the peer's `events` data channel; false where there is none or it is not open. */
  sendEvent(json: string): boolean;
  /** RFC 8840 trickle fragment; false where it has no meaning or is malformed. */
  addCandidates(fragment: string): boolean;
  /**
   * WebRTC: the peer's network has changed (RFC 8840 fragment with new credentials). Resolves with ours, or with undefined
   * when there cannot be a restart now; the call then stays as it is.
   */
  restartIce?(fragment: string): Promise<string | undefined>;
  counters(): TransportCounters;
  /**
   * Idempotent; sends RTCP BYE behind a last report (or closes the peer) and frees the ports. No hook is called
   * afterwards.
   */
  close(last?: StreamReport): void;
}

/**
 * Answers an offer (src/webrtc/peer-transport.ts exports `openPeer` of this type). Rejects with a TrunklineError when
 * the offer cannot be served; the session then reports `failed` with its code. Hooks may be called from then on until
 * `close`.
 */
export type OpenPeer = (
  message: Extract<ToMedia, { type: 'open-webrtc' }>,
  hooks: TransportHooks,
) => Promise<{ readonly answerSdp: string; readonly transport: MediaTransport }>;

export type PostFromMedia = (message: FromMedia) => void;
