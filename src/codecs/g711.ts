/**
 * ITU-T G.711: 64 kbit/s, one byte per sample at 8 kHz, mu-law (PCMU) and A-law (PCMA), by table in both directions.
 *
 *   mu-law byte, stored inverted          A-law byte, even bits inverted (xor 0x55)
 *   7    6 5 4    3 2 1 0                 7    6 5 4    3 2 1 0
 *   sign segment  step                    sign segment  step        (sign bit set: positive)
 */
import { TrunklineError } from '../core/errors';
import type { Codec, CodecDescription } from './codec';

const sampleRate = 8000;
/** 200 ms; a longer packet does not fit a jitter buffer anyway. */
const maxPayloadBytes = 1600;

export const pcmu: CodecDescription = {
  name: 'PCMU',
  staticPayloadType: 0,
  clockRate: sampleRate,
  channels: 1,
  fmtp: undefined,
  decodeRate: sampleRate,
  encodeRate: sampleRate,
};

export const pcma: CodecDescription = { ...pcmu, name: 'PCMA', staticPayloadType: 8 };

/** 33 in 14-bit steps lifts every value above the first segment's base (G.711 table 2a). */
const muLawBias = 0x84;
const muLawClip = 8159;
const muLawSegmentEnds = [0x3f, 0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff, 0x1fff];
const aLawSegmentEnds = [0x1f, 0x3f, 0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff];

function segmentOf(value: number, ends: readonly number[]): number {
  const segment = ends.findIndex((end) => value <= end);
  return segment < 0 ? ends.length : segment;
}

export function muLawFromLinear(sample: number): number {
  // The law is defined on 14 bits (G.711 §3.2).
  let value = sample >> 2;
  const mask = value < 0 ? 0x7f : 0xff;
  if (value < 0) value = -value;
  value = Math.min(value, muLawClip) + (muLawBias >> 2);
  const segment = segmentOf(value, muLawSegmentEnds);
  if (segment >= 8) return 0x7f ^ mask;
  return ((segment << 4) | ((value >> (segment + 1)) & 0xf)) ^ mask;
}

export function linearFromMuLaw(byte: number): number {
  const value = ~byte & 0xff;
  const magnitude = (((value & 0x0f) << 3) + muLawBias) << ((value & 0x70) >> 4);
  return value & 0x80 ? muLawBias - magnitude : magnitude - muLawBias;
}

export function aLawFromLinear(sample: number): number {
  // The law is defined on 13 bits (G.711 §3.1).
  let value = sample >> 3;
  const mask = value >= 0 ? 0xd5 : 0x55;
  if (value < 0) value = -value - 1;
  const segment = segmentOf(value, aLawSegmentEnds);
  if (segment >= 8) return 0x7f ^ mask;
  const step = segment < 2 ? (value >> 1) & 0xf : (value >> segment) & 0xf;
  return ((segment << 4) | step) ^ mask;
}

export function linearFromALaw(byte: number): number {
  const value = byte ^ 0x55;
  const segment = (value & 0x70) >> 4;
  let magnitude = (value & 0x0f) << 4;
  if (segment === 0) magnitude += 8;
  else magnitude = (magnitude + 0x108) << (segment - 1);
  return value & 0x80 ? magnitude : -magnitude;
}

interface Law {
  readonly encode: Uint8Array;
  readonly decode: Int16Array;
}

/** `encode` is indexed by the sample's 16 bits read as unsigned. */
function makeLaw(fromLinear: (sample: number) => number, toLinear: (byte: number) => number): Law {
  const encode = new Uint8Array(65536);
  for (let i = 0; i < 65536; i++) encode[i] = fromLinear((i << 16) >> 16);
  const decode = new Int16Array(256);
  for (let i = 0; i < 256; i++) decode[i] = toLinear(i);
  return { encode, decode };
}

const muLaw = makeLaw(muLawFromLinear, linearFromMuLaw);
const aLaw = makeLaw(aLawFromLinear, linearFromALaw);

export class G711 implements Codec {
  readonly maxDecodedSamples = maxPayloadBytes;
  badPayloads = 0;
  private readonly law: Law;
  private readonly encoded = new Uint8Array(maxPayloadBytes);

  constructor(readonly description: typeof pcmu) {
    this.law = description.name === 'PCMA' ? aLaw : muLaw;
  }

  encode(pcm: Int16Array): Uint8Array {
    if (pcm.length > maxPayloadBytes) {
      throw new TrunklineError('codecs.wrong-frame', `A G.711 packet holds at most ${maxPayloadBytes} samples.`, {
        fix: 'Encode frames of 20 to 60 ms.',
        details: { samples: pcm.length },
      });
    }
    const table = this.law.encode;
    const out = this.encoded;
    for (let i = 0; i < pcm.length; i++) out[i] = table[pcm[i]! & 0xffff]!;
    return out.subarray(0, pcm.length);
  }

  decode(payload: Uint8Array, out: Int16Array): number {
    if (payload.length === 0 || payload.length > maxPayloadBytes) {
      this.badPayloads++;
      return 0;
    }
    const table = this.law.decode;
    for (let i = 0; i < payload.length; i++) out[i] = table[payload[i]!]!;
    return payload.length;
  }

  durationTicks(payload: Uint8Array): number {
    return payload.length > maxPayloadBytes ? 0 : payload.length;
  }

  reset(): void {}

  close(): void {}
}
