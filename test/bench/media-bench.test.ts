import { benchMedia } from '../../src/bench/media-bench';

describe('the measurement of the media path by parts', () => {
  it('finds aliases, images and ripple within what the resampler promises', () => {
    // Costs are published, not asserted; what the filters do to sound is the same on any machine.
    const { figures } = benchMedia(20, 5);
    const valuesOf = (words: string) =>
      figures
        .filter(({ name }) => name.includes(words))
        .map(({ value }) => (typeof value === 'number' ? value : Number.NaN));
    expect(valuesOf('alias or image')).toHaveLength(7);
    expect(Math.max(...valuesOf('alias or image'))).toBeLessThanOrEqual(-60);
    expect(Math.max(...valuesOf('worst deviation'))).toBeLessThanOrEqual(0.5);
    expect(valuesOf('20 ms').every((microseconds) => microseconds > 0)).toBe(true);
  });
});
