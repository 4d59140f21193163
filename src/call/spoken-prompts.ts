/**
 * Sentences that must be at hand when the engine is not: fillers and fallbacks, in the agent's own voice. The engine
 * speaks each of them once; from then on they are played without it.
 */
import type { AnswerEvent, Persona, Word } from '../model/omni-model';

export interface SpokenChunk {
  readonly pcm: Int16Array;
  readonly sampleRate: number;
  readonly words: readonly Word[];
}

/** A minute and a half of 24 kHz speech; the oldest sentence goes first. */
const MAX_SAMPLES = 90 * 24_000;

export class SpokenPrompts {
  private readonly sentences = new Map<string, readonly SpokenChunk[]>();
  private samples = 0;

  get(voice: string, text: string): readonly SpokenChunk[] | undefined {
    return this.sentences.get(keyOf(voice, text));
  }

  /** Takes the events of one `say` as they pass; keeps the sentence when it is whole. */
  learn(voice: string, text: string): (event: AnswerEvent) => void {
    const chunks: SpokenChunk[] = [];
    return (event) => {
      if (event.type === 'audio') {
        const { pcm, sampleRate, words } = event;
        chunks.push({ pcm: pcm.slice(), sampleRate, words });
      } else if (event.type === 'end' && chunks.length > 0) this.keep(keyOf(voice, text), chunks);
    };
  }

  private keep(key: string, chunks: readonly SpokenChunk[]): void {
    if (this.sentences.has(key)) return;
    const length = samplesOf(chunks);
    if (length > MAX_SAMPLES) return;
    this.sentences.set(key, chunks);
    this.samples += length;
    for (const [oldest, old] of this.sentences) {
      if (this.samples <= MAX_SAMPLES) return;
      this.sentences.delete(oldest);
      this.samples -= samplesOf(old);
    }
  }
}

/** The `voice` that a persona's sentences are kept under: another lexicon makes another sound of the same text. */
export function promptVoiceOf({ voice = '', lexicon }: Pick<Persona, 'voice' | 'lexicon'>): string {
  return lexicon === undefined ? voice : `${voice} ${JSON.stringify(lexicon)}`;
}

export function durationMsOf(chunk: { readonly pcm: Int16Array; readonly sampleRate: number }): number {
  return (chunk.pcm.length * 1_000) / chunk.sampleRate;
}

function samplesOf(chunks: readonly SpokenChunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.pcm.length, 0);
}

function keyOf(voice: string, text: string): string {
  return `${voice}\n${text}`;
}
