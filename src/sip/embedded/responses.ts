/** What responses copy from their request, and responses of the endpoint's own making (RFC 3261 §8.2.6). */
import { formatNameAddr, parseNameAddr } from '../header-values';
import { noBody, reasonPhrase, SipHeaders, type SipRequest, type SipResponse } from './message';

/** §8.2.6.2: what every response copies; the To tag is added unless it is a 100 or was there already. */
export function responseHeaders(request: SipRequest, toTag: string): SipHeaders {
  const headers = new SipHeaders();
  for (const via of request.headers.all('via')) headers.add('via', via);
  headers.add('from', request.headers.get('from') ?? '');
  const to = request.headers.get('to') ?? '';
  const parsed = parseNameAddr(to);
  const tagged = parsed === undefined || parsed.params.has('tag') || toTag === '';
  headers.add('to', tagged ? to : formatNameAddr({ ...parsed, params: new Map([...parsed.params, ['tag', toTag]]) }));
  headers.add('call-id', request.headers.get('call-id') ?? '');
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
