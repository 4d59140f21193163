import { z } from 'zod';
import { callEventData } from '../../src/core/call-event';
import { wordFields } from '../../src/core/erased-event';

/** Texts of events that nobody has said or typed: names, codes, addresses, causes. A new one has to be put here, or among the words. */
const noWords = new Set([
  ...[
    'direction',
    'transport',
    'from',
    'to',
    'trunk',
    'user',
    'sipCallId',
    'headers',
    'metadata',
    'identity',
    'action',
  ],
  ...[
    'cause',
    'sipReason',
    'quality',
    'how',
    'stages',
    'reason',
    'askId',
    'toolCallId',
    'name',
    'answeredBy',
    'because',
  ],
  ...['records', 'path', 'mailbox', 'by', 'way', 'peerCallId', 'queue', 'code', 'message', 'fix', 'what'],
]);

describe('an event without words', () => {
  it.each(Object.entries(callEventData))(
    '%s: it is decided of every text whether somebody said it',
    (_type, schema) => {
      const { properties = {} } = z.toJSONSchema(schema, { unrepresentable: 'any' });
      const undecided = Object.entries(properties)
        .filter(([, member]) => !['number', 'integer', 'boolean'].includes(String(Reflect.get(Object(member), 'type'))))
        .map(([name]) => name)
        .filter((name) => !noWords.has(name) && !wordFields.has(name));
      expect(undecided).toEqual([]);
    },
  );
});
