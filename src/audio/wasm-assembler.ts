/**
 * A few WebAssembly instructions by name, and the frame of a module with one memory and one function: enough to write an
 * inner loop with SIMD (WebAssembly Core Specification 2.0, ch. 5), and no compiler, binary or build step beside it.
 */

/** What is used of the runtime's own; its types come with those of browsers only. */
declare namespace WebAssembly {
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module);
  }
}

/** Bytes of one or more instructions. */
export type Code = readonly number[];

export type ValueType = 'i32' | 'v128';

const valueTypes: Readonly<Record<ValueType, number>> = { i32: 0x7f, v128: 0x7b };
const sections = { type: 1, function: 3, memory: 5, export: 7, code: 10 } as const;
const kinds = { function: 0, memory: 2 } as const;
const emptyBlock = 0x40;
const simdPrefix = 0xfd;
/** Accesses may lie anywhere: alignment is a hint only. */
const unaligned = 0;

/** Unsigned LEB128 (§5.2.2). */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** Signed LEB128. */
function signed(value: number): number[] {
  const low = value & 0x7f;
  const rest = value >> 7;
  const over = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return over ? [low] : [low | 0x80, ...signed(rest)];
}

function simd(opcode: number, ...immediates: number[]): Code {
  return [simdPrefix, ...unsigned(opcode), ...immediates];
}

const access = (offsetBytes: number) => [unaligned, ...unsigned(offsetBytes)];

export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  add: [0x6a],
  subtract: [0x6b],
  multiply: [0x6c],
  shiftLeft: [0x74],
  lessUnsigned: [0x49],
  atLeastUnsigned: [0x4f],
} as const;

/** Vectors of 128 bits; each operation takes its operands from the stack. */
export const v128 = {
  load: (offsetBytes = 0): Code => simd(0, ...access(offsetBytes)),
  /** Four 16-bit samples, widened to 32 bits with their sign. */
  loadInt16x4: (offsetBytes = 0): Code => simd(3, ...access(offsetBytes)),
  store: (offsetBytes = 0): Code => simd(11, ...access(offsetBytes)),
  storeInt16: (lane: number, offsetBytes = 0): Code => simd(89, ...access(offsetBytes), lane),
  zero: simd(12, ...new Array<number>(16).fill(0)),
  /** Lanes of both operands, bytes 0 to 31, in the order given. */
  shuffle: (...bytes: number[]): Code => simd(13, ...bytes),
  addFloat32: simd(228),
  multiplyFloat32: simd(230),
  /** To the nearest integer, ties to even. */
  roundFloat32: simd(106),
  /** What does not fit is clipped; NaN becomes 0. */
  int32FromFloat32: simd(248),
  float32FromInt32: simd(250),
  /** 32 to 16 bits, clipped. */
  int16FromInt32: simd(133),
} as const;

/** Runs `body` again as long as `condition` leaves other than 0 on the stack; at least once. */
export function repeatWhile(condition: Code, body: Code): Code {
  return [0x03, emptyBlock, ...body, ...condition, 0x0d, 0, 0x0b];
}

export function when(condition: Code, body: Code): Code {
  return [...condition, 0x04, emptyBlock, ...body, 0x0b];
}

export interface Local {
  readonly get: Code;
  readonly set: Code;
}

/** Parameters and local variables of a function: parameters are all i32 and come first. */
export class Locals {
  private readonly types: ValueType[] = [];

  constructor(private readonly parameters: number) {}

  parameter(index: number): Local {
    return this.at(index);
  }

  variable(type: ValueType): Local {
    return this.at(this.parameters + this.types.push(type) - 1);
  }

  /** As the function's body begins (§5.4.6). */
  get declaration(): Code {
    return [...unsigned(this.types.length), ...this.types.flatMap((type) => [1, valueTypes[type]])];
  }

  private at(index: number): Local {
    return { get: [0x20, ...unsigned(index)], set: [0x21, ...unsigned(index)] };
  }
}

export interface Program {
  readonly memory: WebAssembly.Memory;
  readonly run: (...parameters: number[]) => void;
}

/** A program with a memory of so many pages of 64 KiB and one function, of i32 parameters that returns nothing. */
export function assemble(pages: number, parameters: number, locals: Locals, body: Code): Program {
  const module = new WebAssembly.Module(encode(pages, parameters, locals, body));
  return new WebAssembly.Instance(module).exports as unknown as Program;
}

function encode(pages: number, parameters: number, locals: Locals, body: Code): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: Code) => [id, ...unsigned(content.length), ...content];
  const name = (text: string) => [text.length, ...Buffer.from(text, 'latin1')];
  const code = [...locals.declaration, ...body, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(sections.type, [1, 0x60, parameters, ...new Array<number>(parameters).fill(valueTypes.i32), 0]),
    ...section(sections.function, [1, 0]),
    ...section(sections.memory, [1, 0, ...unsigned(pages)]),
    ...section(sections.export, [2, ...name('memory'), kinds.memory, 0, ...name('run'), kinds.function, 0]),
    ...section(sections.code, [1, ...unsigned(code.length), ...code]),
  ]);
}
