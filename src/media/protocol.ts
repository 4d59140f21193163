/**
 * Everything that the control thread and a media thread say to each other. A session is one call's media. PCM crosses
 * by transfer. Every message about an answer carries its `turnId`; a session drops what is not its current turn.
 */
import type { MessagePort } from 'node:worker_threads';
import type { HeardTone } from '../audio/tone-detector';
import type { QualitySample, RtpCapture } from '../core/call-trace';
import type { SrtpSuite } from '../rtp/srtp-keys';

export interface NegotiatedCodec {
  readonly name: 'PCMU' | 'PCMA' | 'G722' | 'opus';
  readonly payloadType: number;
  /** RTP clock: 8000 for G.711, 48000 for Opus whatever its audio band. */
  readonly clockRate: number;
  readonly packetMs: number;
}

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export type DtlsRole = 'client' | 'server';

/** What we show in DTLS handshakes. */
export interface DtlsIdentity {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** How packets are protected. Master keys hold key and salt in a row; fingerprints are `hash value` in lower case. */
export type SrtpAgreement =
  | {
      readonly kind: 'sdes';
      readonly suite: SrtpSuite;
      readonly localMaster: Uint8Array;
      readonly remoteMaster: Uint8Array;
    }
  | { readonly kind: 'dtls'; readonly role: DtlsRole; readonly fingerprints: readonly string[] };

export type MediaSource =
  /** What `play` brings; silence is sent as comfort in between. */
  | { readonly kind: 'playout' }
  | { readonly kind: 'echo' }
  | { readonly kind: 'tone'; readonly frequencyHz: number; readonly levelDbm0: number }
  /**
   * What the far ends of other sessions say: calls that are connected, all of them mixed. With `playout` what `play` brings is
   * heard as well, by those who have this session's agent (`media/mix-minus.ts`) among their peers, and the listener hears the peers.
   */
  | { readonly kind: 'bridge'; readonly peers: readonly string[]; readonly playout?: boolean };

export interface PlayoutWord {
  readonly text: string;
  readonly startSample: number;
  readonly endSample: number;
}

export type ToMedia =
  | { readonly type: 'attach-listener'; readonly port: MessagePort }
  /** The line to the other media thread: calls of the two can be connected (`media/voice-exchange.ts`). */
  | { readonly type: 'attach-neighbour'; readonly port: MessagePort }
  /** Before the first session that is to be protected by DTLS. */
  | { readonly type: 'dtls-identity'; readonly identity: DtlsIdentity }
  | {
      readonly type: 'open-rtp';
      readonly sessionId: string;
      readonly bindAddress: string;
      readonly ports: readonly [number, number];
    }
  /** May come again: re-INVITE with new port, codec or direction. */
  | {
      readonly type: 'connect-rtp';
      readonly sessionId: string;
      readonly remote: SocketAddress;
      /** The port above `remote` if left out. */
      readonly remoteRtcp?: SocketAddress;
      /** RTCP shares the port of RTP (RFC 5761). */
      readonly rtcpMux?: boolean;
      /** The address that its signalling comes from. */
      readonly signalledFrom?: string | undefined;
      /** Left out: plain RTP. */
      readonly srtp?: SrtpAgreement | undefined;
      readonly codec: NegotiatedCodec;
      readonly telephoneEvent?: { readonly payloadType: number; readonly clockRate: number };
      /** RFC 3389; left out: our silence is sent as any other sound. */
      readonly comfortNoise?: { readonly payloadType: number } | undefined;
      readonly send: boolean;
      readonly receive: boolean;
      readonly timeoutMs: number;
    }
  | {
      readonly type: 'open-webrtc';
      readonly sessionId: string;
      readonly offerSdp: string;
      readonly iceServers: readonly {
        readonly urls: string;
        readonly username?: string;
        readonly credential?: string;
      }[];
      readonly advertised: readonly string[];
      readonly ports: readonly [number, number];
      readonly timeoutMs: number;
    }
  /** RFC 8840 trickle fragment (application/trickle-ice-sdpfrag). */
  | { readonly type: 'webrtc-candidates'; readonly sessionId: string; readonly fragment: string }
  /** The same with new credentials: ICE begins anew on the live call. Answered by `webrtc-restarted`. */
  | { readonly type: 'webrtc-restart'; readonly sessionId: string; readonly fragment: string }
  /** One JSON text to the peer's `events` data channel (WebRTC only; dropped and counted elsewhere). */
  | { readonly type: 'send-event'; readonly sessionId: string; readonly json: string }
  | { readonly type: 'source'; readonly sessionId: string; readonly source: MediaSource }
  /** Samples of turn `turnId`, in order; `words` as in model/omni-model.ts. Bounded: see maxQueuedMs in play-queue. */
  | {
      readonly type: 'play';
      readonly sessionId: string;
      readonly turnId: number;
      readonly pcm: Int16Array;
      readonly sampleRate: number;
      readonly words: readonly PlayoutWord[];
    }
  /** No more samples will come for this turn: `playout finished` follows when the last has left. */
  | { readonly type: 'play-end'; readonly sessionId: string; readonly turnId: number }
  /** Stop sending the answer but keep it: a dip that may resume. */
  | { readonly type: 'pause'; readonly sessionId: string; readonly turnId: number }
  | { readonly type: 'resume'; readonly sessionId: string; readonly turnId: number }
  /** Drop what is queued for every turn up to and including `turnId`; answered by `playout flushed`. */
  | { readonly type: 'flush'; readonly sessionId: string; readonly turnId: number }
  | { readonly type: 'send-dtmf'; readonly sessionId: string; readonly digits: string }
  /** Another action takes the call over: what was queued is dropped, turns are counted from 1 again. */
  | { readonly type: 'next-performance'; readonly sessionId: string }
  /**
   * In place of the source, over and over, until it comes again without a sound: hold music, ringing. One that yields stands
   * still while something is played.
   */
  | {
      readonly type: 'music';
      readonly sessionId: string;
      readonly sound?: { readonly pcm: Int16Array; readonly sampleRate: number };
      readonly yields?: boolean;
    }
  /** What the caller sends is for nobody: silence to the listener, to an echo and to the recording, both of its sides. Keys are told. */
  | { readonly type: 'secure'; readonly sessionId: string; readonly on: boolean }
  /** Stereo WAV, left what came in, right what went out, aligned on one sample clock at 8 or 16 kHz. */
  | { readonly type: 'record'; readonly sessionId: string; readonly path: string }
  /** The newest so many RTP packets are kept, and told by `captured` when the session closes; of audio the header, or all of it. */
  | { readonly type: 'capture'; readonly sessionId: string; readonly packets: number; readonly payload: boolean }
  /** What the caller sends is heard by nobody, but recorded. */
  | { readonly type: 'mute'; readonly sessionId: string; readonly on: boolean }
  /** What the caller says from now on, as mono WAV; without a path it is over, and `message-recorded` follows. */
  | { readonly type: 'record-message'; readonly sessionId: string; readonly path?: string }
  /** Single tones in what the caller sends are told (`tone`) while it is on; `tones-watched` says from when. */
  | { readonly type: 'watch-tones'; readonly sessionId: string; readonly on: boolean }
  | { readonly type: 'dump'; readonly requestId: number }
  | { readonly type: 'close'; readonly sessionId: string }
  /** Closes every session, then the thread ends by itself. */
  | { readonly type: 'shutdown' };

export type FromMedia =
  | { readonly type: 'opened'; readonly sessionId: string; readonly local: SocketAddress }
  | { readonly type: 'webrtc-answer'; readonly sessionId: string; readonly answerSdp: string }
  /** Undefined: ICE cannot be restarted now, and the call stays as it is. */
  | { readonly type: 'webrtc-restarted'; readonly sessionId: string; readonly fragment: string | undefined }
  /**
   * `media.*` while opening or `media.internal` later: the session is closed (`closed` follows if it was open).
   * `audio.recording-failed`: the call goes on without its recording.
   */
  | { readonly type: 'failed'; readonly sessionId: string; readonly code: string; readonly message: string }
  /** First packet accepted from the far end; RTP: the source that was locked. */
  | { readonly type: 'media-started'; readonly sessionId: string; readonly remote: SocketAddress | undefined }
  | { readonly type: 'webrtc-state'; readonly sessionId: string; readonly state: 'connected' | 'failed' | 'closed' }
  | { readonly type: 'event'; readonly sessionId: string; readonly json: string }
  /**
   * Where the turn's playout stands. `callSample` is the call's inbound 16 kHz sample clock at that moment, so that
   * gaps are measured on one clock. `heardText` is cut to the words whose audio has left completely or to more than half.
   */
  | {
      readonly type: 'playout';
      readonly sessionId: string;
      readonly turnId: number;
      readonly state: 'started' | 'finished' | 'flushed' | 'starved' | 'progress';
      readonly playedMs: number;
      readonly heardText: string;
      readonly callSample: number;
      /** Of how many `next-performance` were received before; left out for the first. */
      readonly performance?: number;
    }
  | { readonly type: 'dtmf'; readonly sessionId: string; readonly digit: string; readonly durationMs: number }
  /** Whole on disk; also when the session closes before it was over. */
  | { readonly type: 'message-recorded'; readonly sessionId: string; readonly durationMs: number }
  | { readonly type: 'tones-watched'; readonly sessionId: string; readonly callSample: number }
  /** As in audio/tone-detector.ts; `endSample` on the call's clock. */
  | ({ readonly type: 'tone'; readonly sessionId: string } & HeardTone)
  | { readonly type: 'media-timeout'; readonly sessionId: string }
  /** Every two seconds of the call. */
  | { readonly type: 'quality'; readonly sessionId: string; readonly sample: QualitySample }
  /** Before `closed`. */
  | { readonly type: 'captured'; readonly sessionId: string; readonly capture: RtpCapture }
  | { readonly type: 'closed'; readonly sessionId: string; readonly stats: MediaStats }
  | { readonly type: 'dumped'; readonly requestId: number; readonly dump: unknown };

export interface MediaStats {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly packetsLate: number;
  readonly packetsDropped: number;
  readonly jitterMs: number;
  readonly concealedMs: number;
  /** Deviation of sent packets from their deadline. */
  readonly paceP99Ms: number;
  readonly paceP50Ms?: number;
  readonly paceMaxMs?: number;
  /** Frames of 20 ms in which the thread could not run: time moved on without a packet. */
  readonly skippedFrames?: number;
  /** Smoothed, by RTCP; undefined when the far end does not report. */
  readonly roundTripMs?: number | undefined;
  /** Length of the recording that is whole on disk; undefined: there is none. */
  readonly recordedMs?: number | undefined;
  /** Lost or too late to be played, 0…1. */
  readonly lostShare?: number;
  /** Mean opinion score by the E-model (rtp/e-model.ts), 1…4.5; undefined when nothing was received. */
  readonly mos?: number | undefined;
  readonly codec?: string;
  readonly protection?: 'none' | 'sdes' | 'dtls';
  /** What the far end last reported of our stream; undefined when it does not. */
  readonly remote?: { readonly packetsLost: number; readonly lostShare: number; readonly jitterMs: number } | undefined;
}

/** Between two media threads; `voice` as in `source.peers`, frames of 20 ms at 16 kHz. */
export type BetweenMedia =
  | { readonly type: 'subscribe' | 'unsubscribe'; readonly voice: string }
  | { readonly type: 'voice'; readonly voice: string; readonly pcm: Int16Array };

/** From a media thread to the listener thread: the caller's audio, 16 kHz mono, frames of 320 samples (20 ms). */
export type ToListener =
  | {
      readonly type: 'audio';
      readonly sessionId: string;
      readonly startSample: number;
      readonly pcm: Int16Array;
      /** How loud the frame is that left for the caller meanwhile, dBFS, so that its echo is known. */
      readonly sentDb: number;
    }
  | { readonly type: 'session-closed'; readonly sessionId: string };
