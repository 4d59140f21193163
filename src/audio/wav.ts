/**
 * 16-bit PCM in RIFF/WAVE (Multimedia Programming Interface and Data Specifications 1.0): headers, and reading what
 * others wrote, including files that were cut off while being written.
 *
 *   "RIFF" size "WAVE" | "fmt " 16 tag=1 channels rate bytes/s block bits | ... | "data" size samples, interleaved
 */
import { TrunklineError } from '../core/errors';

export const wavHeaderBytes = 44;

export interface WavFormat {
  readonly sampleRate: number;
  readonly channels: number;
}

export interface Wav extends WavFormat {
  /** One array per channel, all of one length. */
  readonly pcm: readonly Int16Array[];
}

export function wavHeader(format: WavFormat, dataBytes: number): Buffer {
  const header = Buffer.alloc(wavHeaderBytes);
  const block = 2 * format.channels;
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(Math.min(0xffffffff, dataBytes + wavHeaderBytes - 8), 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(format.channels, 22);
  header.writeUInt32LE(format.sampleRate, 24);
  header.writeUInt32LE(format.sampleRate * block, 28);
  header.writeUInt16LE(block, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(Math.min(0xffffffff, dataBytes), 40);
  return header;
}

export function writeWav(wav: Wav): Buffer {
  const samples = wav.pcm[0]?.length ?? 0;
  const data = Buffer.alloc(samples * wav.channels * 2);
  let at = 0;
  for (let i = 0; i < samples; i++) {
    for (const channel of wav.pcm) {
      data.writeInt16LE(channel[i] ?? 0, at);
      at += 2;
    }
  }
  return Buffer.concat([wavHeader(wav, data.length), data]);
}

/** Throws `audio.bad-wav`. A `data` chunk that claims more than there is ends where the file ends. */
export function readWav(file: Uint8Array): Wav {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw badWav('it does not begin as a RIFF/WAVE file does');
  }
  let format: WavFormat | undefined;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    const end = Math.min(bytes.length, start + size);
    if (name === 'fmt ') format = readFormat(bytes, start, end);
    else if (name === 'data') {
      if (format === undefined) throw badWav('its data come before its format');
      return { ...format, pcm: deinterleave(bytes.subarray(start, end), format.channels) };
    }
    // Chunks are padded to an even length.
    at = start + size + (size & 1);
  }
  throw badWav('it holds no data');
}

function readFormat(bytes: Buffer, start: number, end: number): WavFormat {
  if (end - start < 16) throw badWav('its format chunk is too short');
  const tag = bytes.readUInt16LE(start);
  const channels = bytes.readUInt16LE(start + 2);
  const sampleRate = bytes.readUInt32LE(start + 4);
  const bits = bytes.readUInt16LE(start + 14);
  // 0xfffe is the extensible format; with 16 bits it is plain PCM in practice.
  if ((tag !== 1 && tag !== 0xfffe) || bits !== 16) throw badWav('it is not 16-bit PCM');
  if (channels < 1 || channels > 8) throw badWav('it has no channels or too many');
  if (sampleRate < 4000 || sampleRate > 192_000) throw badWav('its sampling rate is out of range');
  return { channels, sampleRate };
}

function deinterleave(data: Buffer, channels: number): Int16Array[] {
  const samples = Math.floor(data.length / (2 * channels));
  const pcm: Int16Array[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const out = new Int16Array(samples);
    for (let i = 0; i < samples; i++) out[i] = data.readInt16LE(2 * (i * channels + channel));
    pcm.push(out);
  }
  return pcm;
}

function badWav(why: string): TrunklineError {
  return new TrunklineError('audio.bad-wav', `The WAV file cannot be read: ${why}.`, {
    fix: 'Convert it to 16-bit PCM WAV, for instance with `sox IN -b 16 OUT.wav`.',
  });
}
