/**
 * One call's session, shared by every engine that hears, thinks in text and speaks while it thinks: what differs between
 * them (an ear's vectors, a voice that reads the thinker's states) stands in the parts.
 */
import { TrunklineError } from '../core/errors';
import type { OverlapHeard } from '../core/overlap-heard';
import type { Citation } from '../core/passage';
import type { AnswerAction } from '../core/tool';
import { audioEvent } from './audio-event';
import type { Brain, BrainConversation, BrainEvent } from './brain/conversation-brain';
import { CallHearing, type Ear, type Understood } from './call-hearing';
import type { AnswerEvent, AnswerInput, OmniSession, Pace, Persona, Working } from './omni-model';
import type { StreamedSpeech, Voice } from './parts';
import { StageTimes } from './stage-times';
import { OwnWords } from './text/own-words';

/** One call must not write for ever. */
const MAX_ANSWER_CHARACTERS = 1_200;

/** The last words heard may become others when more is said. */
const EDGE_VECTORS = 3;

export interface SessionParts {
  readonly ear: Ear;
  readonly brain: Brain;
  /** Reads out what must be said. */
  readonly voice: Voice;
  /** Speaks an answer while it is written. */
  readonly beginSpeech: (pace: Pace, own: OwnWords | undefined) => StreamedSpeech;
  /** Pieces of text between two chunks of the voice, once it speaks. */
  readonly tokensPerChunk: number;
  readonly nowMs: () => number;
}

/** An answer on its way: what is thought, and the voice that it feeds. */
interface Thought {
  readonly events: AsyncIterator<BrainEvent>;
  readonly speech: StreamedSpeech;
  readonly abort: AbortController;
  /** Thought already, and not yet told. */
  first: IteratorResult<BrainEvent> | undefined;
  /** Of the answer that it became; before, nobody waits for it. */
  pace: Pace | undefined;
}

export class CallSession implements OmniSession {
  private readonly hearing: CallHearing;
  private readonly own: OwnWords | undefined;
  private conversation: Promise<BrainConversation> | undefined;
  private personaRead = false;
  /** Answers in progress: then the model has better to do than to look ahead. */
  private answering = 0;
  /** An answer went out whose end in the history is not known yet. */
  private uncommitted = false;
  /** The question answered last, which a tool's result may be for. */
  private asked: { readonly userText: string; readonly understood: Understood | undefined } | undefined;
  /** What was begun for words that may be all. */
  private ahead: { readonly understood: Understood; readonly thought: Thought } | undefined;

  constructor(
    private readonly parts: SessionParts,
    private readonly persona: Persona,
  ) {
    this.hearing = new CallHearing(parts.ear);
    this.own = OwnWords.of(persona.lexicon);
  }

  hear(pcm: Int16Array, startSample: number): void {
    this.hearing.write(pcm, startSample);
    void this.startThinking().catch(() => undefined);
  }

  listen(fromSample: number, toSample: number, signal: AbortSignal): Promise<OverlapHeard> {
    return this.hearing.listen(fromSample, toSample, signal);
  }

  async attend(signal: AbortSignal): Promise<boolean> {
    if (this.answering > 0) return false;
    const known = this.ahead?.understood;
    const heard = await this.hearing.attend(signal);
    if (heard === undefined || !isSaid(heard.understood) || this.uncommitted) return false;
    const { understood } = heard;
    if (!heard.quiet) {
      await this.dropAhead();
      const conversation = await this.startThinking();
      signal.throwIfAborted();
      await conversation.readAhead?.(understood.vectors.slice(0, -EDGE_VECTORS), signal);
      return false;
    }
    if (known !== understood) {
      await this.dropAhead();
      signal.throwIfAborted();
      this.ahead = { understood, thought: await this.think(wordsOf(understood), understood) };
      return true;
    }
    const { thought } = this.ahead!;
    if (thought.first !== undefined) return false;
    const forget = linked(signal, thought.abort);
    try {
      const next = await thought.events.next();
      signal.throwIfAborted();
      if (next.done !== true && next.value.type === 'reading') return true;
      thought.first = next;
      return false;
    } catch (error) {
      // What was read of the question stays read; only the thread is lost.
      await this.dropAhead();
      throw error;
    } finally {
      forget();
    }
  }

  async *answer(input: AnswerInput, signal: AbortSignal, pace?: Pace): AsyncGenerator<AnswerEvent | Working> {
    signal.throwIfAborted();
    this.answering += 1;
    this.uncommitted = false;
    try {
      const stages = new StageTimes(this.parts.nowMs);
      if (input.kind === 'say') yield* this.say(input.text, stages, signal);
      else if (input.kind === 'tool-result') yield* this.tell(input, stages, signal, pace);
      else yield* this.reply(input, stages, signal, pace);
    } finally {
      this.answering -= 1;
    }
  }

  commit(turn: { userText: string | undefined; heardText: string; interrupted: boolean }): void {
    this.uncommitted = false;
    if (turn.userText !== undefined) this.hearing.settle();
    // It was thought after another history.
    void this.dropAhead();
    void this.startThinking().then(
      (conversation) => conversation.commit(turn),
      () => undefined,
    );
  }

  close(): void {
    void this.dropAhead();
    void this.conversation?.then(
      (conversation) => conversation.close(),
      () => undefined,
    );
  }

  private async *say(text: string, stages: StageTimes, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    const { voice } = this.parts;
    yield { type: 'text', delta: text };
    for await (const chunk of voice.synthesise(text, signal, this.own)) {
      stages.mark('audio');
      yield audioEvent(chunk.pcm, voice.sampleRate, chunk.words);
      // The caller hears the first words by now: a persona that was not prepared is read meanwhile.
      void this.readPersona();
    }
    this.uncommitted = true;
    yield { type: 'end', stages: stages.all };
  }

  private async *reply(
    input: Exclude<AnswerInput, { kind: 'say' | 'tool-result' }>,
    stages: StageTimes,
    signal: AbortSignal,
    pace: Pace | undefined,
  ): AsyncGenerator<AnswerEvent | Working> {
    const understood = input.kind === 'text' ? undefined : await this.hearing.understand(input, signal);
    signal.throwIfAborted();
    const userText = input.kind === 'text' ? input.text : understood === undefined ? '' : wordsOf(understood);
    stages.mark('transcript');
    const speech = userText.trim() !== '';
    const doneProbability = speech ? understood?.recognition.doneProbability : undefined;
    const how = understood?.how?.said;
    yield {
      type: 'transcript',
      text: userText,
      speech,
      ...(doneProbability === undefined ? {} : { doneProbability }),
      ...(how === undefined ? {} : { how }),
    };
    // A sound without words is for the turn machine to judge; it is replied to only when it says so.
    const replies = speech || (input.kind === 'audio' && input.wordless === true && how !== undefined);
    if (!replies) {
      yield { type: 'end', stages: stages.all };
      return;
    }
    this.asked = { userText, understood };
    const thought = (await this.takeAhead(understood)) ?? (await this.think(userText, understood));
    yield* this.speak(thought, stages, signal, pace);
  }

  /** The question once more, as it was heard, and what a tool has told about it. */
  private async *tell(
    { question, text }: Extract<AnswerInput, { kind: 'tool-result' }>,
    stages: StageTimes,
    signal: AbortSignal,
    pace: Pace | undefined,
  ): AsyncGenerator<AnswerEvent | Working> {
    yield { type: 'transcript', text: question, speech: true };
    await this.dropAhead();
    const understood = this.asked?.userText === question ? this.asked.understood : undefined;
    yield* this.speak(await this.think(question, understood, text), stages, signal, pace);
  }

  /** Text and voice in turn: sound starts as soon as the voice can, while the rest is still being written. */
  private async *speak(
    thought: Thought,
    stages: StageTimes,
    signal: AbortSignal,
    pace: Pace | undefined,
  ): AsyncGenerator<AnswerEvent | Working> {
    const { voice, tokensPerChunk } = this.parts;
    thought.pace = pace;
    const forget = linked(signal, thought.abort);
    const { speech } = thought;
    let action: AnswerAction | undefined;
    let citations: readonly Citation[] = [];
    let written = 0;
    let pieces = 0;
    let speaking = false;
    let writing = true;
    try {
      for (;;) {
        signal.throwIfAborted();
        if (writing) {
          const next = thought.first ?? (await thought.events.next());
          thought.first = undefined;
          signal.throwIfAborted();
          if (next.done === true || written > MAX_ANSWER_CHARACTERS) {
            writing = false;
            speech.end();
          } else if (next.value.type === 'reading') {
            yield { type: 'working' };
            continue;
          } else if (next.value.type === 'cited') {
            citations = next.value.citations;
          } else if (next.value.type === 'action') {
            action = next.value.action;
          } else {
            stages.mark('text');
            written += next.value.text.length;
            pieces += 1;
            speech.push(next.value.text);
            yield { type: 'text', delta: next.value.text };
          }
          if (writing && speaking && pieces < tokensPerChunk) continue;
        }
        const chunk = await speech.next(signal);
        speaking = chunk !== undefined;
        pieces = 0;
        if (chunk !== undefined) {
          stages.mark('audio');
          yield audioEvent(chunk.pcm, voice.sampleRate, chunk.words);
        } else if (!writing) {
          break;
        }
      }
    } finally {
      forget();
      await thought.events.return?.();
      await speech.close?.();
    }
    if (written === 0 && action === undefined) {
      throw new TrunklineError('engine.no-answer', 'The language model ended its answer without a word.', {
        fix: 'The call goes on with a spoken fallback; look at the persona if it happens often.',
      });
    }
    this.uncommitted = true;
    yield { type: 'end', action, ...(citations.length === 0 ? {} : { citations }), stages: stages.all };
  }

  private async think(userText: string, understood?: Understood, toolResult?: string): Promise<Thought> {
    const { vectors = [], how } = understood ?? {};
    const wordless = userText === '' ? how : undefined;
    const heard = wordless?.vectors ?? vectors;
    const conversation = await this.startThinking();
    const pace: Pace = {
      dueInMs: () => thought.pace?.dueInMs() ?? Number.POSITIVE_INFINITY,
      urgency: () => thought.pace?.urgency() ?? Number.NEGATIVE_INFINITY,
    };
    const speech = this.parts.beginSpeech(pace, this.own);
    const abort = new AbortController();
    const events = conversation.answer(userText, abort.signal, {
      pace,
      ...(heard.length === 0 ? {} : { heard }),
      ...(wordless === undefined ? {} : { wordless: wordless.said }),
      ...(toolResult === undefined ? {} : { toolResult }),
      onRead: (from, to, hidden) => speech.read?.(from, to, hidden),
      ...(speech.answerFrom === undefined ? {} : { onPrompt: (context) => speech.answerFrom?.(context) }),
    });
    const thought: Thought = {
      events: events[Symbol.asyncIterator](),
      speech,
      abort,
      first: undefined,
      pace: undefined,
    };
    return thought;
  }

  private async takeAhead(understood: Understood | undefined): Promise<Thought | undefined> {
    const { ahead } = this;
    if (ahead === undefined) return undefined;
    if (ahead.understood === understood && !ahead.thought.abort.signal.aborted) {
      this.ahead = undefined;
      return ahead.thought;
    }
    await this.dropAhead();
    return undefined;
  }

  private async dropAhead(): Promise<void> {
    const { ahead } = this;
    this.ahead = undefined;
    if (ahead === undefined) return;
    ahead.thought.abort.abort(new Error('overtaken'));
    await ahead.thought.events.return?.();
    await ahead.thought.speech.close?.();
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
}

function isSaid(understood: Understood): boolean {
  return wordsOf(understood) !== '';
}

function wordsOf({ recognition }: Understood): string {
  return recognition.speech ? recognition.text.trim() : '';
}

/** `outer` aborts `inner` until the returned function is called. */
function linked(outer: AbortSignal, inner: AbortController): () => void {
  const stop = () => inner.abort(outer.reason);
  if (outer.aborted) stop();
  else outer.addEventListener('abort', stop, { once: true });
  return () => outer.removeEventListener('abort', stop);
}
