/**
 * An imported LLaMA-Omni as an engine (Fang et al., 2024): hears through Whisper large-v3, writes and speaks at once. Each
 * token's state becomes units while the next token is written. Single turns, as it was taught: personas, facts and history
 * are nothing that this model reads. It neither transcribes nor reads aloud: another recogniser tells what was said, for
 * captions and records, and another voice says what must be said word for word.
 */
import type { OverlapHeard } from '../../core/overlap-heard';
import { audioEvent } from '../audio-event';
import { overlapWords } from '../call-hearing';
import { HEARING_RATE, HeardAudio } from '../heard-audio';
import { type AnswerEvent, type AnswerInput, type OmniModel, type OmniSession, withoutTools } from '../omni-model';
import type { Recogniser, Voice } from '../parts';
import { StageTimes } from '../stage-times';
import { endsInLoop, greedyToken } from '../trunk/greedy';
import { AlignedWords } from './aligned-words';
import { CtcCollapser } from './ctc';
import type { LlamaSequence, Prediction } from './llama-trunk';
import type { LlamaOmniParameters } from './parameters';
import type { UnitStream } from './speech-decoder';
import { UnitSound, VOCODER_RULES, type VocoderGraphs, type VocoderRules } from './unit-vocoder';

const HEARING_SECONDS = 30;
/** Positions of one run while a prompt is read: between two runs the caller may abort. */
const CHUNK_POSITIONS = 64;
/** Of the published 256; on a telephone an answer is far shorter. */
const MOST_TOKENS = 160;

export interface LlamaOmniParts {
  readonly parameters: LlamaOmniParameters;
  readonly encoder: {
    readonly maxSamples: number;
    encode(pcm: Float32Array): Promise<Float32Array>;
    close(): Promise<void>;
  };
  readonly trunk: { begin(): LlamaSequence; close(): Promise<void> };
  readonly decoder: { begin(): UnitStream; close(): Promise<void> };
  readonly vocoder: VocoderGraphs & { close(): Promise<void> };
  readonly tokenizer: { encode(text: string): number[]; decode(tokenIds: readonly number[]): string };
  /** Tells what the caller said; the answer does not depend on it. */
  readonly recogniser: Recogniser;
  /** Reads what must be said word for word: greetings, prompts. */
  readonly reader: Voice;
  readonly rules?: Partial<VocoderRules>;
  readonly mostTokens?: number;
  readonly nowMs: () => number;
}

export class LlamaOmni implements OmniModel {
  readonly name = 'llama-omni';
  constructor(private readonly parts: LlamaOmniParts) {}

  get outputSampleRate(): number {
    return this.parts.parameters.vocoder.sampleRate;
  }

  /** There is nothing that calls share. */
  async *warm(): AsyncGenerator<void> {}

  async openSession(): Promise<OmniSession> {
    return new Session(this.parts);
  }

  async close(): Promise<void> {
    const { encoder, trunk, decoder, vocoder, recogniser, reader } = this.parts;
    await Promise.all([encoder, trunk, decoder, vocoder, recogniser, reader].map((part) => part.close()));
  }
}

class Session implements OmniSession {
  private readonly heard = new HeardAudio(HEARING_SECONDS);

  constructor(private readonly parts: LlamaOmniParts) {}

  hear(pcm: Int16Array, startSample: number): void {
    this.heard.write(pcm, startSample);
  }

  async listen(fromSample: number, toSample: number, signal: AbortSignal): Promise<OverlapHeard> {
    return overlapWords(await this.parts.recogniser.recognise(this.span(fromSample, toSample), signal));
  }

  async *answer(order: AnswerInput, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
    const input = withoutTools(order);
    signal.throwIfAborted();
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
    const asked = input.kind === 'text' ? input.text.trim() : await this.transcript(input, signal);
    stages.mark('transcript');
    yield { type: 'transcript', text: asked, speech: asked !== '' };
    if (asked !== '') {
      const sequence = this.parts.trunk.begin();
      try {
        yield* this.speak(sequence, await this.question(sequence, input, signal), stages, signal);
      } finally {
        sequence.close();
      }
    }
    yield { type: 'end', stages: stages.all };
  }

  /** The model has no memory of earlier turns. */
  commit(): void {}

  close(): void {}

  private span(fromSample: number, toSample: number): Float32Array {
    return this.heard.read(fromSample, toSample, HEARING_SECONDS * HEARING_RATE);
  }

  private async transcript(input: AnswerInput & { kind: 'audio' }, signal: AbortSignal): Promise<string> {
    const { recogniser } = this.parts;
    const pcm = this.heard.read(input.fromSample, input.toSample, recogniser.maxSeconds * HEARING_RATE);
    const { text, speech } = await recogniser.recognise(pcm, signal);
    signal.throwIfAborted();
    return speech ? text.trim() : '';
  }

  /** Reads the prompt; what was heard goes in as vectors. */
  private async question(
    sequence: LlamaSequence,
    input: Exclude<AnswerInput, { kind: 'say' | 'tool-result' }>,
    signal: AbortSignal,
  ): Promise<Prediction> {
    const { encoder, tokenizer, parameters } = this.parts;
    const { before, task, behind } = parameters.prompt;
    const tokens = async (ids: readonly number[]): Promise<Prediction | undefined> => {
      let last: Prediction | undefined;
      for (let from = 0; from < ids.length; from += CHUNK_POSITIONS) {
        last = await sequence.readTokens(ids.slice(from, from + CHUNK_POSITIONS));
        signal.throwIfAborted();
      }
      return last;
    };
    if (input.kind === 'text') return (await tokens([...before, ...tokenizer.encode(input.text), ...behind]))!;
    const pcm = this.span(input.fromSample, input.toSample).subarray(0, encoder.maxSamples);
    const vectors = await encoder.encode(pcm);
    signal.throwIfAborted();
    await tokens(before);
    const chunk = CHUNK_POSITIONS * parameters.trunk.width;
    for (let from = 0; from < vectors.length; from += chunk) {
      await sequence.readVectors(vectors.subarray(from, from + chunk));
      signal.throwIfAborted();
    }
    return (await tokens([...task, ...behind]))!;
  }

  /** A token, its units, and whatever can be sounded of them; then the next token. */
  private async *speak(
    sequence: LlamaSequence,
    first: Prediction,
    stages: StageTimes,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerEvent> {
    const { parameters, decoder, vocoder, tokenizer, mostTokens = MOST_TOKENS } = this.parts;
    const { sampleRate, samplesPerFrame } = parameters.vocoder;
    const sound = new UnitSound(vocoder, samplesPerFrame, { ...VOCODER_RULES, ...this.parts.rules });
    const units = decoder.begin();
    const collapser = new CtcCollapser(parameters.decoder.units);
    const words = new AlignedWords();
    const tokens: number[] = [];
    let text = '';
    let said = 0;
    /** Units before the characters that are not whole yet. */
    let begun: number | undefined;
    const pieces = async function* (): AsyncGenerator<AnswerEvent> {
      for (let piece = await sound.next(signal); piece !== undefined; piece = await sound.next(signal)) {
        stages.mark('audio');
        const told = words.take(piece, samplesPerFrame, (unit) => sound.startOf(unit));
        yield audioEvent(piece.pcm, sampleRate, told);
        signal.throwIfAborted();
      }
    };
    for (let next = first; tokens.length < mostTokens; ) {
      const token = greedyToken(
        next.logits.subarray(0, parameters.trunk.vocabulary),
        {
          firstTextToken: 0,
          ends: parameters.trunk.ends,
          unsaid: [],
        },
        { forbidden: (id) => id >= parameters.textTokens && !parameters.trunk.ends.includes(id) },
      );
      if (parameters.trunk.ends.includes(token)) break;
      tokens.push(token);
      begun ??= said;
      const found = collapser.push(await units.read(repeated(next.hidden, parameters.upsample)));
      signal.throwIfAborted();
      sound.push(found);
      said += found.length;
      const whole = tokenizer.decode(tokens);
      // The bytes of one character may be spread over several tokens.
      if (!whole.endsWith('\uFFFD') && whole.length > text.length) {
        stages.mark('text');
        const delta = whole.slice(text.length);
        text = whole;
        words.push(delta, begun);
        begun = undefined;
        yield { type: 'text', delta };
        signal.throwIfAborted();
      }
      yield* pieces();
      if (endsInLoop(tokens) || sequence.room === 0) break;
      next = await sequence.readTokens([token]);
      signal.throwIfAborted();
    }
    sound.end();
    yield* pieces();
  }
}

/** `row` `times` over, one behind the other. */
function repeated(row: Float32Array, times: number): Float32Array {
  const rows = new Float32Array(row.length * times);
  for (let n = 0; n < times; n += 1) rows.set(row, n * row.length);
  return rows;
}
