/** An event without the words and keys of whoever spoke: what stays of it when the transcript of its call is erased. */
import { type CallEvent, callEventSchema } from './call-event';

/** Fields of `data` that hold what was said, typed or made of it, in every event that has them. */
export const wordFields: ReadonlySet<string> = new Set([
  'text',
  'heardText',
  'said',
  'arguments',
  'result',
  'digits',
  'digit',
  'choice',
  'summary',
  'briefing',
  'note',
  'citations',
]);

export function withoutWords(event: CallEvent): CallEvent {
  const data = Object.entries(event.data).flatMap(([name, value]: [string, unknown]) => {
    if (!wordFields.has(name)) return [[name, value]];
    // Text stays as a field, because some events need it; anything else goes.
    return typeof value === 'string' ? [[name, '']] : [];
  });
  return callEventSchema.parse({ ...event, data: Object.fromEntries(data) });
}
