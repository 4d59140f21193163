import fc from 'fast-check';
import { briefingOf, summaryOf, WHAT_TO_PRESS } from '../../src/call/briefing';
import { Dialogue, type Said } from '../../src/call/dialogue';
import type { CallEvent } from '../../src/core/call-event';

const caller = (text: string): Said => ({ by: 'caller', text });
const agent = (text: string): Said => ({ by: 'agent', text });

describe('the briefing of a colleague', () => {
  it('says who calls, what they said first and last, what they were answered, and what to press', () => {
    const said = [
      caller('Hello.'),
      caller('I would like to change my appointment on Monday'),
      agent('Which day suits you?'),
      caller('Is Tuesday at nine free?'),
      agent('I do not have that information.'),
      caller('Can I talk to somebody, please?'),
      agent('I will connect you.'),
    ];
    expect(briefingOf({ from: 'sip:+49301234@example.com', said })).toBe(
      'A caller, calling from 4 9 3 0 1 2 3 4, is on the line for you. They said: I would like to change my appointment on ' +
        'Monday. Then: Is Tuesday at nine free? Then: Can I talk to somebody, please? I answered: I will connect you. ' +
        WHAT_TO_PRESS,
    );
  });

  it('says what an application wants to have said instead', () => {
    const briefing = briefingOf({
      from: 'sip:anna@example.com',
      said: [caller('What does it cost?')],
      note: 'A new client.',
    });
    expect(briefing).toBe(`A caller is on the line for you. A new client. ${WHAT_TO_PRESS}`);
  });

  it('says so when nothing was said yet', () => {
    expect(briefingOf({ from: '', said: [caller('Yes.')] })).toContain('They have not said what it is about.');
  });

  it('is short and on one line, whatever was said by whomever', () => {
    const turn = fc.record({
      by: fc.constantFrom('caller' as const, 'agent' as const),
      text: fc.string({ maxLength: 900 }),
    });
    fc.assert(
      fc.property(fc.string(), fc.array(turn, { maxLength: 30 }), (from, said) => {
        const briefing = briefingOf({ from, said });
        expect(briefing.length).toBeLessThan(900);
        expect(briefing).not.toMatch(/[\r\n]/);
        expect(briefing.endsWith(WHAT_TO_PRESS)).toBe(true);
      }),
    );
  });
});

describe('the words of a call', () => {
  it('are those that were told, the newest twenty, and nothing else', () => {
    const dialogue = new Dialogue();
    const told = (type: string, text: string) => dialogue.note({ type, data: { text } } as unknown as CallEvent);
    for (let n = 1; n <= 15; n++) {
      told('turn.user', ` question ${n} `);
      told('turn.agent', n === 3 ? '' : `answer ${n}`);
      told('dtmf.received', '5');
    }
    expect(dialogue.said).toHaveLength(20);
    expect(dialogue.said[0]).toEqual({ by: 'caller', text: 'question 6' });
    expect(dialogue.said.at(-1)).toEqual({ by: 'agent', text: 'answer 15' });
  });
});

describe('the summary of a call', () => {
  it('is who calls and words of the call, nothing else', () => {
    const said = [caller('I would like to change my appointment'), agent('I will connect you.')];
    expect(summaryOf({ from: 'sip:+49301234@example.com', said })).toBe(
      'Caller +49301234. They said: I would like to change my appointment. I answered: I will connect you.',
    );
    expect(summaryOf({ from: 'sip:a%0d%0ab@example.com', said: [] })).toMatch(/^Caller unknown\. /);
  });
});
