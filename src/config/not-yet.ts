/** Which keys of a configuration do nothing beside the others: told at the start, so that nobody relies on them. */
import type { Config } from './schema';

export function keysNotActedUpon({ database, node }: Config): string[] {
  // An embedded database is one agent's own.
  return database.url === undefined && node.name !== undefined ? ['node.name'] : [];
}
