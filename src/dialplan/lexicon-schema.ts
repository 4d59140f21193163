/** The form of a persona's lexicon: words, and how each is said. */
import { z } from 'zod';
import { MAX_LEXICON_WORDS, readPronunciation } from '../core/pronunciation';

/** What is left of a Latin letter without its accents. */
const WORD = /^[a-zæœøłđßðþı]+(?:['’][a-zæœøłđßðþı]+)*$/i;
const MAX_WORD_CHARACTERS = 40;

export const lexiconSchema = z
  .record(z.string(), z.string())
  .superRefine((lexicon, context) => {
    const words = Object.keys(lexicon);
    if (words.length > MAX_LEXICON_WORDS) {
      context.addIssue({ code: 'custom', message: `Expected at most ${MAX_LEXICON_WORDS} words.` });
      return;
    }
    const seen = new Set<string>();
    for (const word of words) {
      const plain = plainOf(word);
      const said = readPronunciation(lexicon[word] ?? '');
      const wrong = wordFault(plain, seen) ?? (said.ok ? undefined : said.message);
      if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong, path: [word] });
      seen.add(plain);
    }
  })
  .describe('How words are said: {Siobhan: "shih VAWN", Nguyen: "/ŋwɪn/"}. A respelling, or IPA between slashes.');

function wordFault(word: string, seen: ReadonlySet<string>): string | undefined {
  if (word.length < 2 || word.length > MAX_WORD_CHARACTERS || !WORD.test(word)) {
    return `Expected one word of 2 to ${MAX_WORD_CHARACTERS} Latin letters, without blanks, figures or hyphens.`;
  }
  return seen.has(word) ? 'Expected every word once, whatever its case and accents.' : undefined;
}

function plainOf(word: string): string {
  return word.normalize('NFD').replace(/\p{M}/gu, '').replace(/’/g, "'").toLowerCase();
}
