/**
 * The cascade engine: recogniser, language model and voice in a row, streamed so that the voice starts on the first
 * clause while the language model is still writing the next. The yardstick of the end-to-end engines.
 */
import { TrunklineError } from '../../core/errors';
import { audioEvent } from '../audio-event';
import type { Brain, BrainConversation, BrainEvent } from '../brain/conversation-brain';
import { HEARING_RATE, HeardAudio } from '../heard-audio';
import type { AnswerEvent, AnswerInput, OmniModel, OmniSession, Persona } from '../omni-model';
import type { Recogniser, Recognition, Voice, VoiceChunk } from '../parts';
import { StageTimes } from '../stage-times';
import { ClauseSplitter } from '../text/clause-splitter';

const HEARING_SECONDS = 30;
/** Tokens that the brain may write between two chunks of the voice: enough to stay ahead, too few to starve it. */
const TOKENS_PER_CHUNK = 4;
/** Below this probability of "no speech" somebody is speaking: for coughs, keys and music it lies above 0.8. */
const SURELY_SPOKEN = 0.2;
/** One call must not write for ever. */
const MAX_ANSWER_CHARACTERS = 1_200;

export interface CascadeParts {
  readonly recogniser: Recogniser;
  readonly brain: Brain;
  readonly voice: Voice;
  readonly nowMs: () => number;
}

export class Cascade implements OmniModel {
  readonly name = 'cascade';
  constructor(private readonly parts: CascadeParts) {}

  get outputSampleRate(): number {
    return this.parts.voice.sampleRate;
  }

  warm(persona: Persona): AsyncIterable<void> {
    return this.parts.brain.warm(persona);
  }

  async openSession(persona: Persona): Promise<OmniSession> {
    return new CascadeSession(this.parts, persona);
  }

  async close(): Promise<void> {
    await Promise.all([this.parts.recogniser.close(), this.parts.brain.close(), this.parts.voice.close()]);
  }
}

class CascadeSession implements OmniSession {
  private readonly heard = new HeardAudio(HEARING_SECONDS);
  /** What was understood of the turn that began at this sample, as far as it went. */
  private draft: { readonly fromSample: number; readonly recognition: Recognition } | undefined;
  private conversation: Promise<BrainConversation> | undefined;
  private personaRead = false;

  constructor(
    private readonly parts: CascadeParts,
    private readonly persona: Persona,
  ) {}

  hear(pcm: Int16Array, startSample: number): void {
    this.heard.write(pcm, startSample);
    this.startThinking();
  }

  async listen(fromSample: number, toSample: number, signal: AbortSignal): Promise<{ text: string; speech: boolean }> {
    return overlapWords(await this.recognise(fromSample, toSample, signal));
  }

  async *answer(input: AnswerInput, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    const stages = new StageTimes(this.parts.nowMs);
    if (input.kind === 'say') {
      yield { type: 'text', delta: input.text };
      for await (const chunk of this.parts.voice.synthesise(input.text, signal)) {
        stages.mark('audio');
        yield audioEvent(chunk.pcm, this.parts.voice.sampleRate, chunk.words);
        // The caller hears the first words by now: a persona that was not prepared is read meanwhile.
        void this.readPersona();
      }
      yield { type: 'end', stages: stages.all };
      return;
    }
    const recognition = input.kind === 'text' ? undefined : await this.transcribe(input, signal);
    const userText = input.kind === 'text' ? input.text : recognition?.text.trim();
    const doneProbability = recognition?.doneProbability;
    stages.mark('transcript');
    yield {
      type: 'transcript',
      text: userText ?? '',
      speech: userText !== undefined,
      ...(doneProbability === undefined ? {} : { doneProbability }),
    };
    // A sound without words is for the turn machine to judge; there is nothing to answer.
    if (userText === undefined) {
      yield { type: 'end', stages: stages.all };
      return;
    }
    yield* this.think(userText, stages, signal);
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

  /** What goes wrong here is told by the answer that needs it. */
  private async readPersona(): Promise<void> {
    if (this.personaRead) return;
    this.personaRead = true;
    try {
      for await (const _ of this.parts.brain.warm(this.persona));
    } catch {
      this.personaRead = false;
    }
  }

  /** The brain's side of the call, opened when it is first of use; after a failure the next answer tries again. */
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

  private recognise(
    fromSample: number,
    toSample: number,
    signal: AbortSignal,
    earlier?: Recognition,
  ): Promise<Recognition> {
    const { recogniser } = this.parts;
    const pcm = this.heard.read(fromSample, toSample, recogniser.maxSeconds * HEARING_RATE);
    return recogniser.recognise(pcm, signal, earlier);
  }

  /** undefined: no words in it. */
  private async transcribe(
    input: AnswerInput & { kind: 'audio' },
    signal: AbortSignal,
  ): Promise<Recognition | undefined> {
    // A caller who went on after a pause repeats nothing: what was understood before it is only checked.
    const earlier = this.draft?.fromSample === input.fromSample ? this.draft.recognition : undefined;
    const recognition = await this.recognise(input.fromSample, input.toSample, signal, earlier);
    this.draft = { fromSample: input.fromSample, recognition };
    return recognition.speech && recognition.text.trim() !== '' ? recognition : undefined;
  }

  /** Brain and voice in turn: a few tokens, a chunk of audio, a few tokens … with the first clause as early as it is whole. */
  private async *think(userText: string, stages: StageTimes, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    const { voice } = this.parts;
    const splitter = new ClauseSplitter();
    const clauses: string[] = [];
    signal.throwIfAborted();
    const conversation = await this.startThinking();
    signal.throwIfAborted();
    const thoughts = conversation.answer(userText, signal)[Symbol.asyncIterator]();
    let speaking: AsyncIterator<VoiceChunk> | undefined;
    let action: 'hangup' | 'handover' | undefined;
    let written = 0;
    let thinking = true;
    try {
      while (thinking || speaking !== undefined || clauses.length > 0) {
        for (let tokens = 0; thinking && (speaking === undefined || tokens < TOKENS_PER_CHUNK); tokens += 1) {
          const next: IteratorResult<BrainEvent> = await thoughts.next();
          signal.throwIfAborted();
          if (next.done === true || written > MAX_ANSWER_CHARACTERS) {
            thinking = false;
            clauses.push(...splitter.flush());
          } else if (next.value.type === 'action') {
            action = next.value.action;
          } else {
            stages.mark('text');
            written += next.value.text.length;
            clauses.push(...splitter.push(next.value.text));
            yield { type: 'text', delta: next.value.text };
          }
          if (speaking === undefined && clauses.length > 0) break;
        }
        if (speaking === undefined) {
          const clause = clauses.shift();
          if (clause === undefined) continue;
          speaking = voice.synthesise(clause, signal)[Symbol.asyncIterator]();
        }
        const chunk: IteratorResult<VoiceChunk> = await speaking.next();
        signal.throwIfAborted();
        if (chunk.done === true) speaking = undefined;
        else {
          stages.mark('audio');
          yield audioEvent(chunk.value.pcm, voice.sampleRate, chunk.value.words);
        }
      }
    } finally {
      await thoughts.return?.();
      await speaking?.return?.();
    }
    if (written === 0 && action === undefined) {
      throw new TrunklineError('engine.no-answer', 'The language model ended its answer without a word.', {
        fix: 'The call goes on with a spoken fallback; look at the persona if it happens often.',
      });
    }
    yield { type: 'end', action, stages: stages.all };
  }
}

/** Half a word over the agent's voice is spoken without being understood; only a sound that is none for sure is noise. */
export function overlapWords({ text, speech, noSpeechProbability }: Recognition): { text: string; speech: boolean } {
  return { text, speech: speech || (noSpeechProbability ?? 1) < SURELY_SPOKEN };
}
