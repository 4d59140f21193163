/**
 * Opus (RFC 6716) in RTP (RFC 7587) on @evan/opus: the RTP clock is always 48 kHz, the PCM is mono, decoded straight at
 * the rate that the recogniser hears and encoded from the rate that holds the voice. Every packet repeats the one before it,
 * coarsely; how coarsely goes by what the far end loses. The library has been fuzzed; still, sizes and the packet's own layout
 * are checked before it sees anything.
 */
import { Encoder } from '@evan/opus';
import { TrunklineError } from '../core/errors';
import type { Codec, CodecDescription } from './codec';
import { OpusDecoder } from './opus-decoder';

export const opus: CodecDescription = {
  name: 'opus',
  staticPayloadType: undefined,
  clockRate: 48000,
  channels: 2,
  fmtp: 'minptime=10;useinbandfec=1',
  decodeRate: 16000,
  encodeRate: 24000,
};

/** At 24,000 bit/s the encoder leaves the redundancy out unless one packet in ten is lost. */
const bitrate = 32_000;
/**
 * What the encoder is told at least: the first loss comes before the first report of one, and at 5 % what is repeated is so coarse
 * that consonants crackle in it. Beyond the most, speech itself suffers.
 */
const minExpectedLossPercent = 10;
const maxExpectedLossPercent = 30;
const frameMs = 20;
/** RFC 6716 §3.4: a packet lasts at most 120 ms. */
const maxPacketMs = 120;
/** 1,275 bytes per frame and at most 6 frames of 20 ms (§3.2.1, §3.4), with room for headers and padding. */
const maxPayloadBytes = 8000;
const ticksPerVoiceFlag = 960;

/**
 * To be called in the main thread before one that uses Opus is started. @evan/opus 1.0.3 crashes the whole process when
 * the last thread that loaded its native library ends; the main thread's own load keeps the library in place. Importing
 * this file has done it: the call says so.
 */
export function holdOpusLibrary(): void {}

export class Opus implements Codec {
  readonly description = opus;
  readonly maxDecodedSamples = (opus.decodeRate * maxPacketMs) / 1000;
  badPayloads = 0;
  /** A line needs one of the two: each is made when it is first needed. */
  private usedEncoder: Encoder | undefined;
  private usedDecoder: OpusDecoder | undefined;
  private expectedLossPercent = minExpectedLossPercent;

  encode(pcm: Int16Array): Uint8Array {
    const expected = (opus.encodeRate * frameMs) / 1000;
    if (pcm.length !== expected) {
      throw new TrunklineError('codecs.wrong-frame', `An Opus frame here has ${expected} samples.`, {
        fix: "Encode frames of 20 ms at the codec's encodeRate.",
        details: { samples: pcm.length },
      });
    }
    return this.encoder.encode(pcm);
  }

  decode(payload: Uint8Array, out: Int16Array): number {
    if (this.durationTicks(payload) === 0) {
      this.badPayloads++;
      return 0;
    }
    const samples = this.decoder.decode(payload, out);
    if (samples === 0) this.badPayloads++;
    return samples;
  }

  /** RFC 6716 §2.1.7: the frame before `next` is repeated in it where its flag says so. */
  recover(next: Uint8Array, samples: number, out: Int16Array): number {
    const ticks = this.durationTicks(next);
    const sameLength = ticks / opus.clockRate === samples / opus.decodeRate;
    return sameLength && opusHasRedundancy(next) ? this.decoder.recover(next, samples, out) : 0;
  }

  conceal(samples: number, out: Int16Array): number {
    // The library thinks in pieces of 2.5 ms, and knows nothing before a first packet.
    const piece = opus.decodeRate / 400;
    return this.usedDecoder === undefined || samples % piece !== 0 ? 0 : this.decoder.conceal(samples, out);
  }

  /** Up at once, down by half of the way: losses come in crowds. */
  expectLoss(share: number): void {
    const percent = Math.min(maxExpectedLossPercent, Math.max(minExpectedLossPercent, Math.ceil(share * 100)));
    const before = this.expectedLossPercent;
    this.expectedLossPercent = percent >= before ? percent : Math.floor((percent + before) / 2);
    if (this.usedEncoder !== undefined) this.usedEncoder.packet_loss = this.expectedLossPercent;
  }

  durationTicks(payload: Uint8Array): number {
    return opusDurationTicks(payload);
  }

  reset(): void {
    this.usedDecoder?.reset();
  }

  close(): void {
    this.usedDecoder?.close();
  }

  private get encoder(): Encoder {
    if (this.usedEncoder === undefined) {
      this.usedEncoder = new Encoder({ channels: 1, sample_rate: 24000, application: 'voip' });
      this.usedEncoder.bitrate = bitrate;
      this.usedEncoder.complexity = 5;
      this.usedEncoder.inband_fec = true;
      this.usedEncoder.packet_loss = this.expectedLossPercent;
    }
    return this.usedEncoder;
  }

  private get decoder(): OpusDecoder {
    this.usedDecoder ??= new OpusDecoder(16_000);
    return this.usedDecoder;
  }
}

/**
 * Whether a packet of one frame repeats the one before it. A SILK frame begins with a flag of voice activity for each 20 ms
 * of it and one of redundancy behind them, coded at even odds: the top bits of its first byte (RFC 6716 §4.2.3, §4.2.4).
 */
export function opusHasRedundancy(payload: Uint8Array): boolean {
  const toc = payload[0] ?? 0xff;
  const config = toc >> 3;
  // CELT alone has none; several frames are not looked into: a packet's redundancy is one frame's.
  if (config >= 16 || (toc & 0x3) !== 0 || payload.length < 2) return false;
  const voiceFlags = Math.max(1, frameTicks(config) / ticksPerVoiceFlag);
  return ((payload[1]! >> (7 - voiceFlags)) & 1) === 1;
}

/**
 * Length of a packet in 48 kHz ticks from its first bytes (RFC 6716 §3.1), 0 if it can be none.
 *
 *    0 1 2 3 4 5 6 7
 *   +-+-+-+-+-+-+-+-+
 *   | config  |s| c |   c: 0 one frame, 1 and 2 two frames, 3 a count in the next byte
 *   +-+-+-+-+-+-+-+-+
 */
export function opusDurationTicks(payload: Uint8Array): number {
  if (payload.length === 0 || payload.length > maxPayloadBytes) return 0;
  const toc = payload[0]!;
  const code = toc & 0x3;
  let frames = code === 0 ? 1 : 2;
  if (code === 3) {
    if (payload.length < 2) return 0;
    frames = payload[1]! & 0x3f;
  }
  const ticks = frames * frameTicks(toc >> 3);
  return ticks > (maxPacketMs * opus.clockRate) / 1000 ? 0 : ticks;
}

/** RFC 6716 table 2: SILK 10/20/40/60 ms, hybrid 10/20 ms, CELT 2.5/5/10/20 ms. */
function frameTicks(config: number): number {
  if (config < 12) return [480, 960, 1920, 2880][config & 3]!;
  if (config < 16) return [480, 960][config & 1]!;
  return [120, 240, 480, 960][config & 3]!;
}
