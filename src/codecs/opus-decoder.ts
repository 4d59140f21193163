/**
 * libopus's decoder with what the native binding of @evan/opus leaves out: repair of a lost packet from the redundancy in
 * the one behind it, and concealment from the decoder's own state (RFC 6716 §2.1.7, §4.2.5, §4.4). It is the WebAssembly
 * build of the same package, opened once per thread, with one decoder state per call in its memory.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TrunklineError } from '../core/errors';

/** The little of the global that is used here; its full types belong to the browser's library. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, () => void>>);
    readonly exports: unknown;
  }
}

/** The exports that are used (opus.h). Addresses are bytes in `memory`; results below 0 are error codes. */
interface Libopus {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(address: number): void;
  opus_decoder_get_size(channels: number): number;
  opus_decoder_init(state: number, sampleRate: number, channels: number): number;
  opus_decode(
    state: number,
    payload: number,
    bytes: number,
    pcm: number,
    samplesPerChannel: number,
    fromRedundancy: 0 | 1,
  ): number;
}

interface Opened {
  readonly library: Libopus;
  /** Where a payload and its samples stand while the library works on them; one at a time, for it is synchronous. */
  readonly payload: number;
  readonly pcm: number;
}

const maxPayloadBytes = 8192;
/** 120 ms at 48 kHz. */
const maxSamples = 5760;

let opened: Opened | undefined;

function open(): Opened {
  const folder = dirname(require.resolve('@evan/opus/package.json'));
  const module = new WebAssembly.Module(readFileSync(join(folder, 'wasm', 'simd.wasm')));
  const nothing = () => {};
  const { exports } = new WebAssembly.Instance(module, {
    wasi_snapshot_preview1: { fd_seek: nothing, fd_write: nothing, fd_close: nothing, proc_exit: nothing },
    env: { emscripten_notify_memory_growth: nothing },
  });
  const library = exports as Libopus;
  return { library, payload: library.malloc(maxPayloadBytes), pcm: library.malloc(2 * maxSamples) };
}

/** Mono. Every method returns the samples written to `out`, 0 for what the library refuses. */
export class OpusDecoder {
  private readonly opened: Opened;
  private state: number;

  constructor(readonly sampleRate: 8000 | 12_000 | 16_000 | 24_000 | 48_000) {
    opened ??= open();
    this.opened = opened;
    const { library } = opened;
    this.state = library.malloc(library.opus_decoder_get_size(1));
    if (this.state === 0 || library.opus_decoder_init(this.state, sampleRate, 1) !== 0) {
      throw new TrunklineError('codecs.no-decoder', 'No Opus decoder could be opened.', {
        fix: 'Check how much memory is free; each call with Opus needs 20 kB.',
      });
    }
  }

  decode(payload: Uint8Array, out: Int16Array): number {
    return this.run(payload, out, maxSamples, 0);
  }

  /** The `samples` before `next`, from the redundancy in it; where it has none, the same as `conceal`. */
  recover(next: Uint8Array, samples: number, out: Int16Array): number {
    return this.run(next, out, samples, 1);
  }

  /** `samples` of what would have come, a multiple of 2.5 ms. */
  conceal(samples: number, out: Int16Array): number {
    return this.run(undefined, out, samples, 0);
  }

  reset(): void {
    if (this.state !== 0) this.opened.library.opus_decoder_init(this.state, this.sampleRate, 1);
  }

  /** Frees the state; nothing is decoded any more. */
  close(): void {
    this.opened.library.free(this.state);
    this.state = 0;
  }

  private run(payload: Uint8Array | undefined, out: Int16Array, samples: number, fromRedundancy: 0 | 1): number {
    const { library, payload: at, pcm } = this.opened;
    if (this.state === 0 || samples > maxSamples || (payload?.length ?? 0) > maxPayloadBytes) return 0;
    if (payload !== undefined) new Uint8Array(library.memory.buffer).set(payload, at);
    let got: number;
    try {
      got = library.opus_decode(
        this.state,
        payload === undefined ? 0 : at,
        payload?.length ?? 0,
        pcm,
        samples,
        fromRedundancy,
      );
    } catch {
      // A trap in the library's own checks; its memory is its own, and so is the damage.
      this.reset();
      return 0;
    }
    if (got <= 0 || got > out.length) return 0;
    out.set(new Int16Array(library.memory.buffer, pcm, got));
    return got;
  }
}
