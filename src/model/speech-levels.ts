/** Where a span of a caller's audio is quiet: 20 ms frames held against the span's own noise and its own loudest frame. */
const FRAME_SAMPLES = 320;
/** A frame is quiet this far below the loudest: the weakest consonants lie about 35 dB below a vowel. */
const BELOW_LOUDEST_DB = 40;
/** Or within this of the noise. */
const ABOVE_NOISE_DB = 6;
/** The noise is the level that one frame in this many does not reach. */
const NOISE_SHARE = 10;
/** Digital silence would make any noise loud. */
const LEAST_NOISE_DB = -75;

export class SpeechLevels {
  private readonly quiet: readonly boolean[];

  /** `pcm` −1…1 at 16 kHz. */
  constructor(private readonly pcm: Float32Array) {
    const levels: number[] = [];
    for (let from = 0; from < pcm.length; from += FRAME_SAMPLES) {
      let sum = 0;
      const to = Math.min(pcm.length, from + FRAME_SAMPLES);
      for (let i = from; i < to; i += 1) sum += pcm[i]! * pcm[i]!;
      levels.push(10 * Math.log10(sum / (to - from) + 1e-12));
    }
    const sorted = [...levels].sort((a, b) => a - b);
    const noise = Math.max(LEAST_NOISE_DB, sorted[Math.floor(sorted.length / NOISE_SHARE)] ?? LEAST_NOISE_DB);
    const loudest = sorted[sorted.length - 1] ?? LEAST_NOISE_DB;
    const threshold = Math.max(noise + ABOVE_NOISE_DB, loudest - BELOW_LOUDEST_DB);
    // Where nothing stands out there is no telling speech from silence: then nothing is quiet but what is very quiet.
    const told = loudest > noise + 3 * ABOVE_NOISE_DB;
    this.quiet = levels.map((level) => level <= (told ? threshold : LEAST_NOISE_DB));
  }

  get loudSamples(): number {
    return this.quiet.filter((quiet) => !quiet).length * FRAME_SAMPLES;
  }

  /** Samples of quiet at the end. */
  get quietTail(): number {
    const last = this.quiet.lastIndexOf(false);
    return Math.max(0, this.pcm.length - (last + 1) * FRAME_SAMPLES);
  }

  /** True when no frame that lies in [fromSample, toSample) by more than half is loud. */
  isQuiet(fromSample: number, toSample: number): boolean {
    const first = Math.round(fromSample / FRAME_SAMPLES);
    const end = Math.round(toSample / FRAME_SAMPLES);
    return this.quiet.slice(first, Math.max(first, end)).every(Boolean);
  }
}
