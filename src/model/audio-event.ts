/** A voice's samples as the event that leaves a model: 16 bits, clamped. */
import type { AnswerEvent, Word } from './omni-model';

export function audioEvent(samples: Float32Array, sampleRate: number, words: readonly Word[]): AnswerEvent {
  const pcm = new Int16Array(samples.length);
  for (let index = 0; index < pcm.length; index += 1) {
    // Clamp before scaling: ±1.0 must not wrap to the other sign.
    pcm[index] = Math.round(Math.max(-1, Math.min(1, samples[index] ?? 0)) * 32_767);
  }
  return { type: 'audio', pcm, sampleRate, words };
}
