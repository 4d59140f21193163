/**
 * The end-to-end engine: the trunk reads what the ear heard as vectors, not as a transcript, and the voice speaks from the
 * trunk's states while the text is still being written. The transcript is a by-product, for captions, records and the
 * choice of facts. Which voice reads the states is a part: the talker's codes (`omni`) or units by CTC (`llama-omni`).
 */
import type { Brain } from '../brain/conversation-brain';
import type { Ear } from '../call-hearing';
import { CallSession, type SessionParts } from '../call-session';
import type { OmniModel, OmniSession, Pace, Persona } from '../omni-model';
import type { StreamedSpeech, Voice } from '../parts';
import type { OwnWords } from '../text/own-words';
import { WarmUp } from '../warm-up';

export interface StreamingVoice extends Voice {
  /** `pace`: how soon the answer is needed, for a voice that takes steps of the language model. `own`: words with a sound of their own. */
  begin(pace?: Pace, own?: OwnWords): StreamedSpeech;
}

export interface OmniParts {
  /** The engine's name: `omni`, if not given. */
  readonly name?: string;
  readonly ear: Ear;
  readonly brain: Brain;
  readonly voice: StreamingVoice;
  readonly nowMs: () => number;
}

export class Omni implements OmniModel {
  readonly name: string;
  private readonly session: SessionParts;
  private readonly warmUp: WarmUp;

  constructor(private readonly parts: OmniParts) {
    const { ear, brain, voice, nowMs } = parts;
    this.name = parts.name ?? 'omni';
    // A token, then whatever can be said of the words so far.
    this.session = { ear, brain, voice, beginSpeech: (pace, own) => voice.begin(pace, own), tokensPerChunk: 1, nowMs };
    this.warmUp = new WarmUp(parts);
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
    const { ear, brain, voice } = this.parts;
    await Promise.all([ear.close(), brain.close(), voice.close()]);
  }
}
