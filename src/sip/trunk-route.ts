/** An outgoing call by a configured trunk: where its INVITE is sent and who we say we are there (RFC 3261 §8.1.2, §22). */
import { TrunklineError } from '../core/errors';
import type { CodecName } from './offer-answer';
import { parseSipUri, unescapeUser } from './uri';
import type { DialPlace } from './user-agent';

export interface RegisteredUsers {
  isUser(name: string): boolean;
  contactsOf(username: string): readonly { readonly uri: string; readonly proxy: string }[];
}

export interface Trunk {
  readonly name: string;
  /** `host`, `host:port`, or a SIP URI. */
  readonly proxy?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Who we say we are there, when the order does not say: a number, or a whole From value. */
  readonly callerId?: string | undefined;
  /** What stands behind the @ of that number; the proxy's host if left out. */
  readonly domain?: string | undefined;
  /** Offered and accepted there; the usual ones if left out. */
  readonly codecs?: readonly CodecName[] | undefined;
  /** The trunk that is taken while this one does not answer. */
  readonly fallback?: string | undefined;
}

/** Those that are only called, and those that we register at. */
export function trunksOf(sip: {
  readonly trunks: readonly Trunk[];
  readonly registrations: readonly (Trunk & { readonly registrar: string; readonly username: string })[];
}): readonly Trunk[] {
  const registered = sip.registrations.map((one) => ({
    ...one,
    proxy: one.registrar,
    callerId: one.callerId ?? one.username,
  }));
  return [...sip.trunks, ...registered];
}

export interface TrunkRoute {
  readonly to: string;
  /** The one that is taken: the named one, or a fallback of it. */
  readonly trunk?: string;
  readonly proxy?: string;
  readonly auth?: { readonly username: string; readonly password: string };
  readonly from?: string;
  readonly codecs?: readonly CodecName[];
  readonly places?: readonly DialPlace[];
  /** In turn, when this one fails: its fallbacks that can be used. */
  readonly alternatives?: readonly TrunkRoute[];
}

/**
 * `to`: a SIP URI, or a number, which becomes a user at the trunk's proxy. Throws `call.unknown-trunk`; whether `to` can
 * be called is for whoever calls it to see.
 */
export function routeByTrunk(
  trunks: readonly Trunk[],
  name: string,
  to: string,
  from?: string,
  isUsable: (trunk: string) => boolean = () => true,
): TrunkRoute {
  const named = trunks.find((one) => one.name === name);
  if (named === undefined) {
    throw new TrunklineError('call.unknown-trunk', `There is no trunk ${name}.`, {
      fix: 'Name one of sip.trunks, or give a SIP URI without a trunk.',
    });
  }
  // When none can be used, the one that was asked for: it may have come back this very moment.
  const usable = chainOf(trunks, named).filter((one) => isUsable(one.name));
  const [first = named, ...others] = usable;
  const alternatives = others.map((one) => routeBy(one, to, from));
  return { ...routeBy(first, to, from), ...(alternatives.length === 0 ? {} : { alternatives }) };
}

function routeBy(trunk: Trunk, to: string, from: string | undefined): TrunkRoute {
  const { username, password, codecs } = trunk;
  const proxy = trunk.proxy === undefined || isSip(trunk.proxy) ? trunk.proxy : `sip:${trunk.proxy}`;
  const at = proxy === undefined ? undefined : parseSipUri(proxy);
  const isNumber = /^[0-9A-Za-z+*#._-]{1,64}$/.test(to);
  return {
    trunk: trunk.name,
    to: isNumber && at !== undefined ? `sip:${to.replaceAll('#', '%23')}@${hostPort(at)}` : to,
    ...(proxy === undefined ? {} : { proxy }),
    ...(username === undefined || password === undefined ? {} : { auth: { username, password } }),
    ...fromOf(
      from ?? trunk.callerId,
      trunk.domain ?? (at === undefined ? undefined : hostPort({ ...at, port: undefined })),
    ),
    ...(codecs === undefined ? {} : { codecs }),
  };
}

/** A trunk and its fallbacks, in the order in which they are taken. */
function chainOf(trunks: readonly Trunk[], named: Trunk): readonly Trunk[] {
  const chain = new Set<Trunk>();
  for (let one: Trunk | undefined = named; one !== undefined && !chain.has(one); ) {
    chain.add(one);
    const { fallback }: Trunk = one;
    one = trunks.find((other) => other.name === fallback);
  }
  return [...chain];
}

/** A softphone of ours, by its bare name or at `localhost`; undefined: `to` is none of them. Throws `sip.no-contact`. */
export function routeToUser(users: RegisteredUsers, to: string): TrunkRoute | undefined {
  const uri = parseSipUri(to);
  const name =
    uri === undefined ? to : uri.host === 'localhost' && uri.port === undefined ? unescapeUser(uri.user) : '';
  if (!users.isUser(name)) return undefined;
  const contacts = users.contactsOf(name);
  if (contacts.length === 0) {
    throw new TrunklineError('sip.no-contact', `No phone of ${name} is registered.`, {
      fix: 'Register one, or call another.',
      details: { status: 480, httpStatus: 409 },
    });
  }
  const places = contacts.map((contact) => ({ to: contact.uri, proxy: contact.proxy }));
  return { to: `sip:${encodeURIComponent(name)}@localhost`, places };
}

/** A number needs a domain that the trunk takes for its own. */
function fromOf(from: string | undefined, domain: string | undefined): { readonly from?: string } {
  if (from === undefined) return {};
  const bare = /^[0-9A-Za-z+*._-]{1,64}$/.test(from);
  return { from: bare && domain !== undefined ? `sip:${from}@${domain}` : from };
}

function isSip(uri: string): boolean {
  return /^sips?:/i.test(uri);
}

function hostPort({ host, port }: { readonly host: string; readonly port: number | undefined }): string {
  const bare = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? bare : `${bare}:${port}`;
}
