/**
 * The ear of the omni model: Whisper hears, and what it had in mind goes to the trunk as vectors instead of text. How
 * something was said (tone, haste, a sound that is no word) goes along as vectors of its own, where the weights know it.
 */
import { z } from 'zod';
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, float32Tensor, int64Tensor } from '../../onnx/tensors';
import type { Understood } from '../call-hearing';
import type { ModelFolder } from '../manifest';
import type { Recognition } from '../parts';
import type { OverlapStates } from '../whisper/overlap-states';
import type { TurnEnd } from '../whisper/turn-end';
import {
  type EncodedSpeech,
  openWhisper,
  type WhisperRecogniser,
  type WhisperRecognition,
} from '../whisper/whisper-recogniser';
import { asked } from './asked';
import { type HowHeard, HowSaidNet } from './how-said';
import { adapterRows, PieceTable } from './soft-words';

export const earParametersSchema = z.object({
  /** Width of the decoder's states. */
  stateWidth: z.number().int().positive(),
  /** Width of the trunk's embeddings. */
  width: z.number().int().positive(),
  /** Whisper's tokens. */
  vocabulary: z.number().int().positive(),
  /** Trunk tokens of one Whisper token, at most. */
  maxPieces: z.number().int().positive(),
  /** Vectors of how it was said; 0: the weights do not know. */
  howTokens: z.number().int().nonnegative(),
  /** Names of the classes of sounds, in order. */
  classes: z.array(z.string()).default([]),
});

/** Words at the end of what was heard so far may become others. */
const EDGE_TOKENS = 3;

export interface Heard {
  /** A by-product: captions, records, the choice of facts. */
  readonly recognition: WhisperRecognition;
  /** What the trunk reads: [width] each. Empty when there is nothing to answer. */
  readonly vectors: readonly Float32Array[];
  /** Left out: the weights do not know, or all was silent. */
  readonly how?: HowHeard;
}

export interface EarOptions {
  readonly whisperFolder: string;
  readonly folder: ModelFolder;
  /** The trunk's embeddings of tokens. */
  readonly embed: (tokenIds: readonly number[]) => Float32Array;
  readonly threads?: number;
  /** Says whether the caller is done; closed together with the ear. */
  readonly turnEnd?: TurnEnd;
  readonly overlapStates?: OverlapStates;
}

export class OmniEar {
  private readonly questionMark: number | undefined;

  private constructor(
    private readonly whisper: WhisperRecogniser,
    private readonly adapter: OnnxSession,
    private readonly pieces: PieceTable,
    private readonly parameters: z.infer<typeof earParametersSchema>,
    private readonly embed: EarOptions['embed'],
    private readonly how: HowSaidNet | undefined,
  ) {
    this.questionMark = whisper.tokenOf('?');
  }

  static async open({
    whisperFolder,
    folder,
    embed,
    threads = 1,
    turnEnd,
    overlapStates,
  }: EarOptions): Promise<OmniEar> {
    const parameters = folder.parameters(earParametersSchema);
    const { stateWidth, width, vocabulary, maxPieces } = parameters;
    const pieces = new PieceTable(await folder.read('pieces.bin'), vocabulary, maxPieces);
    const adapter = await openSession(await folder.read('adapter.onnx'), {
      threads,
      label: `${folder.manifest.name}/adapter.onnx`,
      expect: {
        inputs: {
          states: { type: 'float32', dims: [null, stateWidth] },
          before: { type: 'float32', dims: [null, stateWidth] },
          base: { type: 'float32', dims: [null, width] },
          piece: { type: 'int64', dims: [null] },
        },
        outputs: { soft: { type: 'float32', dims: [null, width] } },
      },
    });
    let how: HowSaidNet | undefined;
    try {
      how = parameters.howTokens > 0 ? await HowSaidNet.open(folder, parameters) : undefined;
      const whisper = await openWhisper(whisperFolder, {
        threads,
        states: true,
        ...(turnEnd === undefined ? {} : { turnEnd }),
        ...(overlapStates === undefined ? {} : { overlapStates }),
        ...(folder.has('decoder.onnx') ? { decoderFolder: folder } : {}),
      });
      return new OmniEar(whisper, adapter, pieces, parameters, embed, how);
    } catch (error) {
      await Promise.all([adapter.close(), how?.close()]);
      throw error;
    }
  }

  get maxSeconds(): number {
    return this.whisper.maxSeconds;
  }

  /** Words alone, as `Recogniser.recognise`. */
  recognise(pcm: Float32Array, signal: AbortSignal, earlier?: Recognition): Promise<WhisperRecognition> {
    return this.whisper.recognise(pcm, signal, earlier);
  }

  /**
   * `pcm`: 16 kHz mono −1…1. `earlier`: what was heard of the beginning of the same audio. Vectors of words that it had
   * right stay the same objects, so that whoever has read them need not again.
   */
  async hear(pcm: Float32Array, signal: AbortSignal, earlier?: Understood): Promise<Heard> {
    // Of audio in several parts, the last one's: there the tune ends.
    let last: { pcm: Float32Array; speech: EncodedSpeech } | undefined;
    const recognition = await this.whisper.recognise(pcm, signal, earlier?.recognition, (part, speech) => {
      last = { pcm: part, speech };
    });
    signal.throwIfAborted();
    const how = last === undefined ? undefined : await this.how?.judge(last.pcm, last.speech);
    const told = how === undefined ? {} : { how };
    if (!recognition.speech) return { recognition, vectors: [], ...told };
    const words = this.asAsked(recognition, how);
    const vectors = await this.vectors(words);
    const known = earlier?.vectors.slice(0, this.settledRows(words, earlier.recognition)) ?? [];
    return { recognition: words, vectors: [...known, ...vectors.slice(known.length)], ...told };
  }

  async close(): Promise<void> {
    await Promise.all([this.whisper.close(), this.adapter.close(), this.how?.close()]);
  }

  private asAsked(recognition: WhisperRecognition, how: HowHeard | undefined): WhisperRecognition {
    const mark = how === undefined ? undefined : this.questionMark;
    return how === undefined || mark === undefined ? recognition : asked(recognition, how.said, mark);
  }

  /** Rows of the words on which both agree, but for the last of the earlier ones: what followed them was not known then. */
  private settledRows(now: WhisperRecognition, earlier: Recognition): number {
    const before = 'tokenIds' in earlier ? (earlier as WhisperRecognition).tokenIds : [];
    let rows = 0;
    for (let at = 0; at < before.length - EDGE_TOKENS && before[at] === now.tokenIds[at]; at += 1) {
      rows += this.pieces.of(before[at]!, at === 0).length;
    }
    return rows;
  }

  private async vectors({ written = [] }: WhisperRecognition): Promise<Float32Array[]> {
    const { stateWidth, width } = this.parameters;
    const rows = adapterRows(written, this.pieces, this.embed, stateWidth, width);
    if (rows.count === 0) return [];
    const out = await this.adapter.run({
      states: float32Tensor(rows.states, [rows.count, stateWidth]),
      before: float32Tensor(rows.before, [rows.count, stateWidth]),
      base: float32Tensor(rows.base, [rows.count, width]),
      piece: int64Tensor(rows.piece, [rows.count]),
    });
    const soft = float32Data(out['soft'], 'soft');
    return rows.piece.map((_, row) => soft.slice(row * width, (row + 1) * width));
  }
}
