/** Entry point of a short-lived thread that turns one finished recording from WAV into Ogg Opus. */
import { open } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { wavHeaderBytes } from '../audio/wav';
import { OggOpusWriter } from '../codecs/ogg-opus-writer';
import { callSampleRate } from '../media/inbound';

const chunkBytes = 256 * 1024;

/** `from` is a recording of ours: 44 bytes of header, stereo at 16 kHz; one cut off by a crash is read to its end. */
async function transcode(from: string, to: string): Promise<void> {
  const source = await open(from, 'r');
  const target = await open(to, 'w', 0o600);
  try {
    const writer = new OggOpusWriter({ sampleRate: callSampleRate, channels: 2 }, 1);
    for (const page of writer.begin()) await target.write(page);
    const buffer = Buffer.alloc(chunkBytes);
    for (let at = wavHeaderBytes; ; ) {
      const { bytesRead } = await source.read(buffer, 0, chunkBytes, at);
      const whole = bytesRead - (bytesRead % 4);
      if (whole === 0) break;
      at += whole;
      for (const page of writer.push(new Int16Array(buffer.buffer, buffer.byteOffset, whole / 2))) {
        await target.write(page);
      }
    }
    for (const page of writer.end()) await target.write(page);
    await target.sync();
  } finally {
    await source.close();
    await target.close();
  }
}

const { from, to } = workerData as { readonly from: string; readonly to: string };
void transcode(from, to).then(() => parentPort?.postMessage('done'));
