/**
 * Speech to text with Whisper base on only the audio there is (Radford et al. 2022, without its padding to 30 s): the
 * recogniser of `cascade`. Runs wherever `run` may block: in the engine's process.
 */

import { type OnnxSession, openSession, type Tensors } from '../../onnx/session';
import { float32Data, float32Tensor } from '../../onnx/tensors';
import { type ModelFolder, openModelFolder } from '../manifest';
import type { Recogniser, Recognition } from '../parts';
import { GreedyDecoder, type WrittenToken } from './greedy-decoder';
import { LogMel } from './log-mel';
import type { OverlapStates } from './overlap-states';
import type { TurnEnd } from './turn-end';
import { Vocabulary } from './vocabulary';
import {
  decoderSignature,
  encoderSignature,
  memoryNames,
  type WhisperParameters,
  whisperParametersSchema,
} from './whisper-parameters';

export interface WhisperRecognition extends Recognition {
  readonly tokenIds: readonly number[];
  /** What the decoder had in mind, token by token, if its graph tells. */
  readonly written?: readonly WrittenToken[];
  /** The decoder's state where it chose the end. */
  readonly endState?: Float32Array;
  readonly noSpeechProbability: number;
  readonly stoppedBy: 'end' | 'loop' | 'length' | 'quiet';
}

export interface WhisperOptions {
  /** Threads of the encoder and of the decoder, 1 each if not given. */
  readonly threads?: number;
  /** Where `decoder.onnx` is taken from, if not from the model's own folder. */
  readonly decoderFolder?: ModelFolder;
  /** The decoder must tell its states. */
  readonly states?: boolean;
  /** Says whether the caller is done; closed together with the recogniser. Needs a decoder that tells its states. */
  readonly turnEnd?: TurnEnd;
  /** Says what short sounds are; closed together with the recogniser. */
  readonly overlapStates?: OverlapStates;
}

/** What the encoder made of a span of audio: 50 vectors a second, and what the decoder needs of them. */
export interface EncodedSpeech {
  readonly seconds: number;
  /** What the encoder was given, [1, melBands, frames]. */
  readonly mel: Tensors[string];
  readonly tensors: Tensors;
}

export type OnEncoded = (pcm: Float32Array, speech: EncodedSpeech) => void;

/** Quieter than this (−66 dB of full scale at its loudest sample) there is nothing to hear. */
const QUIET_PEAK = 0.0005;
/** Where audio longer than the context may be cut: the quietest place of its last third. */
const QUIET_SPAN_SECONDS = 0.2;

/** What sounds over the agent's voice are judged by; longer speech is known by its words. */
const LONGEST_SOUND_SECONDS = 4;

const QUIET: WhisperRecognition = {
  text: '',
  speech: false,
  meanLogProbability: 0,
  tokenIds: [],
  noSpeechProbability: 1,
  stoppedBy: 'quiet',
};

/** Loads and verifies the model; whoever opens it closes it. */
export async function openWhisper(
  folder: ModelFolder | string,
  options: WhisperOptions = {},
): Promise<WhisperRecogniser> {
  const model = typeof folder === 'string' ? await openModelFolder(folder) : folder;
  const parameters = model.parameters(whisperParametersSchema);
  const threads = options.threads ?? 1;
  const label = model.manifest.name;
  // Read and verified at once, while other models open.
  const [tokens, encoderGraph, decoderGraph] = await Promise.all([
    model.readText('tokens.txt'),
    model.read('encoder.onnx'),
    (options.decoderFolder ?? model).read('decoder.onnx'),
  ]);
  const vocabulary = new Vocabulary(tokens);
  const encoder = await openSession(encoderGraph, {
    threads,
    expect: encoderSignature(parameters),
    label: `${label}/encoder.onnx`,
  });
  try {
    const decoder = await openSession(decoderGraph, {
      threads,
      expect: decoderSignature(parameters, options.states === true),
      label: `${label}/decoder.onnx`,
    });
    return new WhisperRecogniser(encoder, decoder, vocabulary, parameters, options);
  } catch (error) {
    await encoder.close();
    throw error;
  }
}

export class WhisperRecogniser implements Recogniser {
  readonly maxSeconds: number;
  private readonly mel: LogMel;
  private readonly decoder: GreedyDecoder;
  private readonly memory: readonly string[];

  constructor(
    private readonly encoderSession: OnnxSession,
    private readonly decoderSession: OnnxSession,
    private readonly vocabulary: Vocabulary,
    private readonly parameters: WhisperParameters,
    private readonly opinions: Pick<WhisperOptions, 'turnEnd' | 'overlapStates'> = {},
  ) {
    this.maxSeconds = parameters.maxSeconds;
    this.mel = new LogMel(parameters);
    this.decoder = new GreedyDecoder(decoderSession, parameters);
    this.memory = memoryNames(parameters);
  }

  /**
   * `earlier`: what this recogniser said of the beginning of the same audio, for example at a pause that was not the
   * end. Its words are checked in one pass, which makes the second call far cheaper; the text does not depend on it
   * being right. Longer audio than `maxSeconds` is cut at quiet places and joined. `onEncoded` is given each part that
   * was not silent, for those who hear more in it than words.
   */
  async recognise(
    pcm: Float32Array,
    signal: AbortSignal,
    earlier?: Recognition,
    onEncoded?: OnEncoded,
  ): Promise<WhisperRecognition> {
    signal.throwIfAborted();
    const parts = this.parts(pcm);
    if (parts.length === 1) return this.recognisePart(pcm, signal, earlier, onEncoded);
    const results: WhisperRecognition[] = [];
    for (const part of parts) results.push(await this.recognisePart(part, signal, undefined, onEncoded));
    return joined(results);
  }

  /** The token that is exactly this text, if there is one. */
  tokenOf(text: string): number | undefined {
    return this.vocabulary.idOf(text);
  }

  /** Spans no longer than what is heard at once, cut at quiet places. */
  parts(pcm: Float32Array): Float32Array[] {
    const { sampleRate, tailSamples } = this.parameters;
    const longest = this.maxSeconds * sampleRate - tailSamples;
    const parts: Float32Array[] = [];
    let from = 0;
    while (pcm.length - from > longest) {
      const span = Math.round(QUIET_SPAN_SECONDS * sampleRate);
      const cut = quietest(pcm, from + Math.round((longest * 2) / 3), from + longest - span, span) + (span >> 1);
      parts.push(pcm.subarray(from, cut));
      from = cut;
    }
    parts.push(pcm.subarray(from));
    return parts;
  }

  /** The encoder alone; `decode` may follow, more than once. */
  async encode(pcm: Float32Array): Promise<EncodedSpeech> {
    const { sampleRate, hopSamples, tailSamples, melBands } = this.parameters;
    const step = 2 * hopSamples; // the encoder halves the frame rate
    const samples = Math.ceil((pcm.length + tailSamples) / step) * step;
    const padded = new Float32Array(samples);
    padded.set(pcm);
    const { data, frames } = this.mel.compute(padded);
    const mel = float32Tensor(data, [1, melBands, frames]);
    return { seconds: pcm.length / sampleRate, mel, tensors: await this.encoderSession.run({ mel }) };
  }

  async decode(speech: EncodedSpeech, signal: AbortSignal, earlier?: Recognition): Promise<WhisperRecognition> {
    const memory: Record<string, Tensors[string]> = {};
    for (const name of this.memory) memory[name] = speech.tensors[name]!;
    const draft = earlier !== undefined && isWhisperRecognition(earlier) ? earlier.tokenIds : [];
    const decoded = await this.decoder.decode(memory, speech.seconds, signal, draft);
    const text = this.vocabulary.text(decoded.tokenIds).trim();
    const speechHeard =
      !decoded.sound &&
      /[\p{L}\p{N}]/u.test(text) &&
      decoded.meanLogProbability >= this.parameters.minMeanLogProbability &&
      decoded.noSpeechProbability <= this.parameters.maxNoSpeechProbability;
    return {
      text: speechHeard ? text : '',
      speech: speechHeard,
      meanLogProbability: decoded.meanLogProbability,
      tokenIds: decoded.tokenIds,
      ...(decoded.written === undefined ? {} : { written: decoded.written }),
      ...(decoded.endState === undefined ? {} : { endState: decoded.endState }),
      noSpeechProbability: decoded.noSpeechProbability,
      stoppedBy: decoded.stoppedBy,
    };
  }

  async close(): Promise<void> {
    await this.encoderSession.close();
    await this.decoderSession.close();
    await this.opinions.turnEnd?.close();
    await this.opinions.overlapStates?.close();
  }

  private async recognisePart(
    pcm: Float32Array,
    signal: AbortSignal,
    earlier?: Recognition,
    onEncoded?: OnEncoded,
  ): Promise<WhisperRecognition> {
    if (peak(pcm) < QUIET_PEAK) return QUIET;
    const speech = await this.encode(pcm);
    onEncoded?.(pcm, speech);
    signal.throwIfAborted();
    const recognition = await this.decode(speech, signal, earlier);
    const doneProbability = await this.doneProbability(speech, recognition);
    const sound = await this.soundOf(speech);
    return {
      ...recognition,
      ...(doneProbability === undefined ? {} : { doneProbability }),
      ...(sound === undefined ? {} : { sound }),
    };
  }

  /** Of a long span nobody asks what sound it is. */
  private async soundOf({ seconds, tensors }: EncodedSpeech) {
    if (seconds > LONGEST_SOUND_SECONDS) return undefined;
    return this.opinions.overlapStates?.judge(float32Data(tensors['hidden'], 'hidden'));
  }

  /** undefined: nobody was taught to say, or there were no words to judge. */
  private async doneProbability(
    speech: EncodedSpeech,
    { speech: spoken, written, endState }: WhisperRecognition,
  ): Promise<number | undefined> {
    const lastToken = written?.at(-1)?.state;
    if (this.opinions.turnEnd === undefined || !spoken || lastToken === undefined || endState === undefined)
      return undefined;
    return this.opinions.turnEnd.chance(float32Data(speech.tensors['hidden'], 'hidden'), lastToken, endState);
  }
}

function isWhisperRecognition(recognition: Recognition): recognition is WhisperRecognition {
  return 'tokenIds' in recognition && Array.isArray(recognition.tokenIds);
}

function peak(pcm: Float32Array): number {
  let top = 0;
  for (const sample of pcm) if (Math.abs(sample) > top) top = Math.abs(sample);
  return top;
}

/** The start of the span of least energy that begins between `from` and `to`. */
function quietest(pcm: Float32Array, from: number, to: number, span: number): number {
  let best = from;
  let least = Infinity;
  for (let start = from; start <= to; start += span >> 1) {
    let energy = 0;
    for (let i = start; i < start + span; i++) energy += pcm[i]! * pcm[i]!;
    if (energy < least) {
      least = energy;
      best = start;
    }
  }
  return best;
}

function joined(results: readonly WhisperRecognition[]): WhisperRecognition {
  const heard = results.filter((result) => result.speech);
  if (heard.length === 0) return results[0] ?? QUIET;
  const tokenIds = heard.flatMap((result) => [...result.tokenIds]);
  const weighted = heard.reduce((sum, result) => sum + result.meanLogProbability * result.tokenIds.length, 0);
  return {
    text: heard.map((result) => result.text).join(' '),
    speech: true,
    meanLogProbability: weighted / Math.max(1, tokenIds.length),
    tokenIds,
    ...(heard.every((result) => result.written !== undefined)
      ? { written: heard.flatMap((result) => [...(result.written ?? [])]) }
      : {}),
    ...lastOf(results),
    noSpeechProbability: Math.min(...heard.map((result) => result.noSpeechProbability)),
    stoppedBy: heard[heard.length - 1]!.stoppedBy,
  };
}

/** Whether the caller is done is what the last part says, and only if it holds words. */
function lastOf(results: readonly WhisperRecognition[]): Pick<WhisperRecognition, 'doneProbability'> {
  const { doneProbability } = results[results.length - 1]!;
  return doneProbability === undefined ? {} : { doneProbability };
}
