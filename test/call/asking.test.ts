/** A question of an application: how it is answered, asked again, given up. */
import { Asking, type AskOutcome } from '../../src/call/asking';
import { type AskAction, callActionSchema } from '../../src/core/call-action';
import { ManualClock } from '../../src/core/clock';

function ask(more: Record<string, unknown> = {}) {
  const clock = new ManualClock();
  const said: string[] = [];
  const told: AskOutcome[] = [];
  const heard: boolean[] = [];
  let hushed = 0;
  const action = callActionSchema.parse({ type: 'ask', text: 'Which one?', askId: 'q', ...more }) as AskAction;
  const asking = new Asking(action, {
    clock,
    say: (text) => said.push(text),
    hush: () => {
      hushed += 1;
    },
    listen: (on) => heard.push(on),
    tell: (outcome) => told.push(outcome),
  });
  asking.begin();
  const asked = () => {
    asking.spoke(said.at(-1) ?? '');
    asking.quiet(true);
  };
  return { clock, said, told, heard, asking, asked, hushed: () => hushed };
}

const departments = [
  { value: 'sales', phrases: ['buy'], key: '1' },
  { value: 'support', key: '2' },
];

describe('a question', () => {
  it('is answered by whatever is said', () => {
    const { told, asking, asked } = ask();
    asked();
    asking.heard('The blue one.');
    expect(told).toEqual([{ askId: 'q', reason: 'speech', text: 'The blue one.', attempts: 1 }]);
    expect(asking.over).toBe(true);
  });

  it('is answered by a choice, in words or by its key, also before it has been said', () => {
    const spoken = ask({ expect: 'choice', choices: departments });
    spoken.asking.heard('I want to buy a phone.');
    expect(spoken.told[0]).toMatchObject({ reason: 'speech', choice: 'sales' });
    const typed = ask({ expect: 'choice', choices: departments });
    typed.asking.key('2');
    expect(typed.told).toEqual([{ askId: 'q', reason: 'digits', digits: '2', choice: 'support', attempts: 1 }]);
    expect(typed.hushed()).toBe(1);
  });

  it('is answered by yes or no, 1 for yes and 2 for no', () => {
    const spoken = ask({ expect: 'yes-no' });
    spoken.asking.heard('Yes, please do.');
    expect(spoken.told[0]).toMatchObject({ choice: 'yes' });
    const typed = ask({ expect: 'yes-no' });
    typed.asking.key('2');
    expect(typed.told[0]).toMatchObject({ reason: 'digits', choice: 'no' });
  });

  it('is answered by digits, spoken or typed, as many as wanted', () => {
    const spoken = ask({ expect: 'digits', minDigits: 4, maxDigits: 4 });
    spoken.asking.heard('four seven double one');
    expect(spoken.told[0]).toMatchObject({ reason: 'speech', digits: '4711' });
    const typed = ask({ expect: 'digits' });
    typed.asked();
    for (const key of '47#') typed.asking.key(key);
    expect(typed.told[0]).toMatchObject({ reason: 'digits', digits: '47' });
    const late = ask({ expect: 'digits' });
    late.asked();
    late.asking.key('5');
    late.clock.advance(6_000);
    expect(late.told[0]).toMatchObject({ reason: 'digits', digits: '5' });
  });

  it('is asked again when the answer does not fit, and told as no-match in the end', () => {
    const { told, said, asking, asked } = ask({ expect: 'digits', minDigits: 4, again: 'Four digits, please.' });
    asked();
    asking.heard('I do not have it here.');
    expect(said).toEqual(['Which one?', 'Four digits, please.']);
    expect(told).toEqual([]);
    asked();
    asking.heard('one two');
    expect(told).toEqual([{ askId: 'q', reason: 'no-match', text: 'one two', attempts: 2 }]);
  });

  it('is asked again after silence, and told as no-input in the end', () => {
    const { told, said, clock, asking, asked } = ask();
    clock.advance(60_000);
    // Its time runs from its end, and not while somebody speaks.
    expect(said).toHaveLength(1);
    asked();
    clock.advance(5_000);
    asking.quiet(false);
    clock.advance(5_000);
    expect(said).toHaveLength(1);
    asking.quiet(true);
    clock.advance(6_000);
    expect(said[1]).toBe('Sorry, I did not get that. Which one?');
    asked();
    clock.advance(6_000);
    expect(told).toEqual([{ askId: 'q', reason: 'no-input', attempts: 2 }]);
  });

  it('is not interrupted where that is not wanted', () => {
    const { told, heard, asking, asked } = ask({ expect: 'yes-no', bargeIn: false });
    expect(heard).toEqual([false]);
    asking.key('1');
    expect(told).toEqual([]);
    asked();
    expect(heard).toEqual([false, true]);
    asking.key('1');
    expect(told).toHaveLength(1);
  });

  it('is told of when the call ends', () => {
    const { told, asking } = ask({ bargeIn: false });
    asking.close();
    asking.close();
    asking.heard('too late');
    expect(told).toEqual([{ askId: 'q', reason: 'call-ended', attempts: 1 }]);
  });

  it.each([
    [{ expect: 'choice' }, 'choices'],
    [{ choices: departments }, 'choices'],
    [{ minDigits: 5, maxDigits: 4 }, 'minDigits'],
    [{ secure: true }, 'secure'],
    [{ webhook: { url: 'https://app.example/' } }, 'secure'],
  ])('is refused as %j', (more, path) => {
    const checked = callActionSchema.safeParse({ type: 'ask', text: 'Which one?', ...more });
    expect(checked.error?.issues[0]?.path).toEqual([path]);
  });
});
