/**
 * ITU-T G.722 at 64 kbit/s: 7 kHz of speech at 16 kHz in two sub-bands, one byte per pair of samples. Its RTP clock is
 * 8000 although it samples twice as often, by an error that RFC 3551 §4.5.2 keeps.
 *
 *   7     6     5 4 3 2 1 0
 *   high band   low band
 */
import { TrunklineError } from '../core/errors';
import type { Codec, CodecDescription } from './codec';
import { SubBand, saturate16 } from './g722-band';

/** 200 ms, as for G.711. */
const maxPayloadBytes = 1600;

export const g722: CodecDescription = {
  name: 'G722',
  staticPayloadType: 9,
  clockRate: 8000,
  channels: 1,
  fmtp: undefined,
  decodeRate: 16_000,
  encodeRate: 16_000,
};

/** Of the quadrature mirror filter, every other one (table 11); the others are these backwards. */
const mirror = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
/** Samples that the filter looks at. */
const mirrorTaps = 24;
/** Decision levels of the low band (table 14, Q6). */
const decisions = [
  0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
  1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
/** Codes of the intervals, for differences below and above zero (ILN, ILP). */
const negativeCodes = [
  0, 63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4,
];
const positiveCodes = [
  0, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33,
  32,
];
/** Output of the inverse quantisers: 4 bits for the prediction, 6 for the ear, 2 for the high band (QM4, QM6, QM2). */
const levels4 = [0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0];
const levels6 = [
  -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
  -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728, 24808,
  21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008,
  3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];
const levels2 = [-7408, -1616, 7408, 1616];
/** How the step follows a code (WL by RL42, WH by RH2). */
const lowWeights = [-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60];
const highWeights = [798, -214, 798, -214];

const lowBand = () => new SubBand(32, 8, 18_432);
const highBand = () => new SubBand(8, 10, 22_528);

export class G722 implements Codec {
  readonly description = g722;
  readonly maxDecodedSamples = 2 * maxPayloadBytes;
  badPayloads = 0;
  private readonly encoded = new Uint8Array(maxPayloadBytes);
  private readonly sent = { low: lowBand(), high: highBand(), past: new Int32Array(mirrorTaps) };
  private readonly heard = { low: lowBand(), high: highBand(), past: new Int32Array(mirrorTaps) };

  encode(pcm: Int16Array): Uint8Array {
    if (pcm.length > 2 * maxPayloadBytes || pcm.length % 2 !== 0) {
      throw new TrunklineError(
        'codecs.wrong-frame',
        `A G.722 packet holds an even number of samples, at most ${2 * maxPayloadBytes}.`,
        {
          fix: 'Encode frames of 10 to 60 ms.',
          details: { samples: pcm.length },
        },
      );
    }
    const { low, high, past } = this.sent;
    const bytes = pcm.length / 2;
    for (let at = 0; at < bytes; at++) {
      past.copyWithin(0, 2);
      past[mirrorTaps - 2] = pcm[2 * at]!;
      past[mirrorTaps - 1] = pcm[2 * at + 1]!;
      let odd = 0;
      let even = 0;
      for (let i = 0; i < 12; i++) {
        odd += past[2 * i]! * mirror[i]!;
        even += past[2 * i + 1]! * mirror[11 - i]!;
      }
      this.encoded[at] = (encodeHigh(high, (even - odd) >> 14) << 6) | encodeLow(low, (even + odd) >> 14);
    }
    return this.encoded.subarray(0, bytes);
  }

  decode(payload: Uint8Array, out: Int16Array): number {
    if (payload.length === 0 || payload.length > maxPayloadBytes) {
      this.badPayloads++;
      return 0;
    }
    const { low, high, past } = this.heard;
    for (let at = 0; at < payload.length; at++) {
      const code = payload[at]!;
      const lower = decodeLow(low, code & 0x3f);
      const higher = decodeHigh(high, code >> 6);
      past.copyWithin(0, 2);
      past[mirrorTaps - 2] = lower + higher;
      past[mirrorTaps - 1] = lower - higher;
      let first = 0;
      let second = 0;
      for (let i = 0; i < 12; i++) {
        second += past[2 * i]! * mirror[i]!;
        first += past[2 * i + 1]! * mirror[11 - i]!;
      }
      out[2 * at] = saturate16(first >> 11);
      out[2 * at + 1] = saturate16(second >> 11);
    }
    return 2 * payload.length;
  }

  durationTicks(payload: Uint8Array): number {
    return payload.length > maxPayloadBytes ? 0 : payload.length;
  }

  reset(): void {
    this.heard.low.reset();
    this.heard.high.reset();
    this.heard.past.fill(0);
  }

  close(): void {}
}

/** SUBTRA, QUANTL, INVQAL and the adaptation, clause 6.2.1. */
function encodeLow(band: SubBand, sample: number): number {
  const difference = saturate16(sample - band.predicted);
  const magnitude = difference >= 0 ? difference : ~difference;
  let interval = 1;
  while (interval < 30 && magnitude >= (decisions[interval]! * band.step) >> 12) interval++;
  const code = (difference < 0 ? negativeCodes : positiveCodes)[interval]!;
  adaptLow(band, code >> 2);
  return code;
}

function encodeHigh(band: SubBand, sample: number): number {
  const difference = saturate16(sample - band.predicted);
  const magnitude = difference >= 0 ? difference : ~difference;
  const isFar = magnitude >= (564 * band.step) >> 12;
  const code = difference < 0 ? (isFar ? 0 : 1) : isFar ? 2 : 3;
  adaptHigh(band, code);
  return code;
}

/** Clause 6.2.2: what is heard has six bits, what both sides predict from has four. */
function decodeLow(band: SubBand, code: number): number {
  const sample = limited(band.predicted + ((band.step * levels6[code]!) >> 15));
  adaptLow(band, code >> 2);
  return sample;
}

function decodeHigh(band: SubBand, code: number): number {
  const sample = limited(band.predicted + ((band.step * levels2[code]!) >> 15));
  adaptHigh(band, code);
  return sample;
}

function adaptLow(band: SubBand, code: number): void {
  const difference = (band.step * levels4[code]!) >> 15;
  band.adaptStep(lowWeights[code]!);
  band.update(difference);
}

function adaptHigh(band: SubBand, code: number): void {
  const difference = (band.step * levels2[code]!) >> 15;
  band.adaptStep(highWeights[code]!);
  band.update(difference);
}

/** LIMIT: 15 bits. */
function limited(value: number): number {
  return Math.min(16_383, Math.max(-16_384, value));
}
