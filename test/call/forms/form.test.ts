import fc from 'fast-check';
import { type FormState, formOf, hear, openForm, question } from '../../../src/call/forms/form';
import type { Tool } from '../../../src/core/tool';

const TODAY = '2027-03-01';
const tool: Tool = {
  name: 'book',
  description: 'book an appointment',
  timeoutMs: 5_000,
  confirm: true,
  parameters: {
    type: 'object',
    properties: {
      name: {
        type: 'string',
        title: 'last name',
        'x-say': 'spelled',
        'x-ask': 'What is your last name? Please spell it.',
      },
      phone: { type: 'string', title: 'phone number', 'x-say': 'phone', 'x-ask': 'What is your phone number?' },
      at: { type: 'string', title: 'time', 'x-say': 'date-time', 'x-ask': 'When would you like to come?' },
    },
    required: ['name', 'phone', 'at'],
  },
};
const form = formOf(tool)!;

/** What the agent says to each of the caller's words, and where that leads. */
function talk(...words: string[]): { said: (string | undefined)[]; state: FormState } {
  const first = openForm(form, TODAY);
  let { state } = first;
  const said = [first.say];
  for (const text of words) {
    const step = hear(form, state, text, TODAY);
    state = step.state;
    said.push(step.say);
  }
  return { said, state };
}
const FILLED = ['B, R, O, W, N', 'five five five, zero one two', 'The twenty third of March at half past two'] as const;

describe('a form', () => {
  it('asks for one piece after the other, reads them back and is filled on a yes', () => {
    const { said, state } = talk(...FILLED, 'Yes, that is right.');
    expect(said).toEqual([
      'What is your last name? Please spell it.',
      'What is your phone number?',
      'When would you like to come?',
      'I have last name: Brown, B, R, O, W, N. phone number: 5 5 5, 0 1 2. time: Tuesday the 23rd of March at 2:30 pm. Is that right?',
      undefined,
    ]);
    expect(state).toEqual({ name: 'filled', values: { name: 'Brown', phone: '555012', at: '2027-03-23T14:30' } });
  });

  it('does not ask for what the brain has gathered, unless it does not fit', () => {
    const { state } = openForm(form, TODAY, { name: 'Gray', phone: 17, other: 'x' });
    expect(state).toMatchObject({ name: 'asking', slot: 1, values: { name: 'Gray' } });
  });

  it('reads the words that the brain has gathered as it reads what is heard', () => {
    const at = (words: string) => openForm(form, TODAY, { name: 'Gray', phone: '555013', at: words }).state;
    for (const words of ['tomorrow at half past two', '2027-03-02T14:30']) {
      expect(at(words)).toMatchObject({ name: 'confirming', values: { at: '2027-03-02T14:30' } });
    }
    expect(at('soon')).toMatchObject({ name: 'asking', slot: 2 });
    expect(openForm(form, TODAY, { phone: 'five five five, zero one three' }).state.values).toEqual({
      phone: '555013',
    });
  });

  it('takes a correction with its value, and asks for one without', () => {
    const direct = talk(...FILLED, 'No, the time is March 24th at ten am.');
    expect(direct.said.at(-1)).toMatch(/Wednesday the 24th of March at 10 am/);
    const asked = talk(...FILLED, 'No.', 'The phone number.', '5 5 5 0 1 3');
    expect(asked.said.slice(-3)).toEqual([
      'What is wrong: the last name, the phone number or the time?',
      'What is your phone number?',
      expect.stringContaining('5 5 5, 0 1 3'),
    ]);
  });

  it('leaves a question to the model, and knows what to ask after its answer', () => {
    const { said, state } = talk('How much is it?');
    expect(said.at(-1)).toBeUndefined();
    expect(question(form, state)).toBe('What is your last name? Please spell it.');
  });

  it('gives up when the caller does, or after three times without a value', () => {
    expect(talk('Never mind.').state.name).toBe('given-up');
    expect(talk(FILLED[0], 'Hm.', 'Hm hm.', 'Well.').said.at(-1)).toMatch(/colleague/);
  });

  it('ends or goes on with something to say, whatever the caller says, and is never filled without a yes', () => {
    const words = fc.oneof(
      fc.constantFrom(...FILLED, 'yes', 'no', 'no, the time', 'what?', 'never mind', ''),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 15 }), (all) => {
        let { state } = openForm(form, TODAY);
        for (const text of all) {
          const before = state;
          const step = hear(form, state, text, TODAY);
          state = step.state;
          if (state.name === 'filled' && before.name !== 'filled') {
            expect(before.name).toBe('confirming');
            expect(Object.keys(state.values).sort()).toEqual(['at', 'name', 'phone']);
          } else if (step.say === undefined) expect(state).toBe(before);
        }
      }),
    );
  });

  it('is none for a tool that asks for nothing', () => {
    expect(formOf({ ...tool, parameters: { type: 'object', properties: { a: { type: 'string' } } } })).toBeUndefined();
    expect(formOf({ name: 'x', description: 'x', timeoutMs: 1 })).toBeUndefined();
  });
});
