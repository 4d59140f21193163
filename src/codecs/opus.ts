/**
 * Opus (RFC 6716) in RTP (RFC 7587) on @evan/opus: the RTP clock is always 48 kHz, the PCM is mono, decoded straight at
 * the rate that the recogniser hears and encoded from the rate that holds the voice. The library throws on bad packets
 * and has been fuzzed; still, sizes and the packet's own layout are checked before it sees anything.
 */
import { Decoder, Encoder } from '@evan/opus';
import { TrunklineError } from '../core/errors';
import type { Codec, CodecDescription } from './codec';

export const opus: CodecDescription = {
  name: 'opus',
  staticPayloadType: undefined,
  clockRate: 48000,
  channels: 2,
  fmtp: 'minptime=10;useinbandfec=1',
  decodeRate: 16000,
  encodeRate: 24000,
};

const bitrate = 24_000;
const frameMs = 20;
/** RFC 6716 §3.4: a packet lasts at most 120 ms. */
const maxPacketMs = 120;
/** 1,275 bytes per frame and at most 6 frames of 20 ms (§3.2.1, §3.4), with room for headers and padding. */
const maxPayloadBytes = 8000;

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
  private readonly encoder: Encoder;
  private readonly decoder: Decoder;

  constructor() {
    this.encoder = new Encoder({ channels: 1, sample_rate: 24000, application: 'voip' });
    this.encoder.bitrate = bitrate;
    this.encoder.complexity = 5;
    this.encoder.inband_fec = true;
    this.encoder.packet_loss = 5;
    this.decoder = new Decoder({ channels: 1, sample_rate: 16000 });
  }

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
    try {
      const bytes = this.decoder.decode(payload);
      const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
      out.set(samples);
      return samples.length;
    } catch {
      this.badPayloads++;
      return 0;
    }
  }

  durationTicks(payload: Uint8Array): number {
    return opusDurationTicks(payload);
  }

  reset(): void {
    this.decoder.reset();
  }
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
