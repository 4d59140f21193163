/** Messages of the page over the data channel. */
import fc from 'fast-check';

import { readSoftphoneMessage } from '../../src/webrtc/softphone-events';

describe('a message of the softphone', () => {
  test('is typed text, without the blanks around it', () => {
    expect(readSoftphoneMessage('{"type":"user_text","text":" Are you open? "}')).toEqual({
      type: 'user_text',
      text: 'Are you open?',
    });
  });

  test.each([
    ['broken JSON', '{"type":"user_text",'],
    ['another type', '{"type":"hangup"}'],
    ['nothing typed', '{"type":"user_text","text":"  "}'],
    ['text that is no text', '{"type":"user_text","text":7}'],
    ['more than anyone types', JSON.stringify({ type: 'user_text', text: 'x'.repeat(2001) })],
    ['null', 'null'],
  ])('is none when it is %s', (_what, json) => {
    expect(readSoftphoneMessage(json)).toBeUndefined();
  });

  test('any text is read or is none, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (json) => {
        const message = readSoftphoneMessage(json);
        if (message !== undefined) expect(message.text.trim()).not.toBe('');
      }),
    );
  });
});
