import { ProcessorClock } from '../../src/bench/processor-clock';

const burn = (forMs: number) => {
  const from = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(from);
    if ((user + system) / 1_000 >= forMs) return;
  }
};

describe('a clock of processor time', () => {
  it('skips what nobody works in, in the order of the timers', async () => {
    const clock = new ProcessorClock();
    const [startedMs, startedWorkMs, wallMs] = [clock.nowMs(), clock.workedMs, performance.now()];
    const order: string[] = [];
    await clock.drive(
      Promise.all([
        clock.until(startedMs + 3_600_000).then(() => order.push('an hour')),
        clock.until(startedMs + 60_000).then(() => order.push('a minute')),
      ]),
    );
    expect(order).toEqual(['a minute', 'an hour']);
    expect(clock.nowMs() - startedMs).toBeGreaterThanOrEqual(3_600_000);
    expect(clock.workedMs - startedWorkMs).toBeLessThan(60_000);
    expect(performance.now() - wallMs).toBeLessThan(60_000);
  });

  it('counts work, and a timer that fell due in it comes behind it', async () => {
    const clock = new ProcessorClock();
    const startedMs = clock.nowMs();
    let firedMs = 0;
    const timer = clock.until(startedMs + 5).then(() => {
      firedMs = clock.nowMs();
    });
    burn(40);
    await clock.drive(timer);
    expect(firedMs - startedMs).toBeGreaterThanOrEqual(40);
  });

  it('does not fire what was cancelled', async () => {
    const clock = new ProcessorClock();
    const fired: string[] = [];
    clock.after(10, () => fired.push('cancelled')).cancel();
    await clock.drive(clock.until(clock.nowMs() + 100));
    expect(fired).toEqual([]);
  });
});
