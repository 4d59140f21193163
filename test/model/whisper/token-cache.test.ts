import { TokenCache } from '../../../src/model/whisper/token-cache';
import { float32Data } from '../../../src/onnx/tensors';

describe('TokenCache', () => {
  it('shows what was written as the past, without moving it', () => {
    const cache = new TokenCache(4, 1, 2);
    expect(cache.past().dims).toEqual([0, 1, 2, 2]);
    const fresh = cache.fresh(2);
    float32Data(fresh, 'fresh').set([1, 2, 3, 4, 5, 6, 7, 8]);
    cache.advance(2);
    expect([...float32Data(cache.past(), 'past')]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(float32Data(cache.past(), 'past').buffer).toBe(float32Data(fresh, 'fresh').buffer);
  });

  it('forgets from a position on and writes there again', () => {
    const cache = new TokenCache(3, 1, 1);
    for (const value of [1, 2, 3]) {
      float32Data(cache.fresh(1), 'fresh').fill(value);
      cache.advance(1);
    }
    cache.truncate(1);
    float32Data(cache.fresh(1), 'fresh').fill(9);
    cache.advance(1);
    expect([...float32Data(cache.past(), 'past')]).toEqual([1, 1, 9, 9]);
  });

  it('refuses to grow beyond its buffer', () => {
    const cache = new TokenCache(2, 1, 1);
    cache.advance(2);
    expect(() => cache.fresh(1)).toThrow(RangeError);
  });
});
