/**
 * The end-to-end engine: the trunk reads what the ear heard as vectors, not as a transcript, and the voice speaks from the
 * trunk's states while the text is still being written. The transcript is a by-product, for captions, records and the
 * choice of facts.
 */
import { TrunklineError } from '../../core/errors';
import { audioEvent } from '../audio-event';
import type { Brain, BrainConversation, BrainEvent } from '../brain/conversation-brain';
import { overlapWords } from '../cascade/cascade';
import { HEARING_RATE, HeardAudio } from '../heard-audio';
import type { AnswerEvent, AnswerInput, OmniModel, OmniSession, Persona } from '../omni-model';
import type { Recognition, Voice, VoiceChunk } from '../parts';
import { StageTimes } from '../stage-times';

const HEARING_SECONDS = 30;
/** One call must not write for ever. */
const MAX_ANSWER_CHARACTERS = 1_200;

/** What was understood: words as a by-product, and the vectors that the trunk reads. */
export interface Understood {
  readonly recognition: Recognition;
  readonly vectors: readonly Float32Array[];
}

export interface Ear {
  readonly maxSeconds: number;
  hear(pcm: Float32Array, signal: AbortSignal, earlier?: Recognition): Promise<Understood>;
  recognise(pcm: Float32Array, signal: AbortSignal): Promise<Recognition>;
  close(): Promise<void>;
}

/** An answer that is fed while it is spoken. */
export interface StreamedSpeech {
  push(delta: string): void;
  read(from: number, to: number, hidden: Float32Array): void;
  end(): void;
  /** The next chunk; undefined: more text is needed, or all was said. */
  next(signal: AbortSignal): Promise<VoiceChunk | undefined>;
}

export interface StreamingVoice extends Voice {
  begin(): StreamedSpeech;
}

export interface OmniParts {
  readonly ear: Ear;
  readonly brain: Brain;
  readonly voice: StreamingVoice;
  readonly nowMs: () => number;
}

export class Omni implements OmniModel {
  readonly name = 'omni';
  constructor(private readonly parts: OmniParts) {}

  get outputSampleRate(): number {
    return this.parts.voice.sampleRate;
  }

  warm(persona: Persona): AsyncIterable<void> {
    return this.parts.brain.warm(persona);
  }

  async openSession(persona: Persona): Promise<OmniSession> {
    return new Session(this.parts, persona);
  }

  async close(): Promise<void> {
    const { ear, brain, voice } = this.parts;
    await Promise.all([ear.close(), brain.close(), voice.close()]);
  }
}

class Session implements OmniSession {
  private readonly heard = new HeardAudio(HEARING_SECONDS);
  /** What was understood of the turn that began at this sample, as far as it went. */
  private draft: { readonly fromSample: number; readonly recognition: Recognition } | undefined;
  private conversation: Promise<BrainConversation> | undefined;

  constructor(
    private readonly parts: OmniParts,
    private readonly persona: Persona,
  ) {}

  hear(pcm: Int16Array, startSample: number): void {
    this.heard.write(pcm, startSample);
    this.startThinking();
  }

  async listen(fromSample: number, toSample: number, signal: AbortSignal): Promise<{ text: string; speech: boolean }> {
    return overlapWords(await this.parts.ear.recognise(this.span(fromSample, toSample), signal));
  }

  async *answer(input: AnswerInput, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    signal.throwIfAborted();
    const stages = new StageTimes(this.parts.nowMs);
    if (input.kind === 'say') {
      yield { type: 'text', delta: input.text };
      for await (const chunk of this.parts.voice.synthesise(input.text, signal)) {
        stages.mark('audio');
        yield audioEvent(chunk.pcm, this.parts.voice.sampleRate, chunk.words);
        // The caller hears the first words by now: a persona that was not prepared is read meanwhile.
        this.startThinking();
      }
      yield { type: 'end', stages: stages.all };
      return;
    }
    const understood = input.kind === 'text' ? undefined : await this.understand(input, signal);
    const userText = input.kind === 'text' ? input.text : understood?.recognition.text.trim();
    stages.mark('transcript');
    const speech = userText !== undefined && userText !== '';
    const doneProbability = understood?.recognition.doneProbability;
    yield {
      type: 'transcript',
      text: userText ?? '',
      speech,
      ...(doneProbability === undefined ? {} : { doneProbability }),
    };
    // A sound without words is for the turn machine to judge; there is nothing to answer.
    if (!speech) {
      yield { type: 'end', stages: stages.all };
      return;
    }
    yield* this.think(userText, understood?.vectors, stages, signal);
  }

  commit(turn: { userText: string | undefined; heardText: string; interrupted: boolean }): void {
    void this.startThinking().then(
      (conversation) => conversation.commit(turn),
      () => undefined,
    );
  }

  close(): void {
    void this.conversation?.then(
      (conversation) => conversation.close(),
      () => undefined,
    );
  }

  /** What went wrong is told by the answer that needs it, and tried again by the next. */
  private startThinking(): Promise<BrainConversation> {
    if (this.conversation === undefined) {
      const opening = this.parts.brain.openConversation(this.persona);
      opening.catch(() => {
        this.conversation = undefined;
      });
      this.conversation = opening;
    }
    return this.conversation;
  }

  private span(fromSample: number, toSample: number): Float32Array {
    return this.heard.read(fromSample, toSample, this.parts.ear.maxSeconds * HEARING_RATE);
  }

  private async understand(
    input: AnswerInput & { kind: 'audio' },
    signal: AbortSignal,
  ): Promise<Understood | undefined> {
    // A caller who went on after a pause repeats nothing: what was understood before it is only checked.
    const earlier = this.draft?.fromSample === input.fromSample ? this.draft.recognition : undefined;
    const understood = await this.parts.ear.hear(this.span(input.fromSample, input.toSample), signal, earlier);
    this.draft = { fromSample: input.fromSample, recognition: understood.recognition };
    return understood.recognition.speech ? understood : undefined;
  }

  /** A token, then whatever can be said of the words so far: sound starts as soon as two words stand behind the first. */
  private async *think(
    userText: string,
    vectors: readonly Float32Array[] | undefined,
    stages: StageTimes,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerEvent> {
    signal.throwIfAborted();
    const conversation = await this.startThinking();
    signal.throwIfAborted();
    const speech = this.parts.voice.begin();
    const thoughts = conversation
      .answer(userText, signal, {
        ...(vectors === undefined || vectors.length === 0 ? {} : { heard: vectors }),
        onRead: (from, to, hidden) => speech.read(from, to, hidden),
      })
      [Symbol.asyncIterator]();
    let action: 'hangup' | 'handover' | undefined;
    let written = 0;
    let thinking = true;
    try {
      for (;;) {
        if (thinking) {
          const next: IteratorResult<BrainEvent> = await thoughts.next();
          signal.throwIfAborted();
          if (next.done === true || written > MAX_ANSWER_CHARACTERS) {
            thinking = false;
            speech.end();
          } else if (next.value.type === 'action') {
            action = next.value.action;
          } else {
            stages.mark('text');
            written += next.value.text.length;
            speech.push(next.value.text);
            yield { type: 'text', delta: next.value.text };
          }
        }
        const chunk = await speech.next(signal);
        if (chunk !== undefined) {
          stages.mark('audio');
          yield audioEvent(chunk.pcm, this.parts.voice.sampleRate, chunk.words);
        } else if (!thinking) {
          break;
        }
      }
    } finally {
      await thoughts.return?.();
    }
    if (written === 0 && action === undefined) {
      throw new TrunklineError('engine.no-answer', 'The language model ended its answer without a word.', {
        fix: 'The call goes on with a spoken fallback; look at the persona if it happens often.',
      });
    }
    yield { type: 'end', action, stages: stages.all };
  }
}
