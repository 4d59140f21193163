/**
 * Phonemes as the voice's net was trained on them: `^ _ p _ p _ … $`, each IPA character by its id, a blank between
 * words, the mark at the end; and which ids belong to which written word.
 */
import type { Pronounced } from '../text/pronouncer';
import type { PauseMark } from '../text/spoken-text';

export type PhonemeIdMap = Readonly<Record<string, number>>;

export interface WordSpan {
  readonly written: number;
  /** Indices into `ids`: [from, to). */
  readonly from: number;
  readonly to: number;
}

export interface PhonemeIds {
  readonly ids: readonly number[];
  readonly words: readonly WordSpan[];
  /** Index of the first id behind the start mark. */
  readonly speechFrom: number;
  /** Index behind the last id of the last word. */
  readonly speechTo: number;
}

const START = '^';
const END = '$';
const PAD = '_';
const BLANK = ' ';

export function phonemeIds(
  said: readonly (Pronounced & { readonly pauseAfter: PauseMark | undefined })[],
  end: PauseMark,
  map: PhonemeIdMap,
): PhonemeIds {
  const ids: number[] = [];
  const words: WordSpan[] = [];
  const pad = map[PAD] ?? 0;
  const put = (symbol: string) => {
    const id = map[symbol];
    // A symbol that this voice has no sound for is left out, as Piper does.
    if (id !== undefined) ids.push(id, pad);
  };
  put(START);
  const speechFrom = ids.length;
  for (const [index, word] of said.entries()) {
    const from = ids.length;
    for (const symbol of word.phonemes.normalize('NFD')) put(symbol);
    const written = word.token.written;
    const last = words.at(-1);
    if (last?.written === written) words[words.length - 1] = { ...last, to: ids.length };
    else if (ids.length > from) words.push({ written, from, to: ids.length });
    if (index + 1 < said.length) {
      if (word.pauseAfter !== undefined) put(word.pauseAfter);
      if (!word.joined || word.pauseAfter !== undefined) put(BLANK);
    }
  }
  const speechTo = ids.length;
  put(end);
  ids.push(map[END] ?? 2);
  return { ids, words, speechFrom, speechTo };
}
