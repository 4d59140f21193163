/** Which keys of a configuration are read but do nothing in this version: told at the start, so that nobody relies on them. */
import type { Config } from './schema';

export function keysNotActedUpon({ sip, database }: Config): string[] {
  return [
    ...(sip.registrations.length === 0 ? [] : ['sip.registrations']),
    ...(sip.trunks.some(({ addresses }) => addresses.length > 0) ? ['sip.trunks[].addresses'] : []),
    ...(sip.users.length === 0 ? [] : ['sip.users']),
    ...(database.url === undefined ? [] : ['database.url']),
  ];
}
