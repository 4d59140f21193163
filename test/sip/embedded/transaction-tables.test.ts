import fc from 'fast-check';
import { defaultTimers, timerDelayMs } from '../../../src/sip/embedded/sip-timers';
import {
  inviteClientTable,
  inviteServerTable,
  nonInviteClientTable,
  nonInviteServerTable,
  type TransactionEvent,
  type TransactionState,
  type TransactionTable,
  transition,
} from '../../../src/sip/embedded/transaction-tables';

const machines: readonly (readonly [string, TransactionTable, TransactionState])[] = [
  ['INVITE client', inviteClientTable, 'calling'],
  ['other client', nonInviteClientTable, 'trying'],
  ['INVITE server', inviteServerTable, 'proceeding'],
  ['other server', nonInviteServerTable, 'trying'],
];

const events: readonly TransactionEvent[] = [
  'request',
  'ack',
  'send-1xx',
  'send-2xx',
  'send-3xx',
  'recv-1xx',
  'recv-2xx',
  'recv-3xx',
  'transport-error',
  ...(['A', 'B', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M'] as const).map((name) => `timer-${name}` as const),
];

describe.each(machines)('the %s machine', (_name, table, start) => {
  it('never leaves terminated', () => {
    for (const event of events)
      expect(transition(table, 'terminated', event)).toEqual({ next: 'terminated', effects: [] });
  });

  it('has a running timer in every state it waits in by itself, so that it ends', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 30 }), (sequence) => {
        let state = start;
        const armed = new Set<string>(start === 'calling' ? ['B'] : table === nonInviteClientTable ? ['F'] : []);
        for (const event of sequence) {
          const timer = event.startsWith('timer-') ? event.slice(6) : undefined;
          // Only timers that run can fire.
          if (timer !== undefined && !armed.delete(timer)) continue;
          const { next, effects } = transition(table, state, event);
          for (const effect of effects) {
            if (effect.startsWith('arm-')) armed.add(effect.slice(4));
            if (effect.startsWith('disarm-')) armed.delete(effect.slice(7));
          }
          state = next;
        }
        // The far end or the user has to move in these; everywhere else a timer ends the wait.
        const waitsForOthers = state === 'proceeding' || (state === 'trying' && table === nonInviteServerTable);
        if (state !== 'terminated' && !waitsForOthers) expect([...armed].length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it('delivers at most one final response that is no 2xx', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events.filter((one) => one.startsWith('recv')))), (sequence) => {
        let state = start;
        let refusals = 0;
        for (const event of sequence) {
          const { next, effects } = transition(table, state, event);
          if (event === 'recv-3xx' && effects.includes('deliver')) refusals++;
          state = next;
        }
        expect(refusals).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the timers of RFC 3261 Table 4', () => {
  const delays = (name: Parameters<typeof timerDelayMs>[0], count: number): number[] =>
    Array.from({ length: count }, (_unused, at) => timerDelayMs(name, at, false, false, defaultTimers));

  it('double A without a cap, E and G up to T2', () => {
    expect(delays('A', 7)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000]);
    expect(delays('E', 6)).toEqual([500, 1000, 2000, 4000, 4000, 4000]);
    expect(delays('G', 6)).toEqual([500, 1000, 2000, 4000, 4000, 4000]);
    expect(timerDelayMs('E', 0, false, true, defaultTimers)).toBe(4000);
  });

  it('wait 64*T1 for others, T4 for late copies, and not at all for copies on a connection', () => {
    for (const name of ['B', 'F', 'H', 'L', 'M'] as const)
      expect(timerDelayMs(name, 0, true, false, defaultTimers)).toBe(32_000);
    for (const name of ['D', 'I', 'J', 'K'] as const) expect(timerDelayMs(name, 0, true, false, defaultTimers)).toBe(0);
    expect(['D', 'I', 'J', 'K'].map((name) => timerDelayMs(name as 'D', 0, false, false, defaultTimers))).toEqual([
      32_000, 5000, 32_000, 5000,
    ]);
  });
});
