/** Where a 3xx sends our INVITE, best place first (RFC 3261 §8.1.3.4, §21.3). */
import { parseNameAddr, splitValues } from './header-values';
import { parseSipUri, uriIdentity } from './uri';

/** Moved and multiple choices; 305 names proxies, 380 another kind of service: neither is followed. */
const followed = new Set([300, 301, 302]);
const maxTargets = 8;

/**
 * SIP URIs of the Contact that were not tried yet, by falling `q`; nothing for a status that is not followed. `tried`: identities of
 * URIs, not their texts.
 */
export function redirectTargets(
  status: number,
  contact: string | undefined,
  tried: ReadonlySet<string>,
): readonly string[] {
  if (!followed.has(status)) return [];
  const found: { readonly uri: string; readonly weight: number }[] = [];
  for (const value of (splitValues(contact ?? '') ?? []).slice(0, maxTargets)) {
    const parsed = parseNameAddr(value);
    if (parsed === undefined || parseSipUri(parsed.uri) === undefined || tried.has(uriIdentity(parsed.uri))) continue;
    const q = Number(parsed.params.get('q') ?? '1');
    found.push({ uri: parsed.uri, weight: Number.isFinite(q) ? q : 0 });
  }
  return found.sort((one, other) => other.weight - one.weight).map(({ uri }) => uri);
}

/** Credentials belong to whom they were meant for: a redirect to another host must not be able to ask for them. */
export function sameHost(one: string, other: string): boolean {
  const host = parseSipUri(one)?.host.toLowerCase();
  return host !== undefined && host === parseSipUri(other)?.host.toLowerCase();
}
