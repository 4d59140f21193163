import fc from 'fast-check';
import { type KvBank, KvCache, KvPool, newRowNames, SEATS_PER_BANK } from '../../../src/model/trunk/kv-cache';
import { float32Tensor } from '../../../src/onnx/tensors';

const shape = { layers: 2, kvHeads: 2, headWidth: 3, capacity: 600 };
const names = newRowNames(shape.layers);

/** What a graph would hand out for `count` positions: every number tells whose it is, and where. */
function rowsOf(owner: number, position: number, count: number) {
  const { kvHeads, headWidth } = shape;
  const of = (part: number) =>
    Float32Array.from({ length: kvHeads * count * headWidth }, (_, i) => {
      const head = Math.floor(i / (count * headWidth));
      const at = position + (Math.floor(i / headWidth) % count);
      return ((owner * 10 + part) * 10 + head) * 1_000 + at + (i % headWidth) / 8;
    });
  const dims = [1, kvHeads, 1, count, headWidth];
  return Object.fromEntries(names.map((name, part) => [name, float32Tensor(of(part), dims)]));
}

function contentOf({ bank, seat }: { bank: KvBank; seat: number }, length: number): number[][] {
  const { kvHeads, headWidth } = shape;
  return Object.values(bank.feeds(seat, 1)).map(({ data }) =>
    Array.from({ length: kvHeads }, (_, head) => {
      const from = head * bank.room * headWidth;
      return Array.from((data as Float32Array).subarray(from, from + length * headWidth));
    }).flat(),
  );
}

describe('the cache of several sequences', () => {
  it('keeps what each has read, through moves, copies and the leaving of others', () => {
    const operation = fc.record({
      kind: fc.constantFrom('read', 'read', 'read', 'copy', 'cut', 'release'),
      whose: fc.nat(7),
      count: fc.integer({ min: 1, max: 120 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const pool = new KvPool(shape);
        /** Who wrote each position: copies share their beginning with their origin. */
        const live: { cache: KvCache; writers: { owner: number; position: number }[] }[] = [];
        let owners = 0;
        for (const { kind, whose, count } of operations) {
          const one = live[whose];
          if (one === undefined) {
            if (live.length < 8) live.push({ cache: new KvCache(pool), writers: [] });
          } else if (kind === 'read' && one.writers.length + count <= shape.capacity) {
            const position = one.writers.length;
            const { bank, seat } = one.cache.reserve(position + count, position);
            owners += 1;
            bank.write(seat, position, count, rowsOf(owners, position, count), 0);
            for (let i = 0; i < count; i += 1) one.writers.push({ owner: owners, position: position + i });
          } else if (kind === 'copy' && live.length < 8) {
            live.push({ cache: one.cache.copy(one.writers.length), writers: [...one.writers] });
          } else if (kind === 'cut') {
            one.writers.length = Math.max(0, one.writers.length - count);
          } else if (kind === 'release') {
            one.cache.release();
            live.splice(live.indexOf(one), 1);
          }
        }
        const seats = live.flatMap(({ cache }) => cache.seat ?? []);
        for (const [i, { bank, seat }] of seats.entries()) {
          expect(seats.findIndex((other) => other.bank === bank && other.seat === seat)).toBe(i);
        }
        for (const { cache, writers } of live) {
          if (cache.seat === undefined) continue;
          const found = contentOf(cache.seat, writers.length);
          const expected = names.map((name) =>
            Array.from({ length: shape.kvHeads }, (_, head) =>
              writers.flatMap(({ owner, position }) => {
                const { data } = rowsOf(owner, position, 1)[name]!;
                return Array.from(
                  (data as Float32Array).subarray(head * shape.headWidth, (head + 1) * shape.headWidth),
                );
              }),
            ).flat(),
          );
          expect(found).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('seats sequences of about one length side by side, and copies beside their origin', () => {
    const pool = new KvPool(shape);
    const [one, other, long] = [new KvCache(pool), new KvCache(pool), new KvCache(pool)];
    const place = one.reserve(300, 0);
    expect(other.reserve(400, 0)).toEqual({ bank: place.bank, seat: place.seat + 1 });
    expect(long.reserve(520, 0).bank).not.toBe(place.bank);
    expect(one.copy(300).seat).toEqual({ bank: place.bank, seat: place.seat + 2 });
  });

  it('gives a seat that was left to the next, and opens another bank when all are taken', () => {
    const pool = new KvPool(shape);
    const caches = Array.from({ length: SEATS_PER_BANK + 1 }, () => new KvCache(pool));
    const places = caches.map((cache) => cache.reserve(10, 0));
    expect(places.at(-1)!.bank).not.toBe(places[0]!.bank);
    caches[1]!.release();
    expect(new KvCache(pool).reserve(10, 0)).toEqual(places[1]);
  });

  it('has no more room than a sequence may have positions', () => {
    expect(new KvCache(new KvPool(shape)).reserve(shape.capacity, 0).bank.room).toBe(shape.capacity);
  });
});
