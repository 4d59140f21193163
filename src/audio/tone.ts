/** Sines, and the pairs of sines of a telephone keypad (ITU-T Q.23), with a phase that runs on from frame to frame. */
import { saturate, sineAmplitude } from './pcm';

export class Tone {
  private readonly phases: number[];

  constructor(
    readonly frequenciesHz: readonly number[],
    /** Level of each sine. */
    readonly levelDbm0: number,
    readonly sampleRate: number,
  ) {
    this.phases = frequenciesHz.map(() => 0);
  }

  fill(out: Int16Array): void {
    const amplitude = sineAmplitude(this.levelDbm0);
    out.fill(0);
    for (let tone = 0; tone < this.frequenciesHz.length; tone++) {
      const step = (2 * Math.PI * this.frequenciesHz[tone]!) / this.sampleRate;
      let phase = this.phases[tone]!;
      for (let i = 0; i < out.length; i++) {
        out[i] = saturate(out[i]! + amplitude * Math.sin(phase));
        phase += step;
      }
      this.phases[tone] = phase % (2 * Math.PI);
    }
  }
}

const rowsHz = [697, 770, 852, 941];
const columnsHz = [1209, 1336, 1477, 1633];
const keypad = '123A456B789C*0#D';

/** The two frequencies of a key, undefined for what is no key. */
export function dtmfFrequencies(digit: string): readonly [number, number] | undefined {
  const index = digit.length === 1 ? keypad.indexOf(digit.toUpperCase()) : -1;
  return index < 0 ? undefined : [rowsHz[index >> 2]!, columnsHz[index & 3]!];
}
