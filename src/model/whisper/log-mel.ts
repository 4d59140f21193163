/**
 * Whisper's input features (Radford et al. 2022, §2.2): 80 log-mel bands over 25 ms Hann windows every 10 ms at 16 kHz,
 * ends reflected, clipped 8 decades below the loudest value of the utterance. Bands after Slaney's mel scale.
 */
import { FourierTransform } from './fourier';

export interface LogMelSettings {
  readonly sampleRate: number;
  readonly windowSamples: number;
  readonly hopSamples: number;
  readonly melBands: number;
}

interface Band {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

export class LogMel {
  private readonly fourier: FourierTransform;
  private readonly window: Float64Array;
  private readonly bands: readonly Band[];
  private readonly frames: readonly [Float64Array, Float64Array];
  private readonly powers: readonly [Float64Array, Float64Array];

  constructor(private readonly settings: LogMelSettings) {
    const { windowSamples } = settings;
    this.fourier = new FourierTransform(windowSamples);
    this.window = Float64Array.from(
      { length: windowSamples },
      (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / windowSamples),
    );
    this.bands = slaneyBands(settings);
    const bins = windowSamples / 2 + 1;
    this.frames = [new Float64Array(windowSamples), new Float64Array(windowSamples)];
    this.powers = [new Float64Array(bins), new Float64Array(bins)];
  }

  /** `pcm` −1…1 → [melBands, frames] row by row, frames = samples / hopSamples. Values that are no number count as 0. */
  compute(pcm: Float32Array): { data: Float32Array; frames: number } {
    const { hopSamples, melBands } = this.settings;
    const frames = Math.floor(pcm.length / hopSamples);
    const data = new Float32Array(melBands * frames);
    const [first, second] = this.frames;
    const [firstPower, secondPower] = this.powers;
    let loudest = -Infinity;
    for (let frame = 0; frame < frames; frame += 2) {
      this.cutFrame(pcm, frame, first);
      this.cutFrame(pcm, frame + 1, second);
      this.fourier.powerOfTwo(first, second, firstPower, secondPower);
      loudest = Math.max(loudest, this.writeFrame(firstPower, data, frame, frames));
      if (frame + 1 < frames) loudest = Math.max(loudest, this.writeFrame(secondPower, data, frame + 1, frames));
    }
    const floor = loudest - 8;
    for (let i = 0; i < data.length; i++) data[i] = (Math.max(data[i]!, floor) + 4) / 4;
    return { data, frames };
  }

  /** The window around sample frame · hop, mirrored at both ends of the audio (without repeating the end sample). */
  private cutFrame(pcm: Float32Array, frame: number, into: Float64Array): void {
    const { hopSamples, windowSamples } = this.settings;
    const from = frame * hopSamples - windowSamples / 2;
    const last = pcm.length - 1;
    for (let n = 0; n < windowSamples; n++) {
      let at = from + n;
      if (at < 0) at = -at;
      if (at > last) at = Math.max(0, 2 * last - at);
      const sample = pcm[at] ?? 0;
      into[n] = Number.isFinite(sample) ? sample * this.window[n]! : 0;
    }
  }

  private writeFrame(power: Float64Array, data: Float32Array, frame: number, frames: number): number {
    let loudest = -Infinity;
    for (let band = 0; band < this.bands.length; band++) {
      const { firstBin, weights } = this.bands[band]!;
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[firstBin + i]!;
      const value = Math.log10(Math.max(sum, 1e-10));
      data[band * frames + frame] = value;
      if (value > loudest) loudest = value;
    }
    return loudest;
  }
}

/** Triangles between neighbouring points of the mel scale, each of area 1 (Slaney's Auditory Toolbox). */
function slaneyBands({ sampleRate, windowSamples, melBands }: LogMelSettings): Band[] {
  const top = hertzToMel(sampleRate / 2);
  const edges = Array.from({ length: melBands + 2 }, (_, i) => melToHertz((top * i) / (melBands + 1)));
  const binHertz = sampleRate / windowSamples;
  const bins = windowSamples / 2 + 1;
  return Array.from({ length: melBands }, (_, band) => {
    const low = edges[band]!;
    const centre = edges[band + 1]!;
    const high = edges[band + 2]!;
    const firstBin = Math.floor(low / binHertz);
    const count = Math.min(Math.ceil(high / binHertz), bins - 1) - firstBin + 1;
    const weights = Float64Array.from({ length: count }, (_, i) => {
      const hertz = (firstBin + i) * binHertz;
      const triangle = Math.min((hertz - low) / (centre - low), (high - hertz) / (high - centre));
      return (Math.max(0, triangle) * 2) / (high - low);
    });
    return { firstBin, weights };
  });
}

// Linear up to 1 kHz (200/3 Hz a mel), logarithmic above, 27 mels for a factor of 6.4.
const LINEAR_HERTZ = 200 / 3;
const BREAK_HERTZ = 1000;
const BREAK_MEL = BREAK_HERTZ / LINEAR_HERTZ;
const LOG_STEP = Math.log(6.4) / 27;

function hertzToMel(hertz: number): number {
  return hertz < BREAK_HERTZ ? hertz / LINEAR_HERTZ : BREAK_MEL + Math.log(hertz / BREAK_HERTZ) / LOG_STEP;
}

function melToHertz(mel: number): number {
  return mel < BREAK_MEL ? mel * LINEAR_HERTZ : BREAK_HERTZ * Math.exp(LOG_STEP * (mel - BREAK_MEL));
}
