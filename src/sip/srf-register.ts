/** REGISTER over drachtio-srf, both ways: ours to a trunk, and a softphone's to our registrar (RFC 3261 §10); and our OPTIONS. */
import { TrunklineError } from '../core/errors';
import type { RegisterAnswer, RegisterRequest } from './registrar';
import type { RegisterOutcome, SentRegister } from './registration';
import { checkOutgoing } from './srf-headers';
import { transportOf } from './srf-incoming-invite';
import type { Srf, SrfRequest, SrfResponse } from './srf-types';

/** Resolves with any final answer of the network; rejects with `sip.unreachable` when there was none. */
export function sendRegister(srf: Srf, register: SentRegister, userAgentName: string): Promise<RegisterOutcome> {
  return sendToTrunk(srf, 'REGISTER', register, userAgentName);
}

/** The same for OPTIONS, by which a trunk is asked whether it is there (§11). */
export function sendOptions(srf: Srf, options: SentRegister, userAgentName: string): Promise<RegisterOutcome> {
  return sendToTrunk(srf, 'OPTIONS', options, userAgentName);
}

function sendToTrunk(
  srf: Srf,
  method: 'REGISTER' | 'OPTIONS',
  { uri, proxy, headers: given }: SentRegister,
  userAgentName: string,
): Promise<RegisterOutcome> {
  const headers = checkOutgoing({ ...given, 'User-Agent': userAgentName }, '');
  return new Promise((resolve, reject) => {
    const unreachable = (cause?: unknown, because?: string): void =>
      reject(
        new TrunklineError('sip.unreachable', 'The trunk could not be reached.', {
          fix: 'Check registrar or proxy of the trunk, and the network between.',
          cause,
          details: { because },
        }),
      );
    srf.request(uri, { method, headers, proxy }, (error, request) => {
      if (request === undefined) {
        unreachable(error);
        return;
      }
      request.on('response', (response) => {
        if (response.status < 200) return;
        if (response.source_address === '') {
          unreachable(undefined, response.get('warning'));
          return;
        }
        resolve({
          status: response.status,
          address: response.source_address,
          sent: (name) => request.get(name),
          header: (name) => response.get(name),
        });
      });
    });
  });
}

export function answerRegister(
  request: SrfRequest,
  response: SrfResponse,
  answer: (register: RegisterRequest) => RegisterAnswer,
): void {
  const { status, headers } = answer({
    uri: request.uri,
    source: {
      transport: transportOf(request.protocol),
      address: request.source_address,
      port: request.source_port,
    },
    header: (name) => request.get(name),
  });
  response.send(status, { headers: { ...headers } });
}
