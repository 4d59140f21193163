import { SpokenFillers } from '../../src/call/spoken-fillers';

describe('fillers before an answer', () => {
  const fillers = new SpokenFillers();
  fillers.note(1, { text: 'One moment please.', durationMs: 900 });

  it('are taken off what was played and heard', () => {
    expect(fillers.without(1, { playedMs: 1_500, heardText: 'One moment please. We open' })).toEqual({
      playedMs: 600,
      heardText: 'We open',
    });
  });

  it('leave nothing of the answer when they were cut themselves', () => {
    expect(fillers.without(1, { playedMs: 400, heardText: 'One moment' })).toEqual({ playedMs: 0, heardText: '' });
  });

  it('concern their own turn only, until they are forgotten', () => {
    const played = { playedMs: 500, heardText: 'We open' };
    expect(fillers.without(2, played)).toEqual(played);
    fillers.forget(1);
    expect(fillers.without(1, played)).toEqual(played);
  });
});
