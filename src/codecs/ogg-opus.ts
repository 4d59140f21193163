/** Prompts in Ogg Opus (RFC 7845): prism-media takes the pages apart, the Opus decoder does the rest. */
import { Decoder } from '@evan/opus';
import { opus as prism } from 'prism-media';
import { TrunklineError } from '../core/errors';
import { opusDurationTicks } from './opus';

export const PROMPT_RATE = 24_000;

/** RFC 7845 §5.1: the identification header holds the samples to skip, in 48 kHz ticks, at byte 10. */
const PRE_SKIP_OFFSET = 10;
const TICKS_PER_SAMPLE = 48_000 / PROMPT_RATE;
/** Ten minutes: longer is no prompt, and would sit in memory whole. */
const MAX_SECONDS = 600;

/** Mono PCM at 24 kHz. Rejects with `audio.bad-ogg` for whatever is no Ogg Opus; packets that cannot be decoded become silence. */
export async function decodeOggOpus(
  file: Uint8Array,
): Promise<{ readonly pcm: Int16Array; readonly sampleRate: number }> {
  const { head, packets } = await demux(file);
  if (head === undefined || head.length < PRE_SKIP_OFFSET + 2) throw badOgg('it holds no Opus stream');
  const decoder = new Decoder({ channels: 1, sample_rate: PROMPT_RATE });
  const pieces: Int16Array[] = [];
  let samples = 0;
  for (const packet of packets) {
    const piece = decodeOrSilence(decoder, packet);
    pieces.push(piece);
    samples += piece.length;
    if (samples > MAX_SECONDS * PROMPT_RATE) throw badOgg(`it is longer than ${MAX_SECONDS} seconds`);
  }
  const pcm = new Int16Array(samples);
  let at = 0;
  for (const piece of pieces) {
    pcm.set(piece, at);
    at += piece.length;
  }
  const skip = Math.round(head.readUInt16LE(PRE_SKIP_OFFSET) / TICKS_PER_SAMPLE);
  return { pcm: pcm.subarray(Math.min(skip, pcm.length)), sampleRate: PROMPT_RATE };
}

function demux(file: Uint8Array): Promise<{ readonly head: Buffer | undefined; readonly packets: readonly Buffer[] }> {
  return new Promise((resolve, reject) => {
    const demuxer = new prism.OggDemuxer();
    const packets: Buffer[] = [];
    let head: Buffer | undefined;
    demuxer.on('head', (segment: Buffer) => {
      head = Buffer.from(segment);
    });
    demuxer.on('data', (packet: Buffer) => packets.push(packet));
    demuxer.on('end', () => resolve({ head, packets }));
    demuxer.on('error', (cause: Error) => reject(badOgg('its pages are damaged', cause)));
    demuxer.end(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
  });
}

function decodeOrSilence(decoder: Decoder, packet: Buffer): Int16Array {
  const silence = () => new Int16Array(opusDurationTicks(packet) / TICKS_PER_SAMPLE);
  if (opusDurationTicks(packet) === 0) return new Int16Array();
  try {
    const bytes = decoder.decode(packet);
    return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  } catch {
    return silence();
  }
}

function badOgg(why: string, cause?: unknown): TrunklineError {
  return new TrunklineError('audio.bad-ogg', `The file is no Ogg Opus recording: ${why}.`, {
    fix: 'Convert it, for example with opusenc, or use WAV.',
    cause,
  });
}
