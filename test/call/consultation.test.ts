import fc from 'fast-check';
import type { Performance, Stage } from '../../src/call/call';
import { type ConsultationEvent, consult, FIRST, nextConsultation } from '../../src/call/consultation';
import type { Prompt } from '../../src/call/line-performance';
import { ManualClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { SessionMessage } from '../../src/media/media-router';

const briefing: readonly Prompt[] = [{ pcm: new Int16Array(800), sampleRate: 8000 }];
const bridge = { name: 'the bridge' } as unknown as Performance;

function ring(spoken: Promise<readonly Prompt[]> = Promise.resolve(briefing)) {
  const clock = new ManualClock();
  const done: string[] = [];
  const played: number[] = [];
  const stage: Stage = {
    callId: 'human',
    transport: 'sip',
    link: {
      sessionId: 'human',
      post: (message: { type: string; turnId?: number }) => {
        if (message.type === 'play-end') played.push(message.turnId ?? 0);
      },
    } as never,
    log: silentLogger,
    emit: (type, data) => void done.push(`${type} ${'code' in data ? data.code : ''}`),
    end: (cause) => void done.push(`end ${cause}`),
    become: () => undefined,
    take: async (name, make) => {
      done.push(make(stage) === bridge ? `take ${name}` : 'take something else');
      return true;
    },
    secure: () => undefined,
  };
  const performance = consult(stage, { clock, briefing: spoken, taken: () => bridge });
  const press = (digit: string) =>
    performance.onMedia({ type: 'dtmf', sessionId: 'human', digit, durationMs: 100 } as SessionMessage);
  const hear = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    performance.onMedia({
      type: 'playout',
      sessionId: 'human',
      turnId: played.at(-1),
      state: 'finished',
    } as SessionMessage);
  };
  return { clock, done, played, performance, press, hear };
}

describe('a colleague who is told about a caller', () => {
  it('takes the call with 1, also while the briefing lasts', async () => {
    for (const waits of [true, false]) {
      const { done, press, hear } = ring();
      if (waits) await hear();
      press('1');
      press('2');
      expect(done).toEqual(['take bridge']);
    }
  });

  it('sends it back with 2', async () => {
    const { done, press, hear } = ring();
    await hear();
    press('2');
    press('1');
    expect(done).toEqual(['end rejected']);
  });

  it('hears it again with the star, and is not moved by other keys', async () => {
    const { done, played, press, hear } = ring();
    await hear();
    press('7');
    press('*');
    await hear();
    expect(played).toEqual([1, 2]);
    expect(done).toEqual([]);
  });

  it('is a mailbox or an empty chair if three briefings move nobody', async () => {
    const { clock, done, played, hear } = ring();
    for (let times = 1; times <= 3; times++) {
      await hear();
      expect(done).toEqual([]);
      clock.advance(8_000);
    }
    expect(played).toEqual([1, 2, 3]);
    expect(done).toEqual(['end no-answer']);
  });

  it('can still take the call when the briefing cannot be spoken, but is not waited for for ever', async () => {
    const failing = () => ring(Promise.reject(new Error('no engine')));
    const one = failing();
    await new Promise((resolve) => setImmediate(resolve));
    one.press('1');
    expect(one.done).toEqual(['error call.no-briefing', 'take bridge']);
    const other = failing();
    for (let times = 0; times < 3; times++) {
      await new Promise((resolve) => setImmediate(resolve));
      other.clock.advance(8_000);
    }
    expect(other.done.at(-1)).toBe('end no-answer');
  });

  it('does nothing any more once the call is over', async () => {
    const { clock, done, press, performance } = ring();
    await performance.close('finished');
    press('1');
    clock.advance(200_000);
    expect(done).toEqual([]);
  });

  it('decides once, and within three briefings, whatever happens', () => {
    const event = fc.constantFrom<ConsultationEvent>('told', 'take', 'decline', 'again', 'out-of-time');
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        let state = FIRST;
        for (const each of events) {
          const next = nextConsultation(state, each);
          if (!('times' in state)) expect(next).toBe(state);
          if ('times' in next) expect(next.times).toBeLessThanOrEqual(3);
          state = next;
        }
        if (events.filter((each) => each !== 'told').length >= 3) expect('times' in state).toBe(false);
      }),
    );
  });
});
