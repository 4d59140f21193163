/** Which keys of a configuration are read but do nothing in this version: told at the start, so that nobody relies on them. */
import type { Config } from './schema';

export function keysNotActedUpon({ database }: Config): string[] {
  return [...(database.url === undefined ? [] : ['database.url'])];
}
