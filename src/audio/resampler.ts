/**
 * Changes the sampling rate by a rational factor with a polyphase FIR (Crochiere and Rabiner, Multirate Digital Signal
 * Processing, ch. 3; Kaiser's window formulas). The filter's memory runs on from block to block, so that the output does
 * not depend on how the input was cut.
 *
 * For a ratio up/down the prototype low-pass runs at inputRate * up. Output sample n uses the phase (n * down) mod up of
 * it and the newest input sample floor(n * down / up):
 *
 *   y[n] = sum over k of h[phase + k * up] * x[newest - k]
 *
 * Stop band: 64 dB, from the lower of the two Nyquist frequencies when going down. Going up, the cut-off lies on the
 * Nyquist frequency, so that at a factor of two every other phase is a plain delay and costs nothing.
 */
import type { Stage } from '../core/stage';
import { saturate } from './pcm';

const stopBandDb = 64;
/** Upper edge of the pass band when going down, as a part of the output's Nyquist frequency. */
const passBandDown = 0.8;
/** Half width of the transition around the input's Nyquist frequency when going up, as a part of it. */
const halfTransitionUp = 0.1;

interface Design {
  readonly up: number;
  readonly down: number;
  readonly taps: number;
  /** Coefficients by phase, newest input sample last: phases[phase * taps + k] goes with x[newest - taps + 1 + k]. */
  readonly phases: Float64Array;
  /** Per phase: index of the only tap that matters if the phase is a pure delay, else -1. */
  readonly pureDelay: Int32Array;
}

/** Designs are the same for all calls and up to 200 kB, so they are made once per pair of rates. */
const designs = new Map<string, Design>();

export class Resampler implements Stage<Int16Array, Int16Array> {
  private readonly design: Design;
  /** The last taps - 1 samples of what came before, then the block at hand. */
  private work: Float64Array;
  /** Position of the next output in units of 1/up input samples, relative to the block's first sample. */
  private position = 0;

  constructor(
    readonly inputRate: number,
    readonly outputRate: number,
  ) {
    this.design = designFor(inputRate, outputRate);
    this.work = new Float64Array(this.design.taps - 1 + 1024);
  }

  /** How late a sample leaves, in output samples. */
  get delaySamples(): number {
    return this.inputRate === this.outputRate ? 0 : ((this.design.taps / 2) * this.design.up) / this.design.down;
  }

  /** Upper bound of what `process` writes for a block. */
  maxOutput(inputSamples: number): number {
    return Math.ceil((inputSamples * this.design.up) / this.design.down) + 1;
  }

  push(input: Int16Array): Int16Array[] {
    const out = new Int16Array(this.maxOutput(input.length));
    const written = this.process(input, out);
    return written === 0 ? [] : [out.subarray(0, written)];
  }

  /** Writes into `out` without allocating; returns the number of samples written. */
  process(input: Int16Array, out: Int16Array, inputLength = input.length): number {
    if (this.inputRate === this.outputRate) {
      for (let i = 0; i < inputLength; i++) out[i] = input[i]!;
      return inputLength;
    }
    const { up, down, taps, phases, pureDelay } = this.design;
    const memory = taps - 1;
    if (this.work.length < memory + inputLength) {
      const wider = new Float64Array(memory + inputLength);
      wider.set(this.work.subarray(0, memory));
      this.work = wider;
    }
    const work = this.work;
    for (let i = 0; i < inputLength; i++) work[memory + i] = input[i]!;

    let written = 0;
    let position = this.position;
    const end = inputLength * up;
    while (position < end) {
      const newest = Math.floor(position / up);
      const phase = position - newest * up;
      const delay = pureDelay[phase]!;
      if (delay >= 0) {
        out[written++] = work[newest + delay]!;
      } else {
        const base = phase * taps;
        // Four sums at a time: one would wait for itself at every addition.
        let a = 0;
        let b = 0;
        let c = 0;
        let d = 0;
        for (let k = 0; k < taps; k += 4) {
          const h = base + k;
          const x = newest + k;
          a += phases[h]! * work[x]!;
          b += phases[h + 1]! * work[x + 1]!;
          c += phases[h + 2]! * work[x + 2]!;
          d += phases[h + 3]! * work[x + 3]!;
        }
        out[written++] = saturate(a + b + (c + d));
      }
      position += down;
    }
    this.position = position - end;
    work.copyWithin(0, inputLength, inputLength + memory);
    return written;
  }

  reset(): void {
    this.work.fill(0);
    this.position = 0;
  }
}

function designFor(inputRate: number, outputRate: number): Design {
  const key = `${inputRate}/${outputRate}`;
  let design = designs.get(key);
  if (design === undefined) {
    design = makeDesign(inputRate, outputRate);
    designs.set(key, design);
  }
  return design;
}

function makeDesign(inputRate: number, outputRate: number): Design {
  const divisor = greatestCommonDivisor(inputRate, outputRate);
  const up = outputRate / divisor;
  const down = inputRate / divisor;
  const prototypeRate = inputRate * up;
  const goingUp = outputRate > inputRate;
  const nyquist = Math.min(inputRate, outputRate) / 2;
  const cutoffHz = goingUp ? nyquist : (nyquist * (1 + passBandDown)) / 2;
  const transitionHz = goingUp ? 2 * halfTransitionUp * nyquist : (1 - passBandDown) * nyquist;

  // Kaiser: length from attenuation and transition width (in radians), beta from the attenuation.
  const length = (stopBandDb - 7.95) / (2.285 * ((2 * Math.PI * transitionHz) / prototypeRate));
  const taps = 4 * Math.ceil(length / up / 4);
  const beta = 0.1102 * (stopBandDb - 8.7);

  const total = taps * up;
  const centre = total / 2;
  const prototype = new Float64Array(total);
  for (let i = 0; i < total; i++) {
    const t = i - centre;
    const x = (2 * cutoffHz * t) / prototypeRate;
    const sinc = t === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    const window = bessel0(beta * Math.sqrt(Math.max(0, 1 - (t / centre) ** 2))) / bessel0(beta);
    prototype[i] = sinc * window;
  }

  const phases = new Float64Array(total);
  const pureDelay = new Int32Array(up).fill(-1);
  for (let phase = 0; phase < up; phase++) {
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += prototype[phase + k * up]!;
    let significant = 0;
    for (let k = 0; k < taps; k++) {
      // Every phase passes a constant unchanged: without this the phases differ and a tone hums.
      const value = prototype[phase + k * up]! / sum;
      phases[phase * taps + (taps - 1 - k)] = value;
      if (Math.abs(value) > 1e-7) {
        significant++;
        pureDelay[phase] = taps - 1 - k;
      }
    }
    if (significant !== 1) pureDelay[phase] = -1;
  }
  return { up, down, taps, phases, pureDelay };
}

/** Modified Bessel function of the first kind, order zero, by its power series. */
function bessel0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
