/** What keeps a call from being: addresses that cannot be called, no room, no route; and what is told of one that is. */

import { CallEventSequence } from '../core/call-event';
import type { CallRecord } from '../core/call-record';
import { TrunklineError } from '../core/errors';
import { parseSipUri } from '../sip/uri';
import type { DialOut, ExchangeParts } from './exchange-parts';

export const RETRY_AFTER_SECONDS = 30;
const TOLD_HEADER = /^(x-|diversion$|p-asserted-identity$|user-agent$|accept-language$)/i;

/** Before the call exists: whoever asks for it learns at once that it cannot be. */
export function checkAddresses({ to, from = '' }: { readonly to: string; readonly from?: string | undefined }): void {
  if (parseSipUri(to) === undefined)
    throw badAddress('to', 'Write it like sip:1000@example.com or sip:1000@192.0.2.10:5070.');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they would end the header line.
  if (/[\u0000-\u001f\u007f]/.test(from)) throw badAddress('from', 'Give a number, a SIP URI, or "Name" <URI>.');
}

function badAddress(which: string, fix: string): TrunklineError {
  return new TrunklineError('sip.bad-uri', `The address in \`${which}\` cannot be called by SIP.`, { fix });
}

/** Of `sip:user@host:port;params`, or what stands for it. */
export function hostOf(uri: string): string {
  return /^(?:sips?:)?(?:[^@]*@)?(\[[^\]]*\]|[^:;>?]*)/i.exec(uri)?.[1] ?? '';
}

export function toldHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => TOLD_HEADER.test(name)));
}

/** When to ask again, while a call that speaks with the agent would be refused whoever made it. */
export function secondsUntilRoom(
  { live, places }: { readonly live: number; readonly places: { readonly full: boolean } },
  mostCalls: number,
  notReady: string | undefined,
): number | undefined {
  const full = notReady !== undefined || live >= mostCalls || places.full;
  return full ? RETRY_AFTER_SECONDS : undefined;
}

export function busy(code: 'call.draining' | 'call.refused', why: string): TrunklineError {
  return new TrunklineError(code, `No call can be taken or placed: ${why}.`, {
    fix: 'Try again later.',
    details: { httpStatus: 503, retryAfterSeconds: RETRY_AFTER_SECONDS },
  });
}

export function refused(status: number, sentence: string): TrunklineError {
  return new TrunklineError('call.refused', sentence, {
    fix: status === 404 ? 'Add a route for that number, or call another.' : 'Try again later.',
    details: { httpStatus: status },
  });
}

/** Whoever was rung for a call that is under way did not answer, or did not want it: who hangs up on a briefing declines. */
export function notReached({ cause: ended = 'no-answer', sipStatus }: CallRecord): TrunklineError {
  const cause = ended === 'caller-hangup' ? 'rejected' : ended;
  return new TrunklineError('call.not-reached', 'Whoever was rung for the call did not answer.', {
    fix: 'Try again later, or name somebody else with otherwise.',
    details: { cause, status: sipStatus },
  });
}

/** An order that was refused because of what it could cost is told as a call that ended at once: whoever watches sees it. */
export function tellRefused(
  { to, from = '', trunk, metadata }: DialOut,
  because: TrunklineError,
  { newCallId, events, publish }: Pick<ExchangeParts, 'newCallId' | 'events' | 'publish'>,
): void {
  const id = newCallId();
  const parties = { direction: 'outbound', transport: 'sip', from, to, trunk } as const;
  const sequence = new CallEventSequence(id, events);
  const record: CallRecord = {
    id,
    ...parties,
    state: 'ended',
    startedAt: events.now().toISOString(),
    cause: 'rejected',
  };
  const { code, message, fix } = because;
  publish(sequence.next('call.started', { ...parties, metadata: metadata && { ...metadata } }), record);
  publish(sequence.next('error', { code, message, fix }), record);
  publish(sequence.next('call.ended', { cause: 'rejected', durationMs: 0 }), record);
}
