import fc from 'fast-check';
import { ManualClock } from '../../src/core/clock';
import { type RefreshOutcome, SessionRefresher } from '../../src/sip/session-refresher';
import {
  answerSessionTimer,
  parseSessionExpires,
  type SessionTimerAgreement,
  settingsAfter422,
  timerOfAnswer,
  timerRequestHeaders,
} from '../../src/sip/session-timer';

const headers = (given: Readonly<Record<string, string>>) => ({ get: (name: string) => given[name] });
const settings = { expiresSeconds: 1800, minSeconds: 90 };

describe('a session timer', () => {
  // RFC 4028 §9, table 2: who asks for what, and who refreshes then.
  it.each([
    ['no timer known', {}, {}, undefined],
    ['known, none asked for', { supported: 'timer' }, { 'Session-Expires': '1800;refresher=uas' }, true],
    [
      'asked for, refresher left open',
      { supported: '100rel, Timer', 'session-expires': '600' },
      { 'Session-Expires': '600;refresher=uac', Require: 'timer' },
      false,
    ],
    [
      'the caller wants to refresh',
      { supported: 'timer', 'session-expires': '600;refresher=uac' },
      { 'Session-Expires': '600;refresher=uac', Require: 'timer' },
      false,
    ],
    [
      'we shall refresh',
      { supported: 'timer', 'session-expires': '600;refresher=uas' },
      { 'Session-Expires': '600;refresher=uas' },
      true,
    ],
    [
      'a proxy put it in for a caller that knows no timers',
      { 'session-expires': '600' },
      { 'Session-Expires': '600;refresher=uas' },
      true,
    ],
    [
      'longer than ours is shortened',
      { supported: 'timer', 'session-expires': '7200' },
      { 'Session-Expires': '1800;refresher=uac', Require: 'timer' },
      false,
    ],
    [
      'but not below what they can bear',
      { supported: 'timer', 'session-expires': '7200', 'min-se': '3600' },
      { 'Session-Expires': '3600;refresher=uac', Require: 'timer' },
      false,
    ],
  ])('%s', (_what, request, expected, weRefresh) => {
    const answer = answerSessionTimer(settings, headers(request));
    expect(answer).toMatchObject({ kind: 'accepted', headers: expected });
    expect(answer.kind === 'accepted' ? answer.agreed?.weRefresh : undefined).toBe(weRefresh);
  });

  it('is refused when it is shorter than ours, unless the caller could not understand the refusal', () => {
    const short = { 'session-expires': '60' };
    expect(answerSessionTimer(settings, headers({ ...short, supported: 'timer' }))).toEqual({
      kind: 'too-small',
      headers: { 'Min-SE': '90' },
    });
    expect(answerSessionTimer(settings, headers(short))).toMatchObject({ kind: 'accepted', agreed: { seconds: 60 } });
  });

  it('asks anew with what a 422 wants, and gives up on one that wants nothing more', () => {
    const raised = settingsAfter422(settings, headers({ 'min-se': '3600' }));
    expect(raised).toEqual({ expiresSeconds: 3600, minSeconds: 3600 });
    expect(timerRequestHeaders(raised ?? settings)).toEqual({ 'Session-Expires': '3600', 'Min-SE': '3600' });
    expect(settingsAfter422(settings, headers({}))).toBeUndefined();
    expect(settingsAfter422(settings, headers({ 'min-se': '90' }))).toBeUndefined();
  });

  it('is read from any header as a value or as none', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseSessionExpires(text);
        if (parsed !== undefined) expect(parsed.seconds).toBeGreaterThan(0);
        timerOfAnswer(headers({ 'session-expires': text }));
        answerSessionTimer(settings, headers({ 'session-expires': text, 'min-se': text, supported: text }));
      }),
    );
  });
});

describe('the keeper of a session timer', () => {
  function rig(outcomes: RefreshOutcome[]) {
    const clock = new ManualClock();
    const sent: number[] = [];
    let expiredAtMs: number | undefined;
    const refresher = new SessionRefresher(
      clock,
      async () => {
        sent.push(clock.nowMs());
        return outcomes.shift() ?? 'failed';
      },
      () => {
        expiredAtMs = clock.nowMs();
      },
    );
    const pass = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        clock.advance(1000);
        await Promise.resolve();
        await Promise.resolve();
      }
    };
    return { refresher, sent, pass, expired: () => expiredAtMs };
  }

  const ours: SessionTimerAgreement = { seconds: 90, weRefresh: true };
  const theirs: SessionTimerAgreement = { seconds: 90, weRefresh: false };

  it('refreshes halfway, again and again', async () => {
    const { refresher, sent, pass, expired } = rig([{ agreed: ours }, { agreed: ours }, { agreed: ours }]);
    refresher.restart(ours);
    await pass(140);
    expect(sent).toEqual([45_000, 90_000, 135_000]);
    expect(expired()).toBeUndefined();
  });

  it('gives the call up a third before the end when nobody refreshes, and 32 s before a long one', async () => {
    const short = rig([]);
    short.refresher.restart(theirs);
    await short.pass(90);
    expect(short.expired()).toBe(60_000);
    const long = rig([]);
    long.refresher.restart({ ...theirs, seconds: 1800 });
    await long.pass(1800);
    expect(long.expired()).toBe(1_768_000);
  });

  it('gives up when the far end refuses its refresh', async () => {
    const { refresher, pass, expired } = rig(['failed']);
    refresher.restart(ours);
    await pass(90);
    expect(expired()).toBe(60_000);
  });

  it('does nothing more once the far end has no timer, or the call is over', async () => {
    const { refresher, sent, pass, expired } = rig([{ agreed: undefined }]);
    refresher.restart(ours);
    await pass(200);
    refresher.close();
    refresher.restart(ours);
    await pass(200);
    expect(sent).toEqual([45_000]);
    expect(expired()).toBeUndefined();
  });
});
