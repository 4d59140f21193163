/** An outgoing call by a configured trunk: where its INVITE is sent and who we say we are there (RFC 3261 §8.1.2, §22). */
import { TrunklineError } from '../core/errors';
import { parseSipUri } from './uri';

export interface Trunk {
  readonly name: string;
  /** `host`, `host:port`, or a SIP URI. */
  readonly proxy?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export interface TrunkRoute {
  readonly to: string;
  readonly proxy?: string;
  readonly auth?: { readonly username: string; readonly password: string };
}

/**
 * `to`: a SIP URI, or a number, which becomes a user at the trunk's proxy. Throws `call.unknown-trunk`; whether `to` can
 * be called is for whoever calls it to see.
 */
export function routeByTrunk(trunks: readonly Trunk[], name: string, to: string): TrunkRoute {
  const trunk = trunks.find((one) => one.name === name);
  if (trunk === undefined) {
    throw new TrunklineError('call.unknown-trunk', `There is no trunk ${name}.`, {
      fix: 'Name one of sip.trunks, or give a SIP URI without a trunk.',
    });
  }
  const { username, password } = trunk;
  const proxy = trunk.proxy === undefined || isSip(trunk.proxy) ? trunk.proxy : `sip:${trunk.proxy}`;
  const at = proxy === undefined ? undefined : parseSipUri(proxy);
  const isNumber = /^[0-9A-Za-z+*#._-]{1,64}$/.test(to);
  return {
    to: isNumber && at !== undefined ? `sip:${to.replaceAll('#', '%23')}@${hostPort(at)}` : to,
    ...(proxy === undefined ? {} : { proxy }),
    ...(username === undefined || password === undefined ? {} : { auth: { username, password } }),
  };
}

function isSip(uri: string): boolean {
  return /^sips?:/i.test(uri);
}

function hostPort({ host, port }: { readonly host: string; readonly port: number | undefined }): string {
  const bare = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? bare : `${bare}:${port}`;
}
