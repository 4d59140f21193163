/** The front door put before incoming calls: who may not come in is asked for a password, or refused (RFC 3261 §22.2). */
import type { Caller, FrontDoor } from './front-door';
import type { IncomingInvite } from './user-agent';

/** Undefined: the call has been answered with 401 or 403. */
export function admit(invite: IncomingInvite, door: FrontDoor): Caller | undefined {
  const { requestUri: uri, source } = invite;
  const verdict = door.judge({ uri, source, header: (name) => invite.header(name) });
  switch (verdict.kind) {
    case 'let-in':
      return verdict.caller;
    case 'ask':
      invite.reject(401, undefined, { 'WWW-Authenticate': verdict.challenge });
      return undefined;
    case 'refuse':
      invite.reject(403);
      return undefined;
  }
}
