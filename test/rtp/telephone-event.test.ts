import fc from 'fast-check';
import {
  type Dtmf,
  parseTelephoneEvent,
  TelephoneEventReceiver,
  TelephoneEventSender,
  writeTelephoneEvent,
} from '../../src/rtp/telephone-event';

interface Step {
  readonly event: number;
  readonly timestampTicks: number;
  readonly durationTicks: number;
  readonly end?: boolean;
}

function receive(steps: readonly Step[]): Dtmf[] {
  const receiver = new TelephoneEventReceiver(8000);
  let nowMs = 0;
  const digits = steps.flatMap(({ event, timestampTicks, durationTicks, end = false }) => {
    const payload = new Uint8Array(4);
    writeTelephoneEvent({ event, end, volume: 10, durationTicks }, payload);
    nowMs += 20;
    return receiver.push({ timestampTicks, payload }, nowMs);
  });
  const last = receiver.expire(nowMs + 500);
  return last ? [...digits, last] : digits;
}

const press = (event: number, timestampTicks: number): Step[] => [
  ...[160, 320, 480].map((durationTicks) => ({ event, timestampTicks, durationTicks })),
  ...[640, 640, 640].map((durationTicks) => ({ event, timestampTicks, durationTicks, end: true })),
];

describe('receiving DTMF events', () => {
  it('reports a key once although its end comes three times', () => {
    expect(receive(press(5, 1000))).toEqual([{ digit: '5', durationMs: 80 }]);
  });

  it('tells the same key pressed twice by its timestamp', () => {
    expect(receive([...press(5, 1000), ...press(5, 3000)]).map(({ digit }) => digit)).toEqual(['5', '5']);
  });

  it('needs neither the first packets nor the last', () => {
    expect(receive(press(9, 0).slice(2))).toEqual([{ digit: '9', durationMs: 80 }]);
    expect(receive(press(9, 0).slice(5))).toEqual([{ digit: '9', durationMs: 80 }]);
    expect(receive([...press(1, 0).slice(0, 3), ...press(2, 2000)])).toEqual([
      { digit: '1', durationMs: 60 },
      { digit: '2', durationMs: 80 },
    ]);
    expect(receive(press(3, 0).slice(0, 2))).toEqual([{ digit: '3', durationMs: 40 }]);
  });

  it('takes no straggler of a finished key for a new one', () => {
    const late = press(1, 0)[1]!;
    expect(receive([...press(1, 0), ...press(2, 2000), late])).toHaveLength(2);
    const early = press(1, 0).slice(0, 3);
    expect(receive([...early, ...press(2, 2000), early[1]!])).toHaveLength(2);
  });

  it('adds up a key that is held longer than 16 bits of duration', () => {
    const digits = receive([
      { event: 0, timestampTicks: 500, durationTicks: 0xffff },
      { event: 0, timestampTicks: 500 + 0xffff, durationTicks: 800 },
      { event: 0, timestampTicks: 500 + 0xffff, durationTicks: 1600, end: true },
    ]);
    expect(digits).toEqual([{ digit: '0', durationMs: Math.round((0xffff + 1600) / 8) }]);
  });

  it('works across the wrap of the timestamp', () => {
    expect(receive([...press(7, 0xffff_ff00), ...press(8, 0x100)]).map(({ digit }) => digit)).toEqual(['7', '8']);
  });

  it('ignores what is no key, and counts it', () => {
    const receiver = new TelephoneEventReceiver(8000);
    expect(receiver.push({ timestampTicks: 0, payload: Uint8Array.of(16, 0x80, 0, 1) }, 0)).toEqual([]);
    expect(receiver.push({ timestampTicks: 0, payload: Uint8Array.of(1, 2) }, 0)).toEqual([]);
    expect(receiver.ignored).toBe(2);
  });

  it('never throws and never reports more keys than timestamps, whatever arrives', () => {
    const step = fc.record({
      timestampTicks: fc.constantFrom(0, 160, 4000, 0xffff_ffff, 0x8000_0000),
      payload: fc.uint8Array({ maxLength: 8 }),
      atMs: fc.nat(5000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const receiver = new TelephoneEventReceiver(8000);
        const digits = steps.flatMap((each) => receiver.push(each, each.atMs));
        expect(digits.length).toBeLessThanOrEqual(steps.length);
      }),
    );
  });
});

describe('sending DTMF events', () => {
  it('is understood by the receiver, digit by digit', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9*#A-D]{1,12}$/), (digits) => {
        const sender = new TelephoneEventSender(8000, 20);
        const receiver = new TelephoneEventReceiver(8000);
        sender.send(digits);
        let heard = '';
        for (let frame = 0; frame < digits.length * 12 + 5; frame++) {
          const event = sender.next();
          if (event === undefined) continue;
          const timestampTicks = ((frame - event.beganFramesAgo) * 160) >>> 0;
          for (const dtmf of receiver.push({ timestampTicks, payload: event.payload }, frame * 20)) heard += dtmf.digit;
        }
        expect(heard).toBe(digits);
      }),
      { numRuns: 50 },
    );
  });

  it('marks the first packet, sends the end three times with one duration, and pauses', () => {
    const sender = new TelephoneEventSender(8000, 20);
    sender.send('1');
    const frames = Array.from({ length: 13 }, () => {
      const event = sender.next();
      return event && { marker: event.marker, ...parseTelephoneEvent(event.payload)! };
    });
    expect(frames[0]).toMatchObject({ marker: true, event: 1, end: false, durationTicks: 160 });
    expect(frames.slice(5, 8)).toEqual(
      Array.from({ length: 3 }, () => ({ marker: false, event: 1, end: true, volume: 10, durationTicks: 960 })),
    );
    expect(frames.slice(8)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it('refuses what is no digit and more than it can hold', () => {
    const sender = new TelephoneEventSender(8000, 20);
    sender.send(`x ${'1'.repeat(80)}`);
    expect(sender.refused).toBe(2 + 80 - 64);
  });
});
