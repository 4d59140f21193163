/** What responses copy from their request, and responses of the endpoint's own making (RFC 3261 §8.2.6). */
import { formatNameAddr, parseNameAddr } from '../header-values';
import { noBody, reasonPhrase, SipHeaders, type SipRequest, type SipResponse } from './message';

/** §8.2.6.2: what every response copies; the To tag is added unless it is a 100 or was there already. */
export function responseHeaders(request: SipRequest, toTag: string): SipHeaders {
  const headers = new SipHeaders();
  for (const via of request.headers.all('via')) headers.add('via', via);
  const from = request.headers.get('from');
  if (from !== undefined) headers.add('from', from);
  const to = request.headers.get('to');
  const parsed = parseNameAddr(to ?? '');
  const tagged = parsed === undefined || parsed.params.has('tag') || toTag === '';
  if (!tagged) headers.add('to', formatNameAddr({ ...parsed, params: new Map([...parsed.params, ['tag', toTag]]) }));
  else if (to !== undefined) headers.add('to', to);
  const callId = request.headers.get('call-id');
  if (callId !== undefined) headers.add('call-id', callId);
  headers.add('cseq', request.headers.get('cseq') ?? '');
  return headers;
}

/** A response of the endpoint's own making. */
export function bare(request: SipRequest, status: number, toTag: string): SipResponse {
  const headers = responseHeaders(request, toTag);
  return { kind: 'response', status, reason: reasonPhrase(status), headers, body: noBody };
}

export function tagOf(value: string | undefined): string {
  return parseNameAddr(value ?? '')?.params.get('tag') ?? '';
}
