/** Faint noise for when nothing is said, so that the line sounds alive: a loop of white noise made once per rate. */
import { noiseRms, saturate } from './pcm';

const loopSeconds = 4;
/** Loops are shared by all calls of a rate; each call starts elsewhere in it. */
const loops = new Map<string, Int16Array>();

export class ComfortNoise {
  private readonly loop: Int16Array;
  private at: number;

  /** `random` yields 0…1 and picks where in the loop this call begins. */
  constructor(sampleRate: number, levelDbm0: number, random: () => number) {
    const key = `${sampleRate}/${levelDbm0}`;
    let loop = loops.get(key);
    if (loop === undefined) {
      loop = makeLoop(sampleRate * loopSeconds, noiseRms(levelDbm0));
      loops.set(key, loop);
    }
    this.loop = loop;
    this.at = Math.floor(random() * loop.length) % loop.length;
  }

  fill(out: Int16Array, from = 0): void {
    let at = this.at;
    for (let i = from; i < out.length; i++) {
      out[i] = this.loop[at]!;
      if (++at === this.loop.length) at = 0;
    }
    this.at = at;
  }
}

/** Sum of uniform values: near enough to Gaussian, and the same in every run (xorshift32, Marsaglia 2003). */
function makeLoop(samples: number, rms: number): Int16Array {
  const loop = new Int16Array(samples);
  let state = 0x9e3779b9;
  for (let i = 0; i < samples; i++) {
    let sum = 0;
    for (let k = 0; k < 3; k++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      sum += (state >>> 0) / 0x80000000 - 1;
    }
    loop[i] = saturate(sum * rms);
  }
  return loop;
}
