import { callActionSchema } from '../../src/core/call-action';

const takes = (action: unknown) => callActionSchema.safeParse(action).success;

describe('what a tool has told', () => {
  const result = { type: 'tool_result', toolCallId: 'call_1_tool_3' };

  it('is a text of up to ten thousand characters, or an error', () => {
    expect(takes({ ...result, text: 'x'.repeat(10_000) })).toBe(true);
    expect(takes({ ...result, text: 'x'.repeat(10_001) })).toBe(false);
    expect(takes({ ...result, error: '' })).toBe(true);
  });

  it.each([
    ['neither', {}],
    ['both', { text: 'a', error: 'b' }],
    ['only blanks', { text: ' \n ' }],
    ['no text', { text: 7 }],
    ['another key', { text: 'a', texts: 'b' }],
  ])('is not %s', (_, more) => {
    expect(takes({ ...result, ...more })).toBe(false);
  });

  it('names the call that it is for', () => {
    expect(takes({ type: 'tool_result', text: 'It ships on Friday.' })).toBe(false);
  });
});
