/**
 * Mini-Omni's ids: one table for text and seven audio layers. Text specials follow the tokenizer's ids, audio specials
 * follow the codes of each layer; a layer speaks in local ids that are shifted before they are fed back.
 *
 *   0 … text … | eot pad_t input_t answer_t asr … | layer 0: codes, eoa pad_a input_a answer_a … | layer 1 … | layer 6
 */
import { LAYERS } from '../codec/delay-pattern';

export interface IdSizes {
  /** Text ids with their specials, 152,000 in the published checkpoint. */
  readonly textVocabulary: number;
  /** Ids of one audio layer with its specials, 4,160. */
  readonly audioVocabulary: number;
  /** Of both, those that are special or unused, 64. */
  readonly specialIds: number;
}

/** Text ids of a trunk that has its own: they stand in the place of those that follow the tokenizer's. */
export type TextIds = Partial<Pick<MiniOmniIds, 'eot' | 'answerText' | 'textEnd'>>;

export class MiniOmniIds {
  /** End of text; also closes the caller's turn inside a prompt. */
  readonly eot: number;
  readonly padText: number;
  readonly inputText: number;
  readonly answerText: number;
  /** Asks for a transcription instead of an answer. */
  readonly asr: number;
  /** Text ids that can be an answer: 0 … textEnd − 1, the end of the text among them. */
  readonly textEnd: number;
  /** Codes of one layer: valid ones are 0 … codes − 1. */
  readonly codes: number;
  /** Local ids: end of audio, pad, start of the caller's side, start of the answer. */
  readonly endAudio: number;
  readonly padAudio: number;
  readonly inputAudio: number;
  readonly answerAudio: number;

  constructor(
    readonly sizes: IdSizes,
    own: TextIds = {},
  ) {
    const text = sizes.textVocabulary - sizes.specialIds;
    this.eot = own.eot ?? text;
    this.padText = text + 1;
    this.inputText = text + 2;
    this.answerText = own.answerText ?? text + 3;
    this.asr = text + 4;
    // Of the specials only the end of the text is an answer.
    this.textEnd = own.textEnd ?? this.eot + 1;
    const audio = sizes.audioVocabulary - sizes.specialIds;
    this.codes = audio;
    this.endAudio = audio;
    this.padAudio = audio + 1;
    this.inputAudio = audio + 2;
    this.answerAudio = audio + 3;
  }

  /** The global id of `local` in `layer`. */
  shifted(local: number, layer: number): number {
    return this.sizes.textVocabulary + layer * this.sizes.audioVocabulary + local;
  }

  /** One position: the same local id in all layers, and a text id. */
  column(local: number, text: number): number[] {
    return this.position(new Array<number>(LAYERS).fill(local), text);
  }

  /** One position: local codes of the seven layers, and a text id. */
  position(codes: readonly number[], text: number): number[] {
    return [...codes.map((code, layer) => this.shifted(code, layer)), text];
  }
}
