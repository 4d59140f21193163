/**
 * Changes the sampling rate by a rational factor with a polyphase FIR (Crochiere and Rabiner, Multirate Digital Signal
 * Processing, ch. 3; Kaiser's window formulas). The filter's memory runs on from block to block, so that the output does
 * not depend on how the input was cut. This file designs filters and keeps their state; the sums are the kernel's.
 *
 * For a ratio up/down the prototype low-pass runs at inputRate * up. Output sample n uses the phase (n * down) mod up of
 * it and the newest input sample floor(n * down / up):
 *
 *   y[n] = sum over k of h[phase + k * up] * x[newest - k]
 *
 * Stop band: 64 dB, from the lower of the two Nyquist frequencies when going down. Going up, the cut-off lies on the
 * Nyquist frequency.
 */
import type { Stage } from '../core/stage';
import { type KernelStep, kernelTaps, maxKernelInput, maxKernelOutput, PolyphaseKernel } from './polyphase-kernel';

const stopBandDb = 64;
/** Upper edge of the pass band when going down, as a part of the output's Nyquist frequency. */
const passBandDown = 0.8;
/** Half width of the transition around the input's Nyquist frequency when going up, as a part of it. */
const halfTransitionUp = 0.1;

interface Design extends KernelStep {
  readonly kernel: PolyphaseKernel;
  /** Input samples that fit the kernel with their outputs. */
  readonly maxBlock: number;
}

/** Designs are the same for all calls and up to 100 kB, so they are made once per pair of rates. */
const designs = new Map<string, Design>();
/** Made with the first resampler of the thread. */
let kernel: PolyphaseKernel | undefined;

export class Resampler implements Stage<Int16Array, Int16Array> {
  private readonly design: Design;
  /** The last taps - 1 samples of what came before. */
  private readonly memory: Int16Array;
  /** Position of the next output in units of 1/up input samples, relative to the next block's first sample. */
  private position = 0;

  constructor(
    readonly inputRate: number,
    readonly outputRate: number,
  ) {
    this.design = designFor(inputRate, outputRate);
    this.memory = new Int16Array(this.design.taps - 1);
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

  /** Writes into `out`; returns the number of samples written. */
  process(input: Int16Array, out: Int16Array, inputLength = input.length): number {
    const whole = inputLength === input.length ? input : input.subarray(0, inputLength);
    if (this.inputRate === this.outputRate) {
      out.set(whole);
      return inputLength;
    }
    const { maxBlock } = this.design;
    if (inputLength <= maxBlock) return this.filter(whole, out, 0);
    let written = 0;
    for (let at = 0; at < inputLength; at += maxBlock) {
      written += this.filter(whole.subarray(at, at + maxBlock), out, written);
    }
    return written;
  }

  reset(): void {
    this.memory.fill(0);
    this.position = 0;
  }

  /** One block that fits the kernel. */
  private filter(block: Int16Array, out: Int16Array, outAt: number): number {
    const { design, memory } = this;
    const { kernel, up, down } = design;
    const { input, output } = kernel;
    const end = block.length * up;
    const count = Math.max(0, Math.ceil((end - this.position) / down));
    input.set(memory);
    input.set(block, memory.length);
    const newest = Math.floor(this.position / up);
    kernel.run(design, memory.length + block.length, newest, this.position - newest * up, count);
    this.position += count * down - end;
    out.set(output.subarray(0, count), outAt);
    memory.set(input.subarray(block.length, block.length + memory.length));
    return count;
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
  const taps = kernelTaps * Math.ceil(length / up / kernelTaps);
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

  // By phase, the newest input sample last: row[k] goes with x[newest - taps + 1 + k].
  const phases = new Float32Array(total);
  for (let phase = 0; phase < up; phase++) {
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += prototype[phase + k * up]!;
    // Every phase passes a constant unchanged: without this the phases differ and a tone hums.
    for (let k = 0; k < taps; k++) phases[phase * taps + (taps - 1 - k)] = prototype[phase + k * up]! / sum;
  }
  kernel ??= new PolyphaseKernel();
  const maxBlock = Math.min(maxKernelInput - taps, Math.floor(((maxKernelOutput - 1) * down) / up));
  return { up, down, taps, kernel, coefficientsAt: kernel.keep(phases), maxBlock };
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
