/**
 * The cascade engine: recogniser, language model and voice in a row, streamed so that the voice starts on the first
 * clause while the language model is still writing the next. The yardstick of the end-to-end engines.
 */
import type { Brain } from '../brain/conversation-brain';
import type { Ear } from '../call-hearing';
import { CallSession, type SessionParts } from '../call-session';
import type { OmniModel, OmniSession, Persona } from '../omni-model';
import type { Recogniser, Voice } from '../parts';
import { WarmUp } from '../warm-up';
import { ClauseSpeech } from './clause-speech';

/** Tokens that the brain may write between two chunks of the voice: enough to stay ahead, too few to starve it. */
const TOKENS_PER_CHUNK = 4;

export interface CascadeParts {
  readonly recogniser: Recogniser;
  readonly brain: Brain;
  readonly voice: Voice;
  readonly nowMs: () => number;
}

export class Cascade implements OmniModel {
  readonly name = 'cascade';
  private readonly session: SessionParts;
  private readonly warmUp: WarmUp;

  constructor(private readonly parts: CascadeParts) {
    const { recogniser, brain, voice, nowMs } = parts;
    this.session = {
      ear: wordsOnly(recogniser),
      brain,
      voice,
      beginSpeech: (_pace, own) => new ClauseSpeech(voice, own),
      tokensPerChunk: TOKENS_PER_CHUNK,
      nowMs,
    };
    this.warmUp = new WarmUp(this.session);
  }

  get outputSampleRate(): number {
    return this.parts.voice.sampleRate;
  }

  warm(persona: Persona): AsyncIterable<void> {
    return this.warmUp.run(persona);
  }

  async openSession(persona: Persona): Promise<OmniSession> {
    return new CallSession(this.session, persona);
  }

  async close(): Promise<void> {
    await Promise.all([this.parts.recogniser.close(), this.parts.brain.close(), this.parts.voice.close()]);
  }
}

/** A recogniser as an ear: there is nothing to read but the words. */
function wordsOnly(recogniser: Recogniser): Ear {
  return {
    maxSeconds: recogniser.maxSeconds,
    hear: async (pcm, signal, earlier) => ({
      recognition: await recogniser.recognise(pcm, signal, earlier?.recognition),
      vectors: [],
    }),
    recognise: (pcm, signal) => recogniser.recognise(pcm, signal),
    close: () => recogniser.close(),
  };
}
