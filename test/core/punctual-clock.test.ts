import { createSocket } from 'node:dgram';
import { PunctualClock } from '../../src/core/punctual-clock';

describe('the punctual clock', () => {
  it.each([0, 0.3, 1.7, 2.4, 25])('runs after %d ms, never before', async (delayMs) => {
    const clock = new PunctualClock();
    const beganMs = clock.nowMs();
    const ranMs = await new Promise<number>((resolve) => clock.after(delayMs, () => resolve(clock.nowMs())));
    expect(ranMs - beganMs).toBeGreaterThanOrEqual(delayMs - 0.01);
  });

  it('never runs what was cancelled, however near its deadline', async () => {
    const clock = new PunctualClock();
    let runs = 0;
    for (const delayMs of [0, 1, 5]) clock.after(delayMs, () => runs++).cancel();
    const late = clock.after(3, () => runs++);
    setImmediate(() => late.cancel());
    await new Promise((resolve) => clock.after(10, () => resolve(undefined)));
    expect(runs).toBe(0);
  });

  it('looks after sockets while one deadline follows on another', async () => {
    const clock = new PunctualClock();
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    let busy = true;
    const again = () => {
      if (busy) clock.after(0.2, again);
    };
    again();
    const heard = new Promise<string>((resolve) => socket.once('message', (bytes) => resolve(bytes.toString())));
    socket.send('here', socket.address().port, '127.0.0.1');
    expect(await heard).toBe('here');
    busy = false;
    socket.close();
  });
});
