import fc from 'fast-check';
import {
  EMPTY_LINE,
  type LineEffect,
  type LineEvent,
  nextLine,
  type RingOrder,
} from '../../../src/call/queue/line-state';

/** Events one after the other, and what came of them. */
function line(ring: RingOrder, ids: readonly string[]) {
  let state = EMPTY_LINE;
  const happen = (event: LineEvent): string[] => {
    const step = nextLine(state, event, ring);
    state = step.state;
    return step.effects.map(shown);
  };
  happen({ type: 'members', ids, elsewhere: [] });
  return {
    happen,
    joined: (callId: string) => happen({ type: 'joined', callId }),
    left: (callId: string) => happen({ type: 'left', callId }),
    answered: (member: string) => happen({ type: 'answered', member }),
    notReached: (member: string) => happen({ type: 'not-reached', member }),
    hungUp: (member: string) => happen({ type: 'hung-up', member }),
    rested: (member: string) => happen({ type: 'rested', member }),
    phases: () => state.members.map(({ id, phase }) => `${id} ${phase}`),
    waiting: () => state.waiting,
  };
}

function shown(effect: LineEffect): string {
  return effect.type === 'connect' ? `connect ${effect.member} ${effect.callId}` : `${effect.type} ${effect.member}`;
}

describe('a line of callers', () => {
  it('rings one phone after the other, as many as there are callers', () => {
    const { joined, notReached, rested } = line('one-by-one', ['anna', 'bert']);
    expect(joined('first')).toEqual(['ring anna']);
    expect(notReached('anna')).toEqual(['rest anna', 'ring bert']);
    expect(joined('second')).toEqual([]);
    expect(rested('anna')).toEqual(['ring anna']);
  });

  it('rings all that are free at once, and stops when one has answered', () => {
    const { joined, answered, hungUp, rested, phases } = line('all', ['anna', 'bert', 'cora']);
    expect(joined('first')).toEqual(['ring anna', 'ring bert', 'ring cora']);
    expect(answered('bert')).toEqual(['connect bert first', 'stop-ringing anna', 'stop-ringing cora']);
    expect(phases()).toEqual(['anna free', 'bert talking', 'cora free']);
    expect(hungUp('bert')).toEqual(['rest bert']);
    expect(joined('second')).toEqual(['ring anna', 'ring cora']);
    expect(rested('bert')).toEqual(['ring bert']);
  });

  it('gives whoever answers first the caller who has waited longest', () => {
    const { joined, answered, hungUp, rested } = line('one-by-one', ['anna', 'bert']);
    joined('first');
    joined('second');
    joined('third');
    expect(answered('bert')).toEqual(['connect bert first']);
    expect(answered('anna')).toEqual(['connect anna second']);
    hungUp('anna');
    expect(rested('anna')).toEqual(['ring anna']);
    expect(answered('anna')).toEqual(['connect anna third']);
  });

  it('stops ringing when nobody waits any more, and sends away who answers just then', () => {
    const { joined, left, answered, phases } = line('one-by-one', ['anna']);
    joined('first');
    expect(left('first')).toEqual(['stop-ringing anna']);
    expect(answered('anna')).toEqual([]);
    expect(phases()).toEqual(['anna free']);
  });

  it('takes up and lets go of members while it lasts', () => {
    const { happen, joined, answered, phases } = line('all', ['anna', 'bert']);
    joined('first');
    joined('second');
    answered('anna');
    expect(happen({ type: 'members', ids: ['anna', 'cora'], elsewhere: [] })).toEqual([
      'stop-ringing bert',
      'ring cora',
    ]);
    expect(phases()).toEqual(['anna talking', 'cora ringing']);
  });

  it('serves in order of arrival, one caller per phone, and rings nobody for nobody, whatever happens', () => {
    const callers = ['a', 'b', 'c', 'd', 'e'] as const;
    const members = ['m', 'n', 'o'] as const;
    const anything: fc.Arbitrary<LineEvent> = fc.oneof(
      fc.record({ type: fc.constantFrom('joined' as const, 'left' as const), callId: fc.constantFrom(...callers) }),
      fc.record({
        type: fc.constantFrom('answered' as const, 'not-reached' as const, 'hung-up' as const, 'rested' as const),
        member: fc.constantFrom(...members),
      }),
      fc.record({
        type: fc.constant('members' as const),
        ids: fc.subarray([...members]),
        elsewhere: fc.subarray([...members]),
      }),
      fc.record({
        type: fc.constantFrom('engaged' as const, 'released' as const),
        member: fc.constantFrom(...members),
      }),
    );
    fc.assert(
      fc.property(
        fc.array(anything, { maxLength: 80 }),
        fc.constantFrom<RingOrder>('one-by-one', 'all'),
        (events, ring) => {
          let state = EMPTY_LINE;
          for (const event of events) {
            const before = state;
            const { state: next, effects } = nextLine(state, event, ring);
            state = next;
            for (const effect of effects) {
              if (effect.type === 'connect') expect(effect.callId).toBe(before.waiting[0]);
            }
            expect(effects.filter(({ type }) => type === 'connect').length).toBeLessThanOrEqual(1);
            const inPhase = (phase: string) => state.members.filter((one) => one.phase === phase).length;
            if (state.waiting.length === 0) expect(inPhase('ringing')).toBe(0);
            else if (ring === 'all') expect(inPhase('free')).toBe(0);
            else expect(inPhase('ringing')).toBe(Math.min(state.waiting.length, inPhase('ringing') + inPhase('free')));
            expect(new Set(state.waiting).size).toBe(state.waiting.length);
          }
        },
      ),
    );
  });
});
