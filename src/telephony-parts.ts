/** What the parts of telephony are given of the configuration, each in its own terms. */
import { randomBytes, randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { TollGuard } from './call/toll-guard';
import type { Config } from './config';
import type { Logger } from './core/log';
import type { SrtpOptions } from './sip/sdp-session';
import { Stir } from './sip/stir/stir';
import { trunksOf } from './sip/trunk-route';
import { DayCounts } from './store/day-counts';
import { getText } from './webhooks/get-text';

/** The caller waits for it. */
const CERTIFICATE_WITHIN_MS = 2_000;

/** `[::1]` of a URI as the sockets have it; an IPv4 peer as a socket of IPv6 sees it, in its own form. */
export function bareHost(peer: string): string {
  return peer.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=[0-9.]+$)/i, '');
}

/** The trunk's own word on SRTP, else that of `sip`. */
export function srtpFor({ sip }: Config, trunkName: string | undefined, fingerprint: string): SrtpOptions {
  const trunk = sip.trunks.find(({ name }) => name === trunkName);
  return {
    policy: trunk?.srtp ?? sip.srtp,
    keying: trunk?.srtpKeying ?? sip.srtpKeying,
    fingerprint,
    randomBytes,
  };
}

export function stirOf({ fetch, allowPrivate, ...stir }: NonNullable<Config['sip']['stir']>, now: () => Date): Stir {
  return new Stir({
    ...stir,
    fetch: fetch ? (url) => getText(url, { allowPrivate }, CERTIFICATE_WITHIN_MS) : undefined,
    now,
    newId: randomUUID,
  });
}

export function drachtioOf(config: Config) {
  const { drachtio, drachtioSecret } = config.sip;
  if (drachtio === undefined) return undefined;
  const [host = '', port = ''] = drachtio.split(':');
  return { host, port: Number(port), secret: drachtioSecret ?? '' };
}

/** What a person types to ring from this network. */
export function shownAddress(config: Config): string {
  if (config.sip.advertised !== undefined) return config.sip.advertised;
  if (config.sip.host !== '*') return config.sip.host;
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return outside?.address ?? '127.0.0.1';
}

/** Toll fraud: where we may call, and how often. */
export function tollGuardOf({ outbound, sip, data }: Config, now: () => Date, log: Logger): TollGuard {
  return new TollGuard({
    ...outbound,
    callerIds: new Map(trunksOf(sip).map(({ name, callerId }) => [name, callerId])),
    days: new DayCounts(join(resolve(data), 'outbound-today.json'), now, log),
    now,
  });
}
