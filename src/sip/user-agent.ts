/**
 * The SIP side as the rest of the program sees it: our own types over drachtio-srf, whose defects stay behind this
 * file. Implemented by srf-user-agent.ts; the same code path serves a real drachtio-server and the embedded endpoint.
 */
import type { DialogName } from './replaces';

export interface SipParty {
  /** User part of the URI, '' if there is none. */
  readonly user: string;
  readonly uri: string;
  readonly displayName: string | undefined;
}

export interface SipSource {
  readonly transport: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
  readonly address: string;
  readonly port: number;
}

/** Why a dialog or an attempt ended: SIP status if there was one, Q.850 cause of a Reason header if it was sent. */
export interface SipEnd {
  readonly by: 'remote' | 'local' | 'timeout';
  readonly status: number | undefined;
  readonly reason: string | undefined;
  /** 1 to 127; 16 is normal clearing, 17 busy (RFC 3326, ITU-T Q.850). */
  readonly q850Cause?: number;
}

/** A request of ours to the far end to call somebody else (RFC 3515). */
export interface ReferOptions {
  /** A SIP URI. */
  readonly target: string;
  /** The call at the target that is to be taken over (RFC 3891): attended transfer. */
  readonly replaces?: string | undefined;
  readonly referredBy?: string | undefined;
  /** False: nobody needs to tell us what became of it (RFC 4488). */
  readonly wantOutcome?: boolean;
  /** For the outcome; a minute and a half if left out. */
  readonly withinMs?: number;
  readonly onProgress?: (status: number) => void;
}

export type ReferOutcome =
  /** Their new call was answered. */
  | { readonly kind: 'completed'; readonly status: number }
  /** It was not. */
  | { readonly kind: 'failed'; readonly status: number }
  /** They would not try. */
  | { readonly kind: 'refused'; readonly status: number }
  /** They try, or have tried; more is not known: nothing came in time, nothing will come, or they hung up on us first. */
  | { readonly kind: 'unknown'; readonly because: 'no-notify' | 'not-subscribed' | 'ended' };

/** A request of theirs that we call somebody else. It must be accepted or rejected. */
export interface Referral {
  readonly target: string;
  readonly replaces: string | undefined;
  readonly referredBy: string | undefined;
  reject(status: number): void;
  /** 202; what is returned tells them how the new call fares, last with a final status. */
  accept(): (status: number, phrase: string) => Promise<void>;
}

export interface IncomingInvite {
  readonly sipCallId: string;
  readonly from: SipParty;
  readonly to: SipParty;
  /** User part of the request URI: the number that was called. */
  readonly calledNumber: string;
  readonly requestUri: string;
  readonly source: SipSource;
  /** Undefined: a late offer; then `accept` carries our offer and `dialog.onAnswer` brings theirs. */
  readonly offerSdp: string | undefined;
  /** First value of a header, by case-insensitive name. */
  header(name: string): string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  ring(status?: 180 | 183, sdp?: string): void;
  /** Sends 200 with `sdp`; resolves when it has been sent. Rejects with `sip.cancelled` if the caller was faster. */
  accept(sdp: string, headers?: Readonly<Record<string, string>>): Promise<SipDialog>;
  reject(status: number, reason?: string, headers?: Readonly<Record<string, string>>): void;
  /** CANCEL, or the transaction died, before a final response. */
  onCancelled(run: () => void): void;
}

export interface SipDialog {
  readonly sipCallId: string;
  /** What names this dialog to third parties (RFC 3891). */
  readonly name: DialogName;
  onReferral(run: (referral: Referral) => void): void;
  /** REFER; resolves with what became of it, and never rejects. */
  refer(options: ReferOptions): Promise<ReferOutcome>;
  /** The far end confirmed our 200; carries its SDP when we had made the offer. */
  onAck(run: (answerSdp: string | undefined) => void): void;
  /** A re-INVITE or UPDATE: return the answer, or a status to reject it with. `offerSdp` undefined: make an offer. */
  onReinvite(run: (offerSdp: string | undefined) => Promise<string | { readonly status: number }>): void;
  onInfo(run: (contentType: string, body: string) => void): void;
  onEnd(run: (end: SipEnd) => void): void;
  /** re-INVITE from our side; resolves with the answer, rejects with `sip.rejected` (details.status). */
  modify(sdp: string): Promise<string>;
  /** BYE; idempotent; resolves when answered or given up on. */
  bye(headers?: Readonly<Record<string, string>>): Promise<void>;
}

/** The URI that is called, and where its INVITE is sent if that is another place. */
export interface DialPlace {
  readonly to: string;
  readonly proxy?: string | undefined;
}

export interface OutgoingInvite {
  readonly to: string;
  readonly from?: string;
  readonly offerSdp: string;
  readonly proxy?: string;
  /** Instead of `to` and `proxy`: places to ring at once. */
  readonly places?: readonly DialPlace[] | undefined;
  readonly auth?: { readonly username: string; readonly password: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a redirect may lead there; anywhere if left out. */
  readonly mayFollow?: (uri: string) => boolean;
  /** Called with the Call-ID of each INVITE that leaves for it. */
  readonly onSent?: (sipCallId: string) => void;
  /** Called for every 1xx, 100 included: somebody is there. */
  readonly onTrying?: () => void;
  /** Called for 1xx with their SDP if there is one. */
  readonly onProvisional?: (status: number, sdp: string | undefined) => void;
  /** Aborting sends CANCEL (or BYE if the answer was faster). */
  readonly signal?: AbortSignal;
}

export interface SipUserAgent {
  /** Addresses that are listened on, after `start`. */
  readonly local: readonly SipSource[];
  start(): Promise<void>;
  onInvite(run: (invite: IncomingInvite) => void): void;
  /** Resolves with the dialog and the answer; rejects with `sip.rejected` (details.status) or `sip.unreachable`. */
  invite(call: OutgoingInvite): Promise<{ readonly dialog: SipDialog; readonly answerSdp: string }>;
  /** Which of our addresses that peer can reach: for the c= line of SDP. */
  localAddressFor(peerAddress: string): string;
  /** New INVITEs get 503 with Retry-After from now on; OPTIONS too. */
  drain(retryAfterSeconds: number): void;
  stop(): Promise<void>;
  /** Counters and live objects, for metrics and for a look inside. */
  dump(): Readonly<Record<string, unknown>>;
}
