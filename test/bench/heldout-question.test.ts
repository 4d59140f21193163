import { type HeldoutQuestion, isAnswered } from '../../src/bench/heldout-question';

const base: HeldoutQuestion = {
  id: 'q',
  persona: 'p',
  kind: 'known',
  before: [],
  text: 'Where is it?',
  expect: ['Friday'],
};
const needsTool: HeldoutQuestion = { ...base, kind: 'tool', tool: 'order_status', result: 'It ships on Friday.' };

describe('a held-out question', () => {
  it('that needs a tool is answered by calling that one, and from its result', () => {
    const reply = { text: 'It ships on Friday.', action: undefined, called: 'order_status' };
    expect(isAnswered(needsTool, reply)).toBe(true);
    expect(isAnswered(needsTool, { ...reply, text: 'I do not know.' })).toBe(false);
    expect(isAnswered(needsTool, { ...reply, called: 'book_table' })).toBe(false);
    expect(isAnswered(needsTool, { text: 'It ships on Friday.', action: undefined })).toBe(false);
    const { result: _, ...callOnly } = needsTool;
    const call = { text: 'One moment.', action: { type: 'tool', name: 'order_status' } } as const;
    expect(isAnswered(callOnly, call)).toBe(true);
  });

  it('that the facts settle is not answered by a tool', () => {
    const call = { text: 'On Friday.', action: { type: 'tool', name: 'order_status' } } as const;
    expect(isAnswered(base, call)).toBe(false);
    expect(isAnswered(base, { ...call, action: undefined })).toBe(true);
  });
});
