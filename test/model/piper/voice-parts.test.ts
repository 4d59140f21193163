import fc from 'fast-check';
import { breathGroups } from '../../../src/model/piper/breath-groups';
import { planChunks } from '../../../src/model/piper/chunk-plan';
import { amplify, fadeIn, fadeOut } from '../../../src/model/piper/loudness';
import { normalDeviates } from '../../../src/model/piper/noise';
import { phonemeIds } from '../../../src/model/piper/phoneme-ids';
import { normalise } from '../../../src/model/text/normaliser';

describe('breath groups', () => {
  const wordsOf = (text: string) =>
    breathGroups(normalise(text)).map(
      ({ parts, end }) => `${parts.map(({ token }) => token.text).join(' ')}${end ?? ''}`,
    );

  test('end with the sentence, and at a comma once enough words stand', () => {
    expect(wordsOf('Yes. The room on the left is free, but the other one is not.')).toEqual([
      'yes.',
      'the room on the left is free but the other one is not.',
    ]);
    expect(wordsOf('The room on the left is free, but the other one is not.')).toEqual([
      'the room on the left is free,',
      'but the other one is not.',
    ]);
  });

  test('never part a written word that is spoken as several', () => {
    for (const group of breathGroups(normalise('Please dial the number 555-123-4567, or 1-800-555-0199.'))) {
      expect(group.parts.length).toBeGreaterThan(1);
    }
    expect(wordsOf('Please dial the number 555-123-4567 now.')).toHaveLength(1);
  });

  test('hold every word once, in order, and stay short', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('room', 'breakfast,', 'ends.', '555-1234', 'incomprehensibilities', 'A', '-', '!'), {
          maxLength: 120,
        }),
        (words) => {
          const spoken = normalise(words.join(' '));
          const groups = breathGroups(spoken);
          expect(groups.flatMap(({ parts }) => parts.map(({ token }) => token))).toEqual(
            spoken.tokens.filter(({ kind }) => kind !== 'pause'),
          );
          for (const { parts } of groups) expect(parts.length).toBeLessThanOrEqual(26);
        },
      ),
    );
  });
});

describe('the chunk plan', () => {
  test('begins short and covers every latent once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 1, max: 900 }),
        fc.boolean(),
        (from, frames, early) => {
          const plan = planChunks(from, from + frames, early);
          expect(plan[0]?.from).toBe(from);
          expect(plan.at(-1)?.to).toBe(from + frames);
          for (const [index, span] of plan.entries()) {
            expect(span.to).toBeGreaterThan(span.from);
            if (index > 0) expect(span.from).toBe(plan[index - 1]?.to);
          }
          if (early && frames >= 18) expect((plan[0]?.to ?? 0) - from).toBe(10);
        },
      ),
    );
  });
});

describe('phoneme ids', () => {
  const map = { _: 0, '^': 1, $: 2, ' ': 3, ',': 8, '.': 10, a: 14, b: 15, '\u0303': 141 };
  const word = (text: string, written: number, phonemes: string, joined = false) => ({
    token: { kind: 'word' as const, text, written },
    phonemes,
    joined,
    pauseAfter: undefined,
  });

  test('stand between start and end marks with a pad behind each', () => {
    const { ids, words, speechFrom, speechTo } = phonemeIds([word('a', 0, 'a'), word('b', 1, 'b')], '.', map);
    expect(ids).toEqual([1, 0, 14, 0, 3, 0, 15, 0, 10, 0, 2]);
    expect(words).toEqual([
      { written: 0, from: 2, to: 4 },
      { written: 1, from: 6, to: 8 },
    ]);
    expect([speechFrom, speechTo]).toEqual([2, 8]);
  });

  test('have no blank inside a pair said in one breath, and one span for one written word', () => {
    const { ids, words } = phonemeIds([word('a', 0, 'a', true), word('b', 0, 'b')], ',', map);
    expect(ids).toEqual([1, 0, 14, 0, 15, 0, 8, 0, 2]);
    expect(words).toEqual([{ written: 0, from: 2, to: 6 }]);
  });

  test('take composed letters apart and leave out what the voice has no sound for', () => {
    expect(phonemeIds([word('a', 0, '\u00e3ʘ')], '.', map).ids).toEqual([1, 0, 14, 0, 141, 0, 10, 0, 2]);
  });
});

describe('the level', () => {
  test('is raised without ever passing the ceiling, and keeps its order', () => {
    const pcm = Float32Array.from({ length: 401 }, (_, index) => (index - 200) / 50);
    amplify(pcm, 2);
    for (const [index, sample] of pcm.entries()) {
      expect(Math.abs(sample)).toBeLessThanOrEqual(0.9501);
      if (index > 0) expect(sample).toBeGreaterThanOrEqual(pcm[index - 1] ?? -1);
    }
    // Below the knee it is a plain gain.
    expect(pcm[205]).toBeCloseTo(0.2, 6);
  });

  test('ramps begin and end near nothing and survive short buffers', () => {
    const pcm = new Float32Array(100).fill(1);
    fadeIn(pcm, 20);
    fadeOut(pcm, 20);
    expect(pcm[0]).toBeLessThan(0.01);
    expect(pcm[99]).toBeLessThan(0.01);
    expect(pcm[50]).toBe(1);
    expect(() => fadeIn(new Float32Array(3), 20)).not.toThrow();
  });
});

describe('the noise', () => {
  test('is normal, and the same for the same seed', () => {
    const deviates = normalDeviates(20_001, 7);
    const mean = deviates.reduce((sum, value) => sum + value, 0) / deviates.length;
    const variance = deviates.reduce((sum, value) => sum + (value - mean) ** 2, 0) / deviates.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(variance).toBeCloseTo(1, 1);
    expect(normalDeviates(50, 7)).toEqual(deviates.slice(0, 50));
    expect(normalDeviates(50, 8)).not.toEqual(deviates.slice(0, 50));
  });
});
