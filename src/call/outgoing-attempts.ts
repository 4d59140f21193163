/** One call of ours by its trunk, and by the trunk's fallbacks when it fails (RFC 3263 §4.3). */
import type { SocketAddress } from '../media/protocol';
import type { CodecName } from '../sip/offer-answer';
import type { TrunkRoute } from '../sip/trunk-route';
import type { Call } from './call';
import type { DialOut, ExchangeParts } from './exchange-parts';
import { hostOf } from './refusals';
import type { SipLeg, SipLegParts } from './sip-leg';
import { placeByTrunks } from './trunk-failover';

export interface OutgoingAttemptsParts
  extends Pick<ExchangeParts, 'userAgent' | 'clock' | 'pauseTrunk' | 'log' | 'toll' | 'dialledAs'> {
  readonly openRtp: (call: Call, peer: string) => Promise<SocketAddress>;
  readonly legParts: (
    call: Call,
    local: SocketAddress,
    peer: string,
    codecs: readonly CodecName[] | undefined,
    trunk: string | undefined,
  ) => SipLegParts;
}

/** Resolves when it is answered; rejects as the last attempt did. */
export async function attemptByTrunks(
  call: Call,
  leg: SipLeg,
  request: DialOut,
  signal: AbortSignal,
  { userAgent, clock, pauseTrunk, log, toll, dialledAs, openRtp, legParts }: OutgoingAttemptsParts,
): Promise<void> {
  let local: SocketAddress | undefined;
  await placeByTrunks<DialOut | TrunkRoute>([request, ...(request.alternatives ?? [])], {
    clock,
    signal,
    attempt: async ({ to, from, proxy, auth, places, codecs, trunk }, attempt) => {
      const peer = hostOf(places?.[0]?.proxy ?? to);
      local ??= await openRtp(call, peer);
      if (trunk !== undefined) call.goesBy(trunk);
      await leg.place(
        userAgent,
        {
          ...{ to, from, proxy, auth, places, headers: request.headers, signal: attempt.signal },
          mayFollow: (uri) => toll?.isOpen(uri, trunk) ?? true,
          onTrying: attempt.heard,
          onSent: (sipCallId) => dialledAs(call.id, sipCallId),
          onProvisional: () => {
            attempt.rings();
            call.ringing();
          },
        },
        legParts(call, local, peer, codecs, trunk ?? call.snapshot.trunk),
      );
    },
    failed: ({ trunk }, { status, pauseSeconds }, next) => {
      if (trunk === undefined) return;
      pauseTrunk(trunk, pauseSeconds);
      if (next === undefined) return;
      const why = status === 0 ? 'was not reached' : `answered ${status}`;
      const message = `The trunk ${trunk} ${why}; the call goes by ${next.trunk}.`;
      log.warn('a call goes by another trunk', { callId: call.id, trunk, status, next: next.trunk });
      call.tell('error', { code: 'sip.trunk-failed', message });
    },
  });
}
