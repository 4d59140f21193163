/** What the exchange is given to work with, and what it takes to place a call. */
import type { CallEvent, EventSources } from '../core/call-event';
import type { CallIdentityRecord, CallRecord } from '../core/call-record';
import type { Clock } from '../core/clock';
import type { Logger } from '../core/log';
import type { Action, DirectAction } from '../dialplan/dialplan';
import type { CallFacts } from '../dialplan/matcher';
import type { MediaRouter } from '../media/media-router';
import type { ToMedia } from '../media/protocol';
import type { CodecName } from '../sip/offer-answer';
import type { SdpSession } from '../sip/sdp-session';
import type { TrunkRoute } from '../sip/trunk-route';
import type { DialPlace, SipUserAgent } from '../sip/user-agent';
import type { Performance, Sound, Stage } from './call';
import type { ChoosingParts } from './choosing';
import type { Prompt } from './line-performance';
import type { AmdRequest } from './screening';
import type { TollGuard } from './toll-guard';

export interface ExchangeParts {
  readonly userAgent: SipUserAgent;
  /** Where RTP sessions live, and where WebRTC peers do. */
  readonly lines: MediaRouter;
  readonly peers: MediaRouter;
  readonly route: (facts: CallFacts) => Action;
  /** Whether whoever calls may make us call others. */
  readonly trusts: (facts: CallFacts) => boolean;
  /** Where a number, URI or softphone is called, by a trunk if one is named. Throws `call.unknown-trunk`, `sip.no-contact`. */
  readonly routeOut: (to: string, trunk: string | undefined, from?: string) => TrunkRoute;
  /** Left out: every call may be placed. */
  readonly toll?: TollGuard | undefined;
  /** That trunk is not to be called for so long; 0: it failed, and nothing more is known. */
  readonly pauseTrunk: (trunk: string, seconds: number) => void;
  /** What a caller on hold hears; undefined: a quiet line. */
  readonly music: () => Sound | undefined;
  /** Has the engine speak a text for somebody who is not the caller; rejects when it cannot. */
  readonly speak: (callId: string, text: string) => Promise<readonly Prompt[]>;
  /** The action of a persona by its name; undefined if there is none. */
  readonly agentNamed: (persona: string) => DirectAction | undefined;
  readonly ask: ChoosingParts['ask'];
  readonly perform: (action: DirectAction, stage: Stage) => Performance;
  /** The same, after it is known who answered a call of ours. */
  readonly screen: (amd: AmdRequest, action: DirectAction, stage: Stage) => Performance;
  /** Records the call, where the configuration says so. */
  readonly record: (stage: Stage) => void;
  /** `peer`: the far end's address, or host name of its URI; the trunk by which the call goes; what it is limited to. */
  readonly negotiation: (
    peer: string,
    trunk: string | undefined,
    codecs: readonly CodecName[] | undefined,
  ) => SdpSession;
  /** What a trunk is limited to, if anything. */
  readonly codecsOf: (trunk: string) => readonly CodecName[] | undefined;
  readonly publish: (event: CallEvent, record: CallRecord) => void;
  /** Why no call can be taken right now, if so. */
  readonly notReady: () => string | undefined;
  /** Told by which SIP Call-ID a call of ours goes; several, where it goes by several trunks. */
  readonly dialledAs: (callId: string, sipCallId: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventSources;
  readonly newCallId: () => string;
  /** `bindAddressFor`: a local address for media to that far end. */
  readonly rtp: {
    readonly bindAddressFor: (peer: string) => string;
    readonly ports: readonly [number, number];
    readonly timeoutMs: number;
  };
  /** Asked for each call: accounts at the ICE servers may be short-lived. */
  readonly webrtc: () => Omit<Extract<ToMedia, { type: 'open-webrtc' }>, 'type' | 'sessionId' | 'offerSdp'>;
  /** `engineCalls`: those that may speak with the engine at a time. */
  readonly limits: { readonly calls: number; readonly callSeconds: number; readonly engineCalls: number };
}

export interface DialOut {
  /** A SIP URI. */
  readonly to: string;
  /** The softphone's user on whose call it is placed. */
  readonly user?: string | undefined;
  /** Name of the trunk, with what it takes to call by it. */
  readonly trunk?: string | undefined;
  readonly proxy?: string;
  readonly places?: readonly DialPlace[];
  readonly codecs?: readonly CodecName[];
  readonly auth?: { readonly username: string; readonly password: string };
  readonly from?: string;
  /** In turn, when the trunk fails. */
  readonly alternatives?: readonly TrunkRoute[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly ringSeconds: number;
  /** Find out who answers. */
  readonly amd?: AmdRequest | undefined;
}

/** Who speaks with whom, as the record has it. */
export interface CallParties {
  readonly from: string;
  readonly to: string;
  readonly sipCallId: string | undefined;
  readonly trunk?: string | undefined;
  readonly user?: string | undefined;
  readonly identity?: CallIdentityRecord | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}
