/**
 * Our own codec as a decoder of frames: seven codes to latents, latents to sound. The codec looks back only; the voice's
 * generator looks some latents either side, which the windows of `LATENT_WINDOWS` give it.
 */

import type { Frame } from '../codec/delay-pattern';
import type { FrameDecoder } from '../codec/streaming-decoder';
import type { WindowRules } from '../codec/window-plan';
import { amplify } from '../piper/loudness';
import { sliceLatents } from '../piper/vits-graphs';
import type { VoiceSteps } from './voice-graphs';

/** Two frames for the codec and two for the generator before a chunk, one for the generator behind it. */
export const LATENT_WINDOWS: WindowRules = { sizes: [1, 2, 4], left: 4, right: 1, firstRight: 1 };

export class LatentDecoder implements FrameDecoder {
  constructor(private readonly graphs: VoiceSteps) {}

  get sampleRate(): number {
    return this.graphs.parameters.sampleRate;
  }

  get samplesPerFrame(): number {
    return this.graphs.parameters.latentsPerFrame * this.graphs.parameters.hopSamples;
  }

  get codebookSize(): number {
    return this.graphs.parameters.codes;
  }

  async decode(frames: readonly Frame[], firstFrame: number): Promise<Float32Array> {
    const { decoderLeftFrames, latentsPerFrame, gain } = this.graphs.parameters;
    const latents = await this.graphs.latents(frames);
    // Inside the utterance the first frames lack what the codec looks back to: they are left silent.
    const blind = firstFrame > 0 ? Math.min(decoderLeftFrames, frames.length - 1) : 0;
    const sound = await this.graphs.toSound(sliceLatents(latents, blind * latentsPerFrame, latents.frames));
    const pcm = new Float32Array(frames.length * this.samplesPerFrame);
    pcm.set(sound, blind * this.samplesPerFrame);
    amplify(pcm, gain);
    return pcm;
  }

  /** The graphs belong to whoever opened them. */
  async close(): Promise<void> {}
}
