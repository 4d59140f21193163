/** Dialling out over drachtio-srf: one INVITE, a second one with credentials if it is challenged (RFC 3261 §13.2, §22). */
import { TrunklineError } from '../core/errors';
import { parseCSeq } from './header-values';
import { q850Cause } from './sip-reason';
import { digestHeader, rejected } from './srf-dialog';
import { allowedMethods, checkOutgoing, sdpType } from './srf-headers';
import type { Srf, SrfDialog, SrfFailure, SrfRequest, SrfResponse } from './srf-types';
import { bracketed, parseSipUri } from './uri';
import type { OutgoingInvite } from './user-agent';

/** Challenge, then perhaps `stale=true` with a newer nonce. */
const maxAttempts = 3;

export async function dialOut(
  srf: Srf,
  call: OutgoingInvite,
  userAgentName: string,
  cnonce: () => string,
): Promise<{ readonly dialog: SrfDialog; readonly answerSdp: string }> {
  if (parseSipUri(call.to) === undefined) {
    throw new TrunklineError('sip.bad-uri', 'The address to call is not a SIP URI.', {
      fix: 'Write it like sip:1000@example.com or sip:1000@192.0.2.10:5070.',
    });
  }
  const from = call.from === undefined ? '<sip:trunkline@localhost>' : fromHeader(call.from);
  let headers: Record<string, string> = checkOutgoing(
    { From: from, 'User-Agent': userAgentName, Allow: allowedMethods, 'Content-Type': sdpType, ...call.headers },
    call.offerSdp,
  );
  for (let attempt = 1; ; attempt++) {
    const outcome = await attemptOnce(srf, call, headers);
    if ('dialog' in outcome) return { dialog: outcome.dialog, answerSdp: outcome.dialog.res.body ?? '' };
    const { response } = outcome;
    const challenged = response.status === 401 || response.status === 407;
    if (!challenged || call.auth === undefined || attempt === maxAttempts) throw refusal(response);
    if (
      attempt > 1 &&
      !/stale="?true/i.test(response.get('www-authenticate') ?? response.get('proxy-authenticate') ?? '')
    ) {
      throw refusal(response);
    }
    const answer = digestHeader(response, call.auth, 'INVITE', cnonce());
    if (answer === undefined) throw refusal(response);
    const sent = response.req;
    const number = parseCSeq(sent.get('cseq') ?? '')?.number ?? attempt;
    headers = {
      ...headers,
      ...answer,
      // §22.2: the same Call-ID and From tag, the next number.
      From: sent.get('from') ?? from,
      'Call-ID': sent.get('call-id') ?? '',
      CSeq: `${number + 1} INVITE`,
    };
  }
}

type Outcome = { readonly dialog: SrfDialog } | { readonly response: SrfResponse };

async function attemptOnce(srf: Srf, call: OutgoingInvite, headers: Record<string, string>): Promise<Outcome> {
  const { signal } = call;
  if (signal?.aborted) throw cancelled();
  let sent: SrfRequest | undefined;
  const cancel = (): void => {
    sent?.cancel(() => {});
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const options = {
      localSdp: call.offerSdp,
      headers: { ...headers },
      ...(call.proxy === undefined ? {} : { proxy: call.proxy }),
    };
    const dialog = await srf.createUAC(call.to, options, {
      cbRequest: (_error, request) => {
        sent = request;
        if (signal?.aborted) cancel();
      },
      cbProvisional: (response) => {
        const sdp = response.body === undefined || response.body.trim() === '' ? undefined : response.body;
        if (response.status > 100) call.onProvisional?.(response.status, sdp);
      },
    });
    if (!signal?.aborted) return { dialog };
    // §9.1: the answer was faster than the CANCEL.
    dialog.request({ method: 'BYE' }, () => {});
    throw cancelled();
  } catch (error) {
    if (error instanceof TrunklineError) throw error;
    if (signal?.aborted) throw cancelled(error);
    const { res } = error as SrfFailure;
    if (res !== undefined && res.source_address !== '') return { response: res };
    throw new TrunklineError('sip.unreachable', 'The far end could not be reached.', {
      fix: 'Check the address, the port and the network between; a firewall may drop the packets.',
      cause: error,
      details: { status: res?.status },
    });
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function refusal(response: SrfResponse): TrunklineError {
  const reason = response.get('reason');
  return rejected(response.status, undefined, { phrase: response.reason, reason, q850Cause: q850Cause(reason) });
}

function cancelled(cause?: unknown): TrunklineError {
  return new TrunklineError('sip.cancelled', 'The call was given up before it was answered.', { cause });
}

/** A whole From value, a URI, or just a number. */
function fromHeader(from: string): string {
  if (from.includes('<')) return from;
  return from.includes(':') ? `<${from}>` : `<sip:${from}@${bracketed('localhost')}>`;
}
