/** What the recogniser had in mind, in the trunk's embedding space, must be what the recipe makes of it (test/fixtures/omni-ear). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adapterRows, PieceTable } from '../../../src/model/omni/soft-words';

const NONE = 65_535;

function table(vocabulary: number, maxPieces: number, pieces: Record<string, readonly number[]>): PieceTable {
  const ids = new Uint16Array(2 * vocabulary * maxPieces).fill(NONE);
  for (const [key, own] of Object.entries(pieces)) {
    const [first, token] = key.split(':').map(Number);
    own.forEach((id, i) => {
      ids[((first ?? 0) * vocabulary + (token ?? 0)) * maxPieces + i] = id;
    });
  }
  return new PieceTable(new Uint8Array(ids.buffer), vocabulary, maxPieces);
}

/** Token t is embedded as [t, 1]. */
const embed = (tokens: readonly number[]) => Float32Array.from(tokens.flatMap((token) => [token, 1]));

describe('soft words', () => {
  it('are the mean embedding under the distribution of those candidates that have as many pieces', () => {
    const pieces = table(10, 3, { '0:1': [100], '0:2': [200], '0:3': [300, 301] });
    const state = Float32Array.of(7, 8, 9);
    const rows = adapterRows(
      [
        { token: 9, state: Float32Array.of(1, 2, 3), candidates: [{ token: 9, logit: 0 }] },
        {
          token: 1,
          state,
          candidates: [
            { token: 1, logit: Math.log(3) },
            { token: 3, logit: Math.log(2) },
            { token: 2, logit: 0 },
          ],
        },
      ],
      pieces,
      embed,
      3,
      2,
    );
    // The first token has no piece at all: no row, but its state still stands before the next.
    expect(rows.count).toBe(1);
    expect([...rows.base]).toEqual([125, 1]);
    expect([...rows.states]).toEqual([7, 8, 9]);
    expect([...rows.before]).toEqual([1, 2, 3]);
    expect(rows.piece).toEqual([0]);
  });

  it('take the first word without its leading space, and one row for each piece', () => {
    const pieces = table(10, 3, { '0:1': [100], '1:1': [110, 111] });
    const token = { token: 1, state: Float32Array.of(5), candidates: [{ token: 1, logit: 2 }] };
    const rows = adapterRows([token, token], pieces, embed, 1, 2);
    expect([...rows.base]).toEqual([110, 1, 111, 1, 100, 1]);
    expect(rows.piece).toEqual([0, 1, 0]);
    expect([...rows.before]).toEqual([0, 0, 5]);
  });

  it('refuse a table of another size', () => {
    expect(() => new PieceTable(new Uint8Array(10), 10, 3)).toThrow(
      expect.objectContaining({ code: 'ear.bad-pieces' }),
    );
  });
});

describe('soft words of the fixture', () => {
  interface Spoken {
    readonly tokens: readonly number[];
    readonly top: readonly (readonly number[])[];
    readonly logits: readonly (readonly number[])[];
    readonly owner: readonly number[];
    readonly piece: readonly number[];
    readonly arrays: Readonly<Record<'states' | 'base', { file: string; shape: readonly number[] }>>;
  }
  const path = join(__dirname, '../../fixtures/omni-ear');
  const spoken: Spoken[] = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8'));
  const floats = (name: string) => {
    const bytes = readFileSync(join(path, name));
    return new Float32Array(new Uint8Array(bytes).buffer);
  };

  it.each(spoken.map((one, i) => [i, one] as const))('have the rows of the recipe, %i', (_, one) => {
    const states = floats(one.arrays.states.file);
    const width = one.arrays.states.shape[1]!;
    const pieces: Record<string, number[]> = {};
    one.top.forEach((candidates, i) => {
      for (const token of candidates) pieces[`${i === 0 ? 1 : 0}:${token}`] = [token];
    });
    const rows = adapterRows(
      one.tokens.map((token, i) => ({
        token,
        state: states.slice(i * width, (i + 1) * width),
        candidates: one.top[i]!.map((candidate, k) => ({ token: candidate, logit: one.logits[i]![k]! })),
      })),
      table(51_865, 1, pieces),
      embed,
      width,
      2,
    );
    expect(rows.piece).toEqual(one.piece);
    expect([...rows.states]).toEqual([...states]);
    // Each row leans most on the token that was written, and is a mean of its candidates.
    one.tokens.forEach((_token, i) => {
      const among = one.top[i]!;
      expect(rows.base[2 * i]).toBeGreaterThanOrEqual(Math.min(...among));
      expect(rows.base[2 * i]).toBeLessThanOrEqual(Math.max(...among));
    });
  });
});
