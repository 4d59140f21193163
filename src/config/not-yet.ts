/** Which keys of a configuration do nothing beside the others: told at the start, so that nobody relies on them. */
import type { Config } from './schema';

export function keysNotActedUpon({ database, webhooks }: Config): string[] {
  // The database keeps what is on its way to receivers.
  return [...(database.url === undefined || webhooks.endpoints.length > 0 ? [] : ['database.url'])];
}
