/**
 * One breath group on its way to sound: durations, sampled latents, the flow run only as far as the next chunk needs,
 * and which latents belong to which written word.
 */
import type { PhonemeIds } from './phoneme-ids';
import { type EncodedText, FLOW_CONTEXT_FRAMES, type Latents, sliceLatents, type VitsGraphs } from './vits-graphs';

/** Latents kept of the silence before the first sound and after the last: the attack and the decay lie in them. */
const LEAD_FRAMES = 2;
const TAIL_FRAMES = 8;
/** A flow that reaches this close to the end is run to the end at once. */
const FLOW_REST_FRAMES = 64;
/** No phoneme is held longer (a second): a guard against runaway durations on odd input. */
const MAX_PHONEME_FRAMES = 86;

export interface FrameWord {
  readonly written: number;
  readonly from: number;
  readonly to: number;
}

export class Breath {
  /** Latents to render: the silence of start and end marks is left out. */
  readonly from: number;
  readonly to: number;
  readonly words: readonly FrameWord[];
  private readonly sampled: Latents;
  private readonly z: Latents;
  private flowed = 0;

  constructor(
    private readonly graphs: VitsGraphs,
    phonemes: PhonemeIds,
    encoded: EncodedText,
    noise: Float32Array,
  ) {
    const { channels, noiseScale } = graphs.parameters;
    const starts = frameStarts(encoded.frames);
    const frames = starts.at(-1) ?? 0;
    const startOf = (index: number): number => starts[index] ?? frames;
    this.from = Math.max(0, startOf(phonemes.speechFrom) - LEAD_FRAMES);
    this.to = Math.min(frames, startOf(phonemes.speechTo) + TAIL_FRAMES);
    this.words = phonemes.words.map(({ written, from, to }) => ({ written, from: startOf(from), to: startOf(to) }));
    this.sampled = { data: sample(encoded, starts, frames, channels, noise, noiseScale), frames };
    this.z = { data: new Float32Array(channels * frames), frames };
  }

  /** The latents [from, to), the flow run as far as they need it. */
  async latents(from: number, to: number): Promise<Latents> {
    if (to > this.flowed) await this.flowTo(to);
    return sliceLatents(this.z, from, to);
  }

  get frames(): number {
    return this.z.frames;
  }

  private async flowTo(wanted: number): Promise<void> {
    const frames = this.z.frames;
    const rest = frames - wanted;
    const done = rest <= FLOW_REST_FRAMES || this.flowed > 0 ? frames : wanted;
    const from = Math.max(0, this.flowed - FLOW_CONTEXT_FRAMES);
    const to = Math.min(frames, done + FLOW_CONTEXT_FRAMES);
    const window = await this.graphs.toLatents(sliceLatents(this.sampled, from, to));
    const { channels } = this.graphs.parameters;
    for (let channel = 0; channel < channels; channel += 1) {
      const row = channel * window.frames - from;
      this.z.data.set(window.data.subarray(row + this.flowed, row + done), channel * frames + this.flowed);
    }
    this.flowed = done;
  }
}

/** The first latent of each symbol, and the count of all as last entry. */
function frameStarts(durations: Float32Array): number[] {
  const starts = [0];
  let at = 0;
  for (const duration of durations) {
    at += Math.min(MAX_PHONEME_FRAMES, Math.max(0, Math.ceil(duration)));
    starts.push(at);
  }
  return starts;
}

/** Each symbol's prior, drawn once per latent: mean + noise · scale. */
function sample(
  encoded: EncodedText,
  starts: readonly number[],
  frames: number,
  channels: number,
  noise: Float32Array,
  noiseScale: number,
): Float32Array {
  const symbols = encoded.frames.length;
  const period = noise.length / channels;
  const out = new Float32Array(channels * frames);
  for (let channel = 0; channel < channels; channel += 1) {
    for (let symbol = 0; symbol < symbols; symbol += 1) {
      const mean = encoded.mean[channel * symbols + symbol] ?? 0;
      const scale = Math.exp(encoded.logScale[channel * symbols + symbol] ?? 0) * noiseScale;
      const end = starts[symbol + 1] ?? 0;
      for (let frame = starts[symbol] ?? 0; frame < end; frame += 1) {
        out[channel * frames + frame] = mean + (noise[channel * period + (frame % period)] ?? 0) * scale;
      }
    }
  }
  return out;
}
