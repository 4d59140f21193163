/**
 * The inner loop of the resampler, four multiplications at a time (WebAssembly SIMD): JavaScript needs more than a
 * nanosecond per tap, and bringing a voice to a telephone's rate takes 17,000 taps per 20 ms.
 *
 *   y[n] = sum over k of h[phase * taps + k] * x[newest + k],  then (newest, phase) moves on by down / up
 *
 * One instance serves all resamplers of a thread: coefficients lie in its memory for good, samples only while it runs.
 */
import { assemble, type Code, i32, type Local, Locals, type Program, repeatWhile, v128, when } from './wasm-assembler';

/** Most samples that `run` takes at once, those of the filter's memory included. */
export const maxKernelInput = 4096;
/** Most samples that `run` writes at once. */
export const maxKernelOutput = 16_384;
/** Taps of a phase come in so many. */
export const kernelTaps = 8;

const pageBytes = 65_536;
const floatBytes = 4;
const sampleBytes = 2;
/** Where things lie in the kernel's memory; coefficients follow. */
const inputAt = 0;
const workAt = inputAt + maxKernelInput * sampleBytes;
const outputAt = workAt + maxKernelInput * floatBytes;
const coefficientsAt = outputAt + maxKernelOutput * sampleBytes;

export interface KernelStep {
  readonly coefficientsAt: number;
  readonly taps: number;
  readonly up: number;
  readonly down: number;
}

export class PolyphaseKernel {
  /** Samples to filter, oldest first. */
  input: Int16Array;
  output: Int16Array;
  private readonly program = kernelProgram();
  private usedBytes = coefficientsAt;

  constructor() {
    [this.input, this.output] = this.views();
  }

  /** Keeps coefficients, row by row; returns where they lie. */
  keep(coefficients: Float32Array): number {
    const { memory } = this.program;
    const at = this.usedBytes;
    this.usedBytes += Math.ceil(coefficients.byteLength / 16) * 16;
    const missingBytes = this.usedBytes - memory.buffer.byteLength;
    if (missingBytes > 0) {
      memory.grow(Math.ceil(missingBytes / pageBytes));
      // A memory that grew has another buffer.
      [this.input, this.output] = this.views();
    }
    new Float32Array(memory.buffer, at, coefficients.length).set(coefficients);
    return at;
  }

  /**
   * Filters the first `inputLength` samples of `input` into `count` samples of `output`. The first of them begins at
   * input sample `newest` with `phase`; the last one's taps must end within the input.
   */
  run(step: KernelStep, inputLength: number, newest: number, phase: number, count: number): void {
    if (count === 0) return;
    const whole = Math.floor(step.down / step.up);
    this.program.run(
      step.coefficientsAt,
      step.taps * floatBytes,
      step.up,
      whole,
      step.down - whole * step.up,
      inputLength,
      newest,
      phase,
      count,
    );
  }

  private views(): [Int16Array, Int16Array] {
    const { buffer } = this.program.memory;
    return [new Int16Array(buffer, inputAt, maxKernelInput), new Int16Array(buffer, outputAt, maxKernelOutput)];
  }
}

function kernelProgram(): Program {
  const parameters = 9;
  const locals = new Locals(parameters);
  const [coefficients, rowBytes, up, whole, part, inputLength, newest, phase, count] = Array.from(
    { length: parameters },
    (_, index) => locals.parameter(index),
  ) as [Local, Local, Local, Local, Local, Local, Local, Local, Local];
  const at = locals.variable('i32');
  const tap = locals.variable('i32');
  const lastTap = locals.variable('i32');
  const sample = locals.variable('i32');
  const out = locals.variable('i32');
  const even = locals.variable('v128');
  const odd = locals.variable('v128');

  const move = (local: Local, by: Code): Code => [...local.get, ...by, ...i32.add, ...local.set];
  const product = (offsetBytes: number): Code => [
    ...tap.get,
    ...v128.load(offsetBytes),
    ...sample.get,
    ...v128.load(offsetBytes),
    ...v128.multiplyFloat32,
  ];
  const accumulate = (sum: Local, offsetBytes: number): Code => [
    ...sum.get,
    ...product(offsetBytes),
    ...v128.addFloat32,
    ...sum.set,
  ];
  /** Adds to each lane the one that lies `lanes` further. */
  const fold = (lanes: number): Code => {
    const bytes = Array.from({ length: 16 }, (_, byte) => (byte + lanes * floatBytes) % 16);
    return [...even.get, ...even.get, ...even.get, ...v128.shuffle(...bytes), ...v128.addFloat32, ...even.set];
  };

  const widenInput: Code = [
    ...i32.constant(0),
    ...at.set,
    ...repeatWhile(
      [...at.get, ...inputLength.get, ...i32.lessUnsigned],
      [
        ...[...at.get, ...i32.constant(2), ...i32.shiftLeft],
        ...[...at.get, ...i32.constant(1), ...i32.shiftLeft, ...v128.loadInt16x4(inputAt), ...v128.float32FromInt32],
        ...v128.store(workAt),
        ...move(at, i32.constant(4)),
      ],
    ),
  ];
  const onePhase: Code = [
    ...[...coefficients.get, ...phase.get, ...rowBytes.get, ...i32.multiply, ...i32.add, ...tap.set],
    ...[...tap.get, ...rowBytes.get, ...i32.add, ...lastTap.set],
    ...[...newest.get, ...i32.constant(2), ...i32.shiftLeft, ...i32.constant(workAt), ...i32.add, ...sample.set],
    ...[...v128.zero, ...even.set, ...v128.zero, ...odd.set],
    ...repeatWhile(
      [...tap.get, ...lastTap.get, ...i32.lessUnsigned],
      [
        ...accumulate(even, 0),
        ...accumulate(odd, 16),
        ...move(tap, i32.constant(kernelTaps * floatBytes)),
        ...move(sample, i32.constant(kernelTaps * floatBytes)),
      ],
    ),
    ...[...even.get, ...odd.get, ...v128.addFloat32, ...even.set],
    ...fold(2),
    ...fold(1),
  ];
  const writeSample: Code = [
    ...out.get,
    ...[...even.get, ...v128.roundFloat32, ...v128.int32FromFloat32],
    ...[...v128.zero, ...v128.int16FromInt32],
    ...v128.storeInt16(0),
    ...move(out, i32.constant(sampleBytes)),
  ];
  const moveOn: Code = [
    ...move(newest, whole.get),
    ...move(phase, part.get),
    ...when(
      [...phase.get, ...up.get, ...i32.atLeastUnsigned],
      [...phase.get, ...up.get, ...i32.subtract, ...phase.set, ...move(newest, i32.constant(1))],
    ),
  ];
  const body: Code = [
    ...widenInput,
    ...[...i32.constant(outputAt), ...out.set],
    ...repeatWhile(
      [...count.get, ...i32.constant(1), ...i32.subtract, ...count.set, ...count.get],
      [...onePhase, ...writeSample, ...moveOn],
    ),
  ];
  return assemble(Math.ceil(coefficientsAt / pageBytes), parameters, locals, body);
}
