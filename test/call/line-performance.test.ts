/** Prompts: played as often as the dialplan says, then the call is over; also when somebody stops them. */
import type { Stage } from '../../src/call/call';
import { performPlay } from '../../src/call/line-performance';
import { silentLogger } from '../../src/core/log';
import { MediaRouter } from '../../src/media/media-router';
import type { ToMedia } from '../../src/media/protocol';

function rig(repeat: number) {
  const sent: string[] = [];
  const ends: string[] = [];
  const router = new MediaRouter({ post: (message: ToMedia) => sent.push(message.type) });
  const link = router.open('c');
  const stage: Stage = {
    callId: 'c',
    link,
    log: silentLogger,
    emit: () => undefined,
    transport: 'sip' as const,
    take: async () => false,
    become: () => undefined,
    secure: () => undefined,
    end: (cause) => ends.push(cause),
  };
  const action = { type: 'play', path: 'x.wav', format: 'wav', repeat } as Parameters<typeof performPlay>[0];
  const performance = performPlay(action, stage, async () => ({ pcm: new Int16Array(160), sampleRate: 8_000 }));
  const playout = (turnId: number, state: 'finished' | 'flushed') =>
    performance.onMedia({
      type: 'playout',
      sessionId: 'c',
      turnId,
      state,
      playedMs: 0,
      heardText: '',
      callSample: 0,
    });
  return { performance, sent, ends, playout };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a prompt', () => {
  it('is played as often as asked, and the call ends after the last time', async () => {
    const { sent, ends, playout } = rig(2);
    await turn();
    playout(1, 'finished');
    await turn();
    expect(sent.filter((type) => type === 'play')).toHaveLength(2);
    expect(ends).toEqual([]);
    playout(2, 'finished');
    expect(ends).toEqual(['finished']);
  });

  it('that is stopped ends the call instead of leaving it silent', async () => {
    const { performance, sent, ends, playout } = rig(3);
    await turn();
    expect(performance.command({ type: 'stop' })).toBe(true);
    playout(1, 'flushed');
    await turn();
    expect(ends).toEqual(['finished']);
    expect(sent.filter((type) => type === 'play')).toHaveLength(1);
  });
});
