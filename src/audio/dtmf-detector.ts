/**
 * Keys that are sung in the voice band (ITU-T Q.23), found by Goertzel's filter and held against what speech does not do: two
 * pure tones and hardly anything else, at the right frequencies to the hertz, at like levels, without harmonics, steady for 40 ms
 * (the receiver of ITU-T Q.24; talk-off is what a voice that is taken for a key is called).
 *
 *   30 ms windows, a new one each 5 ms:  strongest row + strongest column -> tests -> a key or none
 *   three windows alike: it is pressed;  eight that are not: it was let go
 */
import { type FourierSum, goertzel, hannWindow, squared } from './goertzel';
import { sineAmplitude } from './pcm';

const rate = 8000;
const windowSamples = 240;
const hopSamples = 40;
const hopMs = (hopSamples * 1000) / rate;
const windowMs = (windowSamples * 1000) / rate;
const rowsHz = [697, 770, 852, 941] as const;
const columnsHz = [1209, 1336, 1477, 1633] as const;
const keypad = '123A456B789C*0#D';

/** Each tone at least this loud; Q.24 asks for −25, lines lose more. */
const quietestDbm0 = -38;
/** The column may be louder by the first and softer by the second; Q.24 asks for 4 and 8. */
const mostTwistDb = 6;
const mostReverseTwistDb = 10;
/** Of the window's energy, what the two tones must make up. 0.8 is a tone pair 6 dB above everything else. */
const leastPurity = 0.8;
/** Q.24: 1.5 % must be taken, 3.5 % must not. */
const mostDeviation = 0.022;
/** A voice has harmonics, a key has none: the second of either tone, against the tone. */
const mostHarmonicDb = -16;
/** Between windows of one press the level stays within this. */
const mostWobbleDb = 4;
const windowsToBegin = 3;
/** A gap of 10 ms spoils six windows, the 40 ms between two keys ten. */
const windowsToEnd = 8;

const hann = hannWindow(windowSamples);
const hannSum = windowSamples / 2;
const hannEnergy = hann.reduce((sum, weight) => sum + weight * weight, 0);
/** Mean square of a sine of the quietest level. */
const quietestPower = sineAmplitude(quietestDbm0) ** 2 / 2;

export interface DetectedKey {
  readonly digit: string;
  readonly durationMs: number;
}

interface Heard {
  readonly digit: string;
  readonly levelDb: number;
}

export class DtmfDetector {
  /** The newest samples, oldest first; `filled` of them until the first window is whole. */
  private readonly recent = new Float64Array(windowSamples);
  private readonly windowed = new Float64Array(windowSamples);
  private filled = 0;
  /** Samples that are averaged into one of ours. */
  private readonly averaged: number;
  private pairSum = 0;
  private pairCount = 0;
  private last:
    | { readonly row: FourierSum; readonly column: FourierSum; readonly rowIndex: number; readonly columnIndex: number }
    | undefined;
  private candidate: Heard | undefined;
  private alike = 0;
  private pressed: { readonly digit: string; windows: number } | undefined;
  private missed = 0;

  /** `sampleRate`: 8000, or 16000, which is halved. */
  constructor(sampleRate: 8000 | 16_000) {
    this.averaged = sampleRate / rate;
  }

  /** At most one key per 5 ms; told when it is let go. */
  push(pcm: Int16Array): DetectedKey[] {
    const found: DetectedKey[] = [];
    const { recent, averaged } = this;
    for (let i = 0; i < pcm.length; i++) {
      this.pairSum += pcm[i]!;
      if (++this.pairCount < averaged) continue;
      recent[this.filled++] = this.pairSum / averaged;
      this.pairSum = 0;
      this.pairCount = 0;
      if (this.filled < windowSamples) continue;
      const key = this.step(this.look());
      if (key !== undefined) found.push(key);
      recent.copyWithin(0, hopSamples);
      this.filled = windowSamples - hopSamples;
    }
    return found;
  }

  private step(heard: Heard | undefined): DetectedKey | undefined {
    const steady = heard !== undefined && this.candidate !== undefined && heard.digit === this.candidate.digit;
    const wobble = steady && Math.abs(heard.levelDb - this.candidate!.levelDb) > mostWobbleDb;
    this.alike = heard === undefined ? 0 : steady && !wobble ? this.alike + 1 : 1;
    this.candidate = heard;
    const { pressed } = this;
    if (pressed === undefined) {
      if (this.alike >= windowsToBegin) {
        this.pressed = { digit: heard!.digit, windows: windowsToBegin };
        this.missed = 0;
      }
      return undefined;
    }
    if (heard?.digit === pressed.digit) {
      pressed.windows += this.missed + 1;
      this.missed = 0;
      return undefined;
    }
    if (++this.missed < windowsToEnd && this.alike < windowsToBegin) return undefined;
    // A window tells of a tone that fills most of it: about half of one is gained at either end.
    const durationMs = Math.round((pressed.windows - 1) * hopMs + windowMs / 2);
    this.pressed = this.alike >= windowsToBegin ? { digit: heard!.digit, windows: windowsToBegin } : undefined;
    this.missed = 0;
    return { digit: pressed.digit, durationMs };
  }

  /** The key that the present window holds. */
  private look(): Heard | undefined {
    const { recent, windowed } = this;
    let energy = 0;
    for (let i = 0; i < windowSamples; i++) {
      const value = recent[i]! * hann[i]!;
      windowed[i] = value;
      energy += value * value;
    }
    const previous = this.last;
    this.last = undefined;
    // Mean square of a steady signal with that windowed energy.
    if (energy / hannEnergy < 2 * quietestPower) return undefined;
    const row = strongest(windowed, rowsHz);
    const column = strongest(windowed, columnsHz);
    this.last = { row: row.filtered, column: column.filtered, rowIndex: row.index, columnIndex: column.index };
    if (previous?.rowIndex !== row.index || previous.columnIndex !== column.index) return undefined;

    const rowHz = rowsHz[row.index]!;
    const columnHz = columnsHz[column.index]!;
    const rowOffHz = offsetHz(previous.row, row.filtered, rowHz);
    const columnOffHz = offsetHz(previous.column, column.filtered, columnHz);
    if (Math.abs(rowOffHz) > rowHz * mostDeviation || Math.abs(columnOffHz) > columnHz * mostDeviation)
      return undefined;
    const rowPower = row.power / response(rowOffHz);
    const columnPower = column.power / response(columnOffHz);
    if (Math.min(rowPower, columnPower) < quietestPower) return undefined;
    const twistDb = 10 * Math.log10(columnPower / rowPower);
    if (twistDb > mostTwistDb || twistDb < -mostReverseTwistDb) return undefined;
    if (rowPower + columnPower < leastPurity * (energy / hannEnergy)) return undefined;
    if (harmonicDb(windowed, rowHz + rowOffHz, rowPower) > mostHarmonicDb) return undefined;
    if (harmonicDb(windowed, columnHz + columnOffHz, columnPower) > mostHarmonicDb) return undefined;
    return { digit: keypad[row.index * 4 + column.index]!, levelDb: 10 * Math.log10(rowPower + columnPower) };
  }
}

function strongest(
  windowed: Float64Array,
  frequenciesHz: readonly number[],
): { readonly index: number; readonly filtered: FourierSum; readonly power: number } {
  let best = { index: 0, filtered: { real: 0, imaginary: 0 }, power: -1 };
  for (const [index, frequencyHz] of frequenciesHz.entries()) {
    const filtered = goertzel(windowed, frequencyHz, rate);
    const power = powerOf(filtered);
    if (power > best.power) best = { index, filtered, power };
  }
  return best;
}

/** Mean square of the sine that such a sum stands for. */
function powerOf(sum: FourierSum): number {
  return (2 * squared(sum)) / (hannSum * hannSum);
}

/** How far a tone lies from the frequency it was looked for at: by how much its phase turns within a hop. */
function offsetHz(before: FourierSum, now: FourierSum, frequencyHz: number): number {
  const turned = Math.atan2(now.imaginary, now.real) - Math.atan2(before.imaginary, before.real);
  const expected = (2 * Math.PI * frequencyHz * hopSamples) / rate;
  const extra = turned - expected;
  return ((extra - 2 * Math.PI * Math.round(extra / (2 * Math.PI))) * rate) / (2 * Math.PI * hopSamples);
}

/** The window's own response to a tone that far off, as power. */
function response(offsetHertz: number): number {
  const x = (offsetHertz * windowSamples) / rate;
  if (Math.abs(x) < 1e-6) return 1;
  const amplitude = Math.sin(Math.PI * x) / (Math.PI * x) / (1 - x * x);
  return amplitude * amplitude;
}

function harmonicDb(windowed: Float64Array, frequencyHz: number, power: number): number {
  return 10 * Math.log10(powerOf(goertzel(windowed, 2 * frequencyHz, rate)) / power + 1e-12);
}
