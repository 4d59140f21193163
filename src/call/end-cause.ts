/** Why a call ended, as the record says it: from what SIP told, or from the error that kept it from being set up. */
import { type CallEndCause, callEndCauseSchema } from '../core/call-record';
import { hasCode, TrunklineError } from '../core/errors';
import type { SipEnd } from '../sip/user-agent';
import { isTollRefusal } from './toll-guard';

export function causeOf(end: SipEnd): CallEndCause {
  if (end.by === 'timeout') return 'unreachable';
  return end.by === 'remote' ? 'caller-hangup' : 'hangup-requested';
}

/** Of an error while a call was set up: what the record says, and the SIP status if there was one. */
export function failureOf(error: unknown): { readonly cause: CallEndCause; readonly status?: number } {
  if (hasCode(error, 'call.not-reached')) {
    const { cause, status } = error.details;
    const known = callEndCauseSchema.safeParse(cause);
    return { cause: known.data ?? 'no-answer', ...(typeof status === 'number' ? { status } : {}) };
  }
  if (hasCode(error, 'sip.cancelled')) return { cause: 'cancelled', status: 487 };
  if (hasCode(error, 'sip.rejected')) {
    const status = Number(error.details['status']);
    if (status === 486 || status === 600) return { cause: 'busy', status };
    if (status === 408 || status === 480 || status === 487) return { cause: 'no-answer', status };
    return { cause: 'rejected', status };
  }
  if (isTollRefusal(error)) return { cause: 'rejected', status: 403 };
  if (hasCode(error, 'call.refused') || hasCode(error, 'call.not-allowed')) return { cause: 'rejected', status: 403 };
  if (hasCode(error, 'sip.unreachable')) return { cause: 'unreachable' };
  if (hasCode(error, 'sdp.malformed')) return { cause: 'media-failed', status: 400 };
  if (error instanceof TrunklineError && error.code.startsWith('sdp.')) return { cause: 'media-failed', status: 488 };
  if (error instanceof TrunklineError && (error.code.startsWith('rtp.') || error.code.startsWith('media.'))) {
    return { cause: 'media-failed' };
  }
  return { cause: 'internal' };
}

/** Q.850 causes of what ends a call from our side; everything else is normal clearing. */
const Q850: Readonly<Partial<Record<CallEndCause, number>>> = {
  'media-timeout': 102,
  'media-failed': 47,
  'engine-failed': 41,
  internal: 41,
  shutdown: 31,
};

/** The Reason of our BYE (RFC 3326): a trace tells why without our log. */
export function reasonOf(cause: CallEndCause): string {
  return `Q.850;cause=${Q850[cause] ?? 16};text="${cause}"`;
}
