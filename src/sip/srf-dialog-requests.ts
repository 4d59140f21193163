/** Requests that we send inside a call, with credentials where the far end asks for them (RFC 3261 §12.2.1, §22). */
import { TrunklineError } from '../core/errors';
import { type Account, authorization, parseChallenge } from './digest';
import type { SrfDialog, SrfResponse } from './srf-types';

export interface DialogRequestOptions {
  readonly dialog: SrfDialog;
  readonly credentials?: Account | undefined;
  readonly cnonce: () => string;
}

export class DialogRequests {
  constructor(private readonly options: DialogRequestOptions) {}

  /** Resolves with the final response, whatever it says; rejects with `sip.dialog-gone`. */
  async send(method: string, headers: Record<string, string>, body?: string): Promise<SrfResponse> {
    const first = await this.once(method, headers, body);
    const { credentials, cnonce } = this.options;
    if ((first.status !== 401 && first.status !== 407) || credentials === undefined) return first;
    const answer = digestHeader(first, credentials, method, cnonce());
    return answer === undefined ? first : this.once(method, { ...headers, ...answer }, body);
  }

  private once(method: string, headers: Record<string, string>, body: string | undefined): Promise<SrfResponse> {
    return new Promise((resolve, reject) => {
      this.options.dialog.request({ method, headers, body }, (error, response) => {
        if (response !== undefined && response.status >= 200) resolve(response);
        else if (error) {
          reject(
            new TrunklineError('sip.dialog-gone', 'The call is over, so nothing can be sent in it.', { cause: error }),
          );
        }
      });
    });
  }
}

export function rejected(
  status: number,
  cause?: unknown,
  details: Readonly<Record<string, unknown>> = {},
): TrunklineError {
  return new TrunklineError('sip.rejected', `The far end refused with status ${status}.`, {
    details: { status, ...details },
    cause,
  });
}

/** The header that answers a challenge, or undefined if it is of a kind we cannot answer. */
export function digestHeader(
  response: SrfResponse,
  credentials: Account,
  method: string,
  cnonce: string,
): Record<string, string> | undefined {
  const proxy = response.status === 407;
  const challenge = parseChallenge(response.get(proxy ? 'proxy-authenticate' : 'www-authenticate') ?? '');
  if (challenge === undefined) return undefined;
  const value = authorization(challenge, credentials, { method, uri: response.req.uri }, cnonce);
  return { [proxy ? 'Proxy-Authorization' : 'Authorization']: value };
}
