/** The ring of heard audio: any span can be read back, gaps read as silence, old audio falls out. */
import fc from 'fast-check';
import { HeardAudio } from '../../src/model/heard-audio';

const ramp = (length: number, first = 1) => Int16Array.from({ length }, (_, index) => first + index);

describe('the heard audio', () => {
  it('gives back the span that was asked for', () => {
    const heard = new HeardAudio(1);
    heard.write(ramp(320), 0);
    heard.write(ramp(320, 321), 320);
    expect(Array.from(heard.read(319, 322, 16_000), (value) => Math.round(value * 32_768))).toEqual([320, 321, 322]);
  });

  it('reads a gap and everything not yet heard as silence', () => {
    const heard = new HeardAudio(1);
    heard.write(ramp(10), 0);
    heard.write(ramp(10), 100);
    expect(heard.read(10, 100, 16_000).every((value) => value === 0)).toBe(true);
    expect(heard.read(110, 200, 16_000).every((value) => value === 0)).toBe(true);
  });

  it('keeps the newest part of a span that is longer than asked', () => {
    const heard = new HeardAudio(1);
    heard.write(ramp(1_000), 0);
    const read = heard.read(0, 1_000, 4);
    expect(Array.from(read, (value) => Math.round(value * 32_768))).toEqual([997, 998, 999, 1_000]);
  });

  it('agrees with an unbounded tape over its capacity, whatever the order of writes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ start: fc.nat(40_000), length: fc.nat(20_000) }), { minLength: 1, maxLength: 8 }),
        fc.nat(40_000),
        (writes, from) => {
          const heard = new HeardAudio(1);
          const tape = new Map<number, number>();
          let end = 0;
          let value = 1;
          for (const { start, length } of writes) {
            value = (value % 32_000) + 1;
            heard.write(new Int16Array(length).fill(value), start);
            for (let s = Math.max(start, end - 16_000); s < start + length; s += 1) tape.set(s, value);
            end = Math.max(end, start + length);
          }
          const read = heard.read(from, from + 64, 64);
          for (let index = 0; index < read.length; index += 1) {
            const sample = from + index;
            const expected = sample >= end - 16_000 ? (tape.get(sample) ?? 0) : 0;
            expect(Math.round((read[index] ?? 0) * 32_768)).toBe(expected);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
