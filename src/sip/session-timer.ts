/**
 * Session timers: how long a call may go without a sign of life, and who gives it (RFC 4028). Rules only, without a clock;
 * session-refresher.ts runs them.
 */
import { listsToken, parseParams } from './header-values';

export interface SessionTimerSettings {
  /** What we ask for and accept at most. */
  readonly expiresSeconds: number;
  /** Less than this is refused with 422; the RFC allows nothing below 90. */
  readonly minSeconds: number;
}

export const defaultSessionTimer: SessionTimerSettings = { expiresSeconds: 1800, minSeconds: 90 };

/** Who refreshes, from the point of view of one request: its client or its server. */
export type Refresher = 'uac' | 'uas';

export interface SessionExpires {
  readonly seconds: number;
  readonly refresher: Refresher | undefined;
}

/** What was agreed on, from our point of view. */
export interface SessionTimerAgreement {
  readonly seconds: number;
  readonly weRefresh: boolean;
}

/** Headers of a request that the timer lives on. */
export interface TimerHeaders {
  get(name: string): string | undefined;
}

export type TimerAnswer =
  | { readonly kind: 'too-small'; readonly headers: Readonly<Record<string, string>> }
  | {
      readonly kind: 'accepted';
      /** For the 2xx; empty when there is no timer. */
      readonly headers: Readonly<Record<string, string>>;
      readonly agreed: SessionTimerAgreement | undefined;
    };

/** A day; beyond it a timer protects nothing. */
const longestSeconds = 86_400;

/** §4; undefined if absent or unreadable, which is the same to us: no timer. */
export function parseSessionExpires(value: string | undefined): SessionExpires | undefined {
  const text = (value ?? '').trim();
  const semicolon = text.indexOf(';');
  const digits = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
  if (!/^[0-9]{1,9}$/.test(digits) || Number(digits) === 0) return undefined;
  const params = semicolon < 0 ? undefined : parseParams(text.slice(semicolon));
  const refresher = params?.get('refresher')?.toLowerCase();
  return {
    seconds: Math.min(Number(digits), longestSeconds),
    refresher: refresher === 'uac' || refresher === 'uas' ? refresher : undefined,
  };
}

export function formatSessionExpires({ seconds, refresher }: SessionExpires): string {
  return refresher === undefined ? String(seconds) : `${seconds};refresher=${refresher}`;
}

/** What a request of ours says (§7.1, §7.4): `agreed` undefined for a first INVITE. */
export function timerRequestHeaders(
  settings: SessionTimerSettings,
  agreed?: SessionTimerAgreement,
): Record<string, string> {
  const refresher: Refresher | undefined = agreed && (agreed.weRefresh ? 'uac' : 'uas');
  const seconds = Math.max(agreed?.seconds ?? settings.expiresSeconds, settings.minSeconds);
  return { 'Session-Expires': formatSessionExpires({ seconds, refresher }), 'Min-SE': String(settings.minSeconds) };
}

/** What a 2xx to a request of ours agrees on (§7.2); undefined: the far end keeps no timer, so we do neither. */
export function timerOfAnswer(response: TimerHeaders): SessionTimerAgreement | undefined {
  const expires = parseSessionExpires(response.get('session-expires'));
  // §7.2: the refresher must be named; who leaves it out expects the client to do it.
  return expires && { seconds: expires.seconds, weRefresh: expires.refresher !== 'uas' };
}

/** Settings for another try after 422 (§7.4); undefined: the far end gave no Min-SE, or no higher one. */
export function settingsAfter422(
  settings: SessionTimerSettings,
  response: TimerHeaders,
): SessionTimerSettings | undefined {
  const min = parseSessionExpires(response.get('min-se'))?.seconds;
  if (min === undefined || (min <= settings.expiresSeconds && min <= settings.minSeconds)) return undefined;
  return { expiresSeconds: Math.max(settings.expiresSeconds, min), minSeconds: Math.max(settings.minSeconds, min) };
}

/**
 * What we answer to a request of theirs (§9, table 2). A caller that keeps timers and asks for none gets ours, and we
 * refresh; one that does not know them is left alone unless it asked.
 */
export function answerSessionTimer(
  settings: SessionTimerSettings,
  request: TimerHeaders,
  running?: SessionTimerAgreement,
): TimerAnswer {
  const theySupport = listsToken(request.get('supported'), 'timer');
  const wanted = parseSessionExpires(request.get('session-expires'));
  if (wanted !== undefined && wanted.seconds < settings.minSeconds && theySupport) {
    return { kind: 'too-small', headers: { 'Min-SE': String(settings.minSeconds) } };
  }
  if (wanted === undefined && !theySupport) return { kind: 'accepted', headers: {}, agreed: undefined };
  const floor = Math.max(settings.minSeconds, parseSessionExpires(request.get('min-se'))?.seconds ?? 0);
  const ceiling = wanted?.seconds ?? running?.seconds ?? settings.expiresSeconds;
  // §9: it may be shortened, but not below what the request allows, and never lengthened.
  const seconds = Math.min(ceiling, Math.max(settings.expiresSeconds, floor));
  const refresher: Refresher = !theySupport ? 'uas' : (wanted?.refresher ?? (wanted === undefined ? 'uas' : 'uac'));
  return {
    kind: 'accepted',
    headers: {
      'Session-Expires': formatSessionExpires({ seconds, refresher }),
      ...(refresher === 'uac' ? { Require: 'timer' } : {}),
    },
    agreed: { seconds, weRefresh: refresher === 'uas' },
  };
}

/** §10: who refreshes does it halfway. */
export function refreshAfterMs({ seconds }: SessionTimerAgreement): number {
  return (seconds * 1000) / 2;
}

/** §10: nobody refreshed; the BYE goes a little before the far end would give up. */
export function expiresAfterMs({ seconds }: SessionTimerAgreement): number {
  return Math.round((seconds - Math.min(32, seconds / 3)) * 1000);
}
