import fc from 'fast-check';
import { joinFloat32 } from '../../../src/audio/pcm';
import type { Frame } from '../../../src/model/codec/delay-pattern';
import { jointRoughness } from '../../../src/model/codec/joints';
import { type FrameDecoder, StreamingDecoder } from '../../../src/model/codec/streaming-decoder';
import type { WindowRules } from '../../../src/model/codec/window-plan';

const SAMPLES = 64;

/** A codec of known reach: each sample is a weighted sum over the frames up to `reach` away on either side. */
class FieldCodec implements FrameDecoder {
  readonly sampleRate = 24_000;
  readonly samplesPerFrame = SAMPLES;
  readonly codebookSize = 4096;
  runs = 0;

  constructor(private readonly reach: number) {}

  async decode(frames: readonly Frame[]): Promise<Float32Array> {
    this.runs += 1;
    const out = new Float32Array(frames.length * SAMPLES);
    for (let sample = 0; sample < out.length; sample += 1) {
      const centre = Math.floor(sample / SAMPLES);
      for (let d = -this.reach; d <= this.reach; d += 1) {
        const level = (frames[centre + d]?.[0] ?? 0) / 4096;
        out[sample]! += level * Math.sin((sample % SAMPLES) * 0.1 + d) * 0.3;
      }
    }
    return out;
  }

  async close(): Promise<void> {}
}

async function stream(codec: FrameDecoder, frames: readonly Frame[], windows: WindowRules, fadeSamples = 0) {
  const decoder = new StreamingDecoder(codec, { windows, fadeSamples });
  const chunks: Float32Array[] = [];
  const drain = async () => {
    for (let chunk = await decoder.next(); chunk !== undefined; chunk = await decoder.next()) chunks.push(chunk.pcm);
  };
  for (const frame of frames) {
    decoder.push(frame);
    await drain();
  }
  decoder.end();
  await drain();
  return { decoder, chunks, pcm: joinFloat32(chunks) };
}

const frame = fc.array(fc.nat(4095), { minLength: 7, maxLength: 7 });

describe('decoding frame by frame', () => {
  it('equals the whole utterance sample by sample when the windows reach as far as the codec', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 40 }), async (frames) => {
        const codec = new FieldCodec(3);
        const { pcm } = await stream(codec, frames, { sizes: [1, 2, 4], left: 3, right: 3, firstRight: 3 });
        expect(pcm).toHaveLength(frames.length * SAMPLES);
        expect(pcm).toEqual(await codec.decode(frames));
      }),
      { numRuns: 40 },
    );
  });

  it('flushes the tail: no frame is lost however few are left', async () => {
    for (let count = 0; count < 12; count += 1) {
      const frames = Array.from({ length: count }, (_, f) => [f * 100, 1, 2, 3, 4, 5, 6]);
      const { pcm } = await stream(new FieldCodec(3), frames, { sizes: [1, 2, 4], left: 3, right: 2, firstRight: 1 });
      expect(pcm).toHaveLength(count * SAMPLES);
    }
  });

  it('begins when the first chunk and its context are there', async () => {
    const decoder = new StreamingDecoder(new FieldCodec(3), {
      windows: { sizes: [1, 2, 4], left: 3, right: 2, firstRight: 1 },
      fadeSamples: 0,
    });
    decoder.push([1, 2, 3, 4, 5, 6, 7]);
    expect(decoder.ready).toBe(false);
    expect(await decoder.next()).toBeUndefined();
    decoder.push([1, 2, 3, 4, 5, 6, 7]);
    expect(decoder.ready).toBe(true);
    expect(await decoder.next()).toMatchObject({ from: 0, to: 1 });
  });

  it('smooths the joint that missing context leaves', async () => {
    const frames = Array.from({ length: 30 }, (_, f) => [2000 + 1500 * Math.round(Math.sin(f)), 0, 0, 0, 0, 0, 0]);
    const windows = { sizes: [4], left: 0, right: 1, firstRight: 1 };
    const rough = await stream(new FieldCodec(1), frames, windows);
    const smooth = await stream(new FieldCodec(1), frames, windows, 32);
    const whole = await new FieldCodec(1).decode(frames);
    const distance = (pcm: Float32Array) => pcm.reduce((sum, value, i) => sum + (value - whole[i]!) ** 2, 0);
    expect(distance(smooth.pcm)).toBeLessThan(distance(rough.pcm));
  });

  it('conceals bad codes instead of skipping frames, and counts them', async () => {
    const frames = [
      [10, 1, 2, 3, 4, 5, 6],
      [4097, 1, 2, 3, 4, 5, 6],
      [12, 1, 2, 3, 4, 5, 4096],
    ];
    const { decoder, pcm } = await stream(new FieldCodec(1), frames, { sizes: [1], left: 1, right: 1, firstRight: 1 });
    expect(pcm).toHaveLength(3 * SAMPLES);
    expect(decoder.concealedCodes).toBe(2);
  });
});

describe('the roughness of a joint', () => {
  const tone = (samples: number, phase = 0) =>
    Float32Array.from({ length: samples }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 200 * i) / 24_000 + phase));

  it('is about one within a steady tone', () => {
    expect(jointRoughness(tone(4800), 2400)).toBeLessThan(1.1);
  });

  it('stands out where the wave jumps', () => {
    const broken = joinFloat32([tone(2400), tone(2400, 1.3)]);
    expect(jointRoughness(broken, 2400)).toBeGreaterThan(10);
  });

  it('finds nothing in silence', () => {
    expect(jointRoughness(new Float32Array(4800), 2400)).toBe(0);
  });
});
