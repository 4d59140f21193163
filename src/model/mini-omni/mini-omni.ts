/**
 * Mini-Omni as an engine: hears through Whisper small, answers in text and sound at once. Single turns, as it was taught:
 * personas, facts and history are nothing that this model reads. What must be said word for word is read by another voice,
 * because Mini-Omni answers a text instead of reading it.
 */
import type { OverlapHeard } from '../../core/overlap-heard';
import { audioEvent } from '../audio-event';
import { FrameAssembler } from '../codec/delay-pattern';
import { type FrameDecoder, StreamingDecoder } from '../codec/streaming-decoder';
import { SNAC_WINDOWS } from '../codec/window-plan';
import { HEARING_RATE, HeardAudio } from '../heard-audio';
import { type AnswerEvent, type AnswerInput, type OmniModel, type OmniSession, withoutTools } from '../omni-model';
import type { Voice } from '../parts';
import { StageTimes } from '../stage-times';
import { EstimatedWords } from './estimated-words';
import type { MiniOmniIds } from './ids';
import { readQuestion, SPEAK_RULES, type SpeakRules, speak, write } from './speak';
import type { HeardVectors } from './speech-encoder';
import type { StreamModel, StreamSequence } from './stream-lm';

const HEARING_SECONDS = 30;
/** Words of a question that are transcribed; the answer does not depend on them. */
const MAX_TRANSCRIPT_TOKENS = 96;
const FADE_MS = 6;

export interface MiniOmniParts {
  readonly ids: MiniOmniIds;
  readonly encoder: {
    readonly maxSamples: number;
    encode(pcm: Float32Array): Promise<HeardVectors>;
    close(): Promise<void>;
  };
  readonly model: StreamModel & { close(): Promise<void> };
  readonly tokenizer: { encode(text: string): number[]; decode(tokenIds: readonly number[]): string };
  readonly codec: FrameDecoder;
  /** Reads what must be said word for word: greetings, prompts. */
  readonly reader: Voice;
  readonly rules?: Partial<SpeakRules>;
  readonly nowMs: () => number;
}

export class MiniOmni implements OmniModel {
  readonly name = 'mini-omni';
  constructor(private readonly parts: MiniOmniParts) {}

  get outputSampleRate(): number {
    return this.parts.codec.sampleRate;
  }

  /** There is nothing that calls share. */
  async *warm(): AsyncGenerator<void> {}

  async openSession(): Promise<OmniSession> {
    return new Session(this.parts);
  }

  async close(): Promise<void> {
    const { encoder, model, codec, reader } = this.parts;
    await Promise.all([encoder.close(), model.close(), codec.close(), reader.close()]);
  }
}

class Session implements OmniSession {
  private readonly heard = new HeardAudio(HEARING_SECONDS);
  private readonly rules: SpeakRules;

  constructor(private readonly parts: MiniOmniParts) {
    this.rules = { ...SPEAK_RULES, ...parts.rules };
  }

  hear(pcm: Int16Array, startSample: number): void {
    this.heard.write(pcm, startSample);
  }

  async listen(fromSample: number, toSample: number, signal: AbortSignal): Promise<OverlapHeard> {
    const sequence = await this.question({ kind: 'audio', fromSample, toSample }, signal);
    try {
      const text = await this.transcript(sequence, signal);
      return { text, speech: text !== '' };
    } finally {
      sequence.close();
    }
  }

  async *answer(order: AnswerInput, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    const input = withoutTools(order);
    const stages = new StageTimes(this.parts.nowMs);
    if (input.kind === 'say') {
      yield { type: 'text', delta: input.text };
      for await (const chunk of this.parts.reader.synthesise(input.text, signal)) {
        stages.mark('audio');
        yield audioEvent(chunk.pcm, this.parts.reader.sampleRate, chunk.words);
      }
      yield { type: 'end', stages: stages.all };
      return;
    }
    const sequence = await this.question(input, signal);
    try {
      let asked = input.kind === 'text' ? input.text.trim() : '';
      if (input.kind === 'audio') {
        // Transcription shares the prompt but for its last position: it is cut off again before the answer.
        const length = sequence.length;
        asked = await this.transcript(sequence, signal);
        sequence.truncate(length);
      }
      stages.mark('transcript');
      yield { type: 'transcript', text: asked, speech: asked !== '' };
      if (asked !== '') yield* this.speak(sequence, input.kind === 'text' ? 'T1A2' : 'A1A2', stages, signal);
    } finally {
      sequence.close();
    }
    yield { type: 'end', stages: stages.all };
  }

  /** The model has no memory of earlier turns. */
  commit(): void {}

  close(): void {}

  private async question(
    input: Exclude<AnswerInput, { kind: 'say' | 'tool-result' }>,
    signal: AbortSignal,
  ): Promise<StreamSequence> {
    const { encoder, model, ids, tokenizer } = this.parts;
    if (input.kind === 'text') return readQuestion(model, ids, { words: tokenizer.encode(input.text) }, signal);
    const pcm = this.heard.read(
      input.fromSample,
      input.toSample,
      Math.min(encoder.maxSamples, HEARING_SECONDS * HEARING_RATE),
    );
    const heard = await encoder.encode(pcm);
    signal.throwIfAborted();
    return readQuestion(model, ids, heard, signal);
  }

  private async transcript(sequence: StreamSequence, signal: AbortSignal): Promise<string> {
    const { ids, tokenizer } = this.parts;
    const tokens: number[] = [];
    const rules = { ...this.rules, mostSteps: MAX_TRANSCRIPT_TOKENS };
    for await (const token of write(sequence, ids, 'A1T1', rules, signal)) tokens.push(token);
    const text = tokenizer.decode(tokens).trim();
    return /[\p{L}\p{N}]/u.test(text) ? text : '';
  }

  private async *speak(
    sequence: StreamSequence,
    task: 'A1A2' | 'T1A2',
    stages: StageTimes,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerEvent> {
    const { ids, codec, tokenizer } = this.parts;
    const assembler = new FrameAssembler();
    const fadeSamples = Math.round((codec.sampleRate * FADE_MS) / 1000);
    const sound = new StreamingDecoder(codec, { windows: SNAC_WINDOWS, fadeSamples });
    const words = new EstimatedWords(codec.sampleRate);
    const tokens: number[] = [];
    let text = '';
    const chunks = async function* (last: boolean): AsyncGenerator<AnswerEvent> {
      while (sound.ready) {
        const chunk = await sound.next();
        signal.throwIfAborted();
        if (chunk === undefined) return;
        stages.mark('audio');
        yield audioEvent(chunk.pcm, codec.sampleRate, words.take(chunk.pcm.length, last && !sound.ready));
      }
    };
    for await (const step of speak(sequence, ids, task, this.rules, signal)) {
      if (step.text < ids.eot) {
        tokens.push(step.text);
        const whole = tokenizer.decode(tokens);
        // The bytes of one character may be spread over several tokens.
        if (!whole.endsWith('\uFFFD') && whole.length > text.length) {
          stages.mark('text');
          const delta = whole.slice(text.length);
          text = whole;
          words.push(delta);
          yield { type: 'text', delta };
        }
      }
      const frame = assembler.push(step.codes);
      if (frame !== undefined) {
        sound.push(frame);
        yield* chunks(false);
      }
    }
    sound.end();
    yield* chunks(true);
  }
}
