/**
 * WHIP (RFC 9725) made two-way: a browser posts its offer to a number and gets the answer of a call, adds candidates by
 * PATCH, hangs up by DELETE. What a call is, who may place one and where it goes is handed in.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import express, { type Request, Router } from 'express';

import { TrunklineError } from '../core/errors';
import type { IceServer } from '../webrtc/ice-servers';
import { checkOffer, MAX_OFFER_BYTES } from '../webrtc/offer';
import { MAX_FRAGMENT_BYTES, readTrickleFragment } from '../webrtc/trickle-fragment';

export interface WhipCaller {
  readonly address: string;
  /** Of the browser or encoder, at most 200 characters. */
  readonly userAgent: string | undefined;
}

export interface WhipOptions {
  /** True when the request carries a bearer or call token that may place calls, or comes from where none is needed. */
  authorise(request: Request): boolean | Promise<boolean>;
  /** Rejects with a TrunklineError whose `details.httpStatus`, if there is one, becomes the answer's status. */
  placeCall(number: string, offerSdp: string, caller: WhipCaller): Promise<{ id: string; answerSdp: string }>;
  patch(id: string, fragment: string): void | Promise<void>;
  /** ICE anew on the live call: our fragment; undefined: it cannot be now. Without this, restarts are declined. */
  restart?(id: string, fragment: string): Promise<string | undefined>;
  hangup(id: string): void | Promise<void>;
  /** Told to the caller by Link headers (RFC 9725 §4.6); asked anew for each call, because accounts may be short-lived. */
  iceServers?(): readonly IceServer[];
}

interface WhipSession {
  /** Names the ICE session; a restart begins another (RFC 9725 §4.3.3). */
  etag: string;
  usernameFragment: string;
  /** The credential that placed the call: it may go on after a one-minute token has run out. */
  readonly credential: Buffer;
}

/** The oldest session is forgotten first; its call goes on, but PATCH and DELETE no longer find it. */
const MAX_SESSIONS = 4096;
const SDP = 'application/sdp';
const FRAGMENT = 'application/trickle-ice-sdpfrag';
const NUMBER = /^[A-Za-z0-9*#+._-]{1,64}$/;

/** Mount at `/whip`. Errors go on to the app, which answers with a problem document. */
export function whipRouter(options: WhipOptions): Router {
  const router = Router({ caseSensitive: true });
  const sessions = new Map<string, WhipSession>();

  router.post('/:number', readText(SDP, MAX_OFFER_BYTES), async (request, response) => {
    if (!(await options.authorise(request))) throw unauthorised();
    const number = request.params['number'];
    if (typeof number !== 'string' || !NUMBER.test(number)) {
      throw new TrunklineError('whip.bad-number', 'That is not a number that can be called.', {
        fix: 'Use letters, digits and * # + . _ - only.',
      });
    }
    const offerSdp = bodyText(request, SDP);
    // Checked here as well as where it is answered: a bad offer must not become a call.
    const { usernameFragment } = checkOffer(offerSdp);
    const { id, answerSdp } = await options.placeCall(number, offerSdp, callerOf(request));
    const session = {
      etag: newEtag(),
      usernameFragment,
      credential: credentialOf(request),
    };
    sessions.set(id, session);
    for (const oldest of sessions.keys()) {
      if (sessions.size <= MAX_SESSIONS) break;
      sessions.delete(oldest);
    }
    response
      .status(201)
      .location(`${request.baseUrl}/${encodeURIComponent(number)}/${encodeURIComponent(id)}`)
      .set('ETag', session.etag)
      .set('Accept-Patch', FRAGMENT)
      .set('Cache-Control', 'no-store');
    for (const link of iceServerLinks(options.iceServers?.() ?? [])) response.append('Link', link);
    response.type(SDP).send(answerSdp);
  });

  router.patch('/:number/:id', readText(FRAGMENT, MAX_FRAGMENT_BYTES), async (request, response) => {
    const { id, session } = await find(request);
    const ifMatch = request.get('If-Match');
    if (ifMatch === undefined) {
      throw new TrunklineError('whip.precondition-required', 'A PATCH needs the ETag of its ICE session.', {
        fix: 'Send the ETag of the 201 answer as If-Match.',
      });
    }
    const fragment = bodyText(request, FRAGMENT);
    const { usernameFragment } = readTrickleFragment(fragment);
    if (ifMatch === '*' || (usernameFragment !== undefined && usernameFragment !== session.usernameFragment)) {
      // Only `*` says that the sender means to begin anew, rather than that it speaks of an ICE session of the past.
      const answer = ifMatch === '*' ? await options.restart?.(id, fragment) : undefined;
      if (answer === undefined || usernameFragment === undefined) {
        throw new TrunklineError('whip.ice-restart-declined', 'ICE cannot be restarted on this call now.', {
          fix: 'Send If-Match: * with a new ice-ufrag and ice-pwd, once the call is connected.',
        });
      }
      session.usernameFragment = usernameFragment;
      session.etag = newEtag();
      response.status(200).set('ETag', session.etag).set('Cache-Control', 'no-store').type(FRAGMENT).send(answer);
      return;
    }
    if (ifMatch !== session.etag) {
      throw new TrunklineError('whip.other-ice-session', 'The If-Match does not name the ICE session of this call.', {
        fix: 'Send the ETag of the 201 answer as If-Match.',
      });
    }
    await options.patch(id, fragment);
    response.status(204).end();
  });

  router.delete('/:number/:id', async (request, response) => {
    const { id } = await find(request);
    sessions.delete(id);
    await options.hangup(id);
    response.status(200).end();
  });

  // RFC 9725 §4.2: what an endpoint accepts is told to OPTIONS; other methods are refused by name.
  router.options('/:number', async (request, response) => {
    response.set('Accept-Post', SDP).set('Allow', 'POST, OPTIONS');
    // Before its offer, so that it can gather relayed candidates of its own; whoever may not call gets no account.
    if (request.get('Authorization') !== undefined && (await options.authorise(request))) {
      for (const link of iceServerLinks(options.iceServers?.() ?? [])) response.append('Link', link);
    }
    response.status(204).end();
  });
  router.options('/:number/:id', (_request, response) => {
    response.set('Accept-Patch', FRAGMENT).set('Allow', 'PATCH, DELETE, OPTIONS').status(204).end();
  });
  router.all('/:number', () => refuseMethod('POST, OPTIONS'));
  router.all('/:number/:id', () => refuseMethod('PATCH, DELETE, OPTIONS'));

  return router;

  async function find(request: Request): Promise<{ id: string; session: WhipSession }> {
    const { id } = request.params;
    const session = typeof id === 'string' ? sessions.get(id) : undefined;
    const placedIt = session !== undefined && timingSafeEqual(session.credential, credentialOf(request));
    if (!placedIt && !(await options.authorise(request))) throw unauthorised();
    if (typeof id !== 'string' || session === undefined) {
      throw new TrunklineError('whip.no-such-session', 'There is no such call, or it has ended.', {
        fix: 'Place a new call.',
      });
    }
    return { id, session };
  }
}

function newEtag(): string {
  return `"${randomBytes(9).toString('base64url')}"`;
}

function refuseMethod(allow: string): never {
  throw new TrunklineError('http.method-not-allowed', 'That method means nothing here.', {
    fix: `Use ${allow}.`,
    details: { allow },
  });
}

/** Text bodies only of the one type, and no longer than the parser behind it accepts. */
function readText(type: string, limit: number): express.RequestHandler {
  return express.text({ type, limit });
}

function bodyText(request: Request, type: string): string {
  const body: unknown = request.body;
  if (request.is(type) === false || typeof body !== 'string') {
    throw new TrunklineError('http.wrong-content-type', `The body has to be ${type}.`, {
      fix: `Set Content-Type: ${type}.`,
    });
  }
  return body;
}

function callerOf(request: Request): WhipCaller {
  return { address: request.socket.remoteAddress ?? '', userAgent: request.get('User-Agent')?.slice(0, 200) };
}

/** A digest, so that no token is kept: of the Authorization header or the `token` of the query, whichever was sent. */
function credentialOf(request: Request): Buffer {
  const query = request.query['token'];
  const bearer = /^Bearer +(.+)$/i.exec(request.get('Authorization') ?? '')?.[1];
  const token = bearer ?? (typeof query === 'string' ? query : '');
  // Without a token there is nothing that could be the same; such a caller has to pass `authorise` again.
  return token === '' ? randomBytes(32) : createHash('sha256').update(token).digest();
}

function unauthorised(): TrunklineError {
  return new TrunklineError('http.unauthorised', 'This call needs a token.', {
    fix: 'Send Authorization: Bearer with an API token, or with a call token of POST /v1/call-tokens.',
  });
}

function* iceServerLinks(servers: readonly IceServer[]): Generator<string> {
  for (const { urls, username, credential } of servers) {
    const account =
      username === undefined
        ? ''
        : `; username="${quoted(username)}"; credential="${quoted(credential ?? '')}"; credential-type="password"`;
    yield `<${urls}>; rel="ice-server"${account}`;
  }
}

function quoted(text: string): string {
  return text.replace(/[\\"]/g, '\\$&');
}
