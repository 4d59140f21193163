/**
 * The pronunciations that are known: frequent words, forms that depend on their neighbours ("the" before a vowel, "read"
 * behind "to"), pairs that run together, names of letters. Read from the tables of models/g2p-en, which its recipe makes.
 */

export interface LexiconTables {
  readonly words: string;
  readonly contexts: string;
  readonly letters: string;
}

const VOWEL_SOUND = /^[ˈˌ]?[aeiouæɐɑɒɔəɚɛɜɪʊʌᵻ]/;

export class Lexicon {
  private readonly words = new Map<string, string>();
  private readonly contexts = new Map<string, string>();
  private readonly joined = new Map<string, readonly [string, string]>();
  private readonly letters = new Map<string, string>();

  constructor(tables: LexiconTables) {
    for (const [word, said] of rows(tables.words)) this.words.set(word, said);
    for (const [letter, said] of rows(tables.letters)) this.letters.set(letter, said);
    for (const [before, word, said] of rows(tables.contexts)) {
      if (before !== '+') this.contexts.set(`${before} ${word}`, said);
      else {
        const [first = '', second = ''] = said.split('|');
        this.joined.set(word, [first, second]);
      }
    }
  }

  get size(): number {
    return this.words.size;
  }

  word(word: string): string | undefined {
    return this.words.get(word);
  }

  /** "b" → its name; "b's" → with the ending of a plural. */
  letter(letter: string): string {
    const name = this.letters.get(letter.charAt(0)) ?? '';
    return letter.length > 1 ? `${name}z` : name;
  }

  /** Two words that espeak says in one breath, without the blank between: "of the". */
  pair(first: string, second: string): readonly [string, string] | undefined {
    return this.joined.get(`${first} ${second}`);
  }

  /** An r that is silent at a word's end in fluent speech comes back before a vowel: "number ɚ" + "of" → ɚɹ. */
  linked(said: string, nextSaid: string | undefined): string {
    return nextSaid !== undefined && /(?:ɚ|ɜː)$/.test(said) && VOWEL_SOUND.test(nextSaid) ? `${said}ɹ` : said;
  }

  /** "in the" + "evening": the article of a pair changes before a vowel as it does alone. */
  beforeVowel(said: string, nextSaid: string | undefined): string {
    return said.endsWith('ðə') && nextSaid !== undefined && VOWEL_SOUND.test(nextSaid) ? `${said.slice(0, -1)}ɪ` : said;
  }

  /** The form of `word` among its neighbours, if it differs from the usual one. `nextSaid`: undefined at the clause's end. */
  inContext(word: string, before: string | undefined, nextSaid: string | undefined): string | undefined {
    const behind = before === undefined ? undefined : this.contexts.get(`${before} ${word}`);
    if (behind !== undefined) return behind;
    if (nextSaid === undefined) return this.contexts.get(`*end ${word}`);
    return this.contexts.get(`${VOWEL_SOUND.test(nextSaid) ? '*vowel' : '*consonant'} ${word}`);
  }
}

function* rows(table: string): Generator<[string, string, string]> {
  for (const line of table.split('\n')) {
    const [a = '', b = '', c = ''] = line.split('\t');
    if (a !== '') yield [a, b, c];
  }
}
