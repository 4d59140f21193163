/**
 * Dialling out over drachtio-srf: an INVITE, and another one where it is challenged (RFC 3261 §22), sent elsewhere
 * (§8.1.3.4) or asked for a longer session interval (RFC 4028 §7.4).
 */
import { TrunklineError } from '../core/errors';
import { parseCSeq } from './header-values';
import { redirectTargets, sameHost } from './redirect';
import {
  type SessionTimerAgreement,
  type SessionTimerSettings,
  settingsAfter422,
  timerOfAnswer,
  timerRequestHeaders,
} from './session-timer';
import { q850Cause } from './sip-reason';
import { digestHeader, rejected } from './srf-dialog-requests';
import { allowedMethods, checkOutgoing, hasBody, sdpType, supportedHeader } from './srf-headers';
import type { Srf, SrfDialog, SrfFailure, SrfRequest, SrfResponse } from './srf-types';
import { bracketed, parseSipUri, uriIdentity } from './uri';
import type { OutgoingInvite } from './user-agent';

/** Challenge, then perhaps `stale=true` with a newer nonce; at each place that the call is sent to. */
const maxChallenges = 2;
const maxRedirects = 5;
const maxLongerIntervals = 2;

export interface DialOutSurroundings {
  readonly userAgentName: string;
  readonly cnonce: () => string;
  readonly timer: SessionTimerSettings;
}

export interface DialledOut {
  readonly dialog: SrfDialog;
  readonly answerSdp: string;
  readonly timer: SessionTimerAgreement | undefined;
}

export async function dialOut(srf: Srf, call: OutgoingInvite, around: DialOutSurroundings): Promise<DialledOut> {
  if (parseSipUri(call.to) === undefined) {
    throw new TrunklineError('sip.bad-uri', 'The address to call is not a SIP URI.', {
      fix: 'Write it like sip:1000@example.com or sip:1000@192.0.2.10:5070.',
    });
  }
  const from = call.from === undefined ? '<sip:trunkline@localhost>' : fromHeader(call.from);
  const stated = {
    From: from,
    'User-Agent': around.userAgentName,
    Allow: allowedMethods,
    Supported: supportedHeader,
    'Content-Type': sdpType,
    ...call.headers,
  };
  const tried = new Set([uriIdentity(call.to)]);
  let waiting: string[] = [];
  let target = call.to;
  let timer = around.timer;
  /** What a later attempt adds: identity, the next number, credentials. */
  let again: Record<string, string> = {};
  let challenges = 0;
  let longer = 0;
  for (;;) {
    const headers = checkOutgoing({ ...stated, ...timerRequestHeaders(timer), ...again }, call.offerSdp);
    const outcome = await attemptOnce(srf, call, target, headers);
    if ('dialog' in outcome) {
      const { dialog } = outcome;
      return { dialog, answerSdp: dialog.res.body ?? '', timer: timerOfAnswer(dialog.res) };
    }
    const { response } = outcome;
    const next = sameCallAgain(response, from);
    if (response.status === 401 || response.status === 407) {
      const ours = target === call.to || sameHost(target, call.to) || call.proxy !== undefined;
      const stale = /stale="?true/i.test(response.get('www-authenticate') ?? response.get('proxy-authenticate') ?? '');
      const auth = ours && challenges < maxChallenges && (challenges === 0 || stale) ? call.auth : undefined;
      const answer = auth && digestHeader(response, auth, 'INVITE', around.cnonce());
      if (answer === undefined) throw refusal(response);
      challenges++;
      again = { ...next, ...answer };
      continue;
    }
    if (response.status === 422 && longer < maxLongerIntervals) {
      const raised = settingsAfter422(timer, response);
      if (raised === undefined) throw refusal(response);
      longer++;
      timer = raised;
      again = { ...again, ...next };
      continue;
    }
    // What the far end names first, then what an earlier redirect left over.
    const named = redirectTargets(response.status, response.get('contact'), tried);
    waiting = [...named.filter((uri) => call.mayFollow?.(uri) ?? true), ...waiting];
    const elsewhere = waiting.shift();
    // §21.6: a 6xx speaks for every place.
    if (elsewhere === undefined || tried.size > maxRedirects || response.status >= 600) throw refusal(response);
    tried.add(uriIdentity(elsewhere));
    waiting = waiting.filter((uri) => !tried.has(uriIdentity(uri)));
    target = elsewhere;
    challenges = 0;
    again = next;
  }
}

/** §22.2 and §8.1.3.4: the same Call-ID, To and From tag, the next number. */
function sameCallAgain({ req: sent }: SrfResponse, from: string): Record<string, string> {
  return {
    From: sent.get('from') ?? from,
    To: sent.get('to') ?? '',
    'Call-ID': sent.get('call-id') ?? '',
    CSeq: `${(parseCSeq(sent.get('cseq') ?? '')?.number ?? 1) + 1} INVITE`,
  };
}

type Outcome = { readonly dialog: SrfDialog } | { readonly response: SrfResponse };

async function attemptOnce(
  srf: Srf,
  call: OutgoingInvite,
  target: string,
  headers: Record<string, string>,
): Promise<Outcome> {
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
    const dialog = await srf.createUAC(target, options, {
      cbRequest: (_error, request) => {
        sent = request;
        if (request !== undefined) call.onSent?.(request.get('call-id') ?? '');
        if (signal?.aborted) cancel();
        // Behind the library's own listener, which answers any offer with our first one.
        if (request !== undefined) queueMicrotask(() => takeEarlyUpdates(request));
      },
      cbProvisional: (response) => {
        call.onTrying?.();
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
      details: { status: res?.status, because: res?.get('warning')?.match(/"([a-z.-]{1,64})"/)?.[1] },
    });
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** RFC 3311 §5.2: an UPDATE before the answer. Without an offer it is a sign of life; an offer has to wait for the call. */
function takeEarlyUpdates(request: SrfRequest): void {
  request.removeAllListeners('update');
  request.on('update', (update, response) => {
    if (hasBody(update)) response.send(491);
    else response.send(200, { headers: { Allow: allowedMethods } });
  });
}

function refusal(response: SrfResponse): TrunklineError {
  const reason = response.get('reason');
  const retryAfter = /^\s*(\d{1,9})/.exec(response.get('retry-after') ?? '')?.[1];
  return rejected(response.status, undefined, {
    phrase: response.reason,
    reason,
    q850Cause: q850Cause(reason),
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: Number(retryAfter) }),
  });
}

function cancelled(cause?: unknown): TrunklineError {
  return new TrunklineError('sip.cancelled', 'The call was given up before it was answered.', { cause });
}

/** A whole From value, a URI, or just a number. */
function fromHeader(from: string): string {
  if (from.includes('<')) return from;
  return from.includes(':') ? `<${from}>` : `<sip:${from}@${bracketed('localhost')}>`;
}
