/**
 * Turns any text into words that can be said: numbers, times, money, addresses and abbreviations spelled out, markup and
 * what has no sound left out, every spoken word tied to the written one. A left-to-right scan with a table of rules.
 */
import { fold } from './fold';
import { DIGIT_RULES, NUMBER_RULES } from './number-rules';
import type { OwnWords } from './own-words';
import type { Place, Rule, Spoken } from './rule';
import type { PauseMark, SpokenText, SpokenToken, WrittenWord } from './spoken-text';
import { ADDRESS_RULES, MIXED_RULES, WORD_RULES } from './word-rules';

const OTHER_RULES: readonly Rule[] = [...NUMBER_RULES, ...MIXED_RULES, ...DIGIT_RULES, ...WORD_RULES];
const RULES: readonly Rule[] = [...ADDRESS_RULES, ...OTHER_RULES];

/** The stronger of two pauses that meet is kept. */
const STRENGTH: Readonly<Record<PauseMark, number>> = { ',': 1, ':': 2, ';': 3, '.': 4, '!': 5, '?': 6 };
const SENTENCE_END = /[.!?]/;
const ONE_WORD = /^[a-z]+(?:'[a-z]+)*$/;

/** `own`: words that are kept whole, because their sound is given. */
export function normalise(text: string, own?: OwnWords): SpokenText {
  const rules = own === undefined ? RULES : [...ADDRESS_RULES, own.rule, ...OTHER_RULES];
  const folded = fold(text);
  const written = writtenWords(text);
  const sink = new TokenSink(written);
  const shouted = isShouted(folded);
  let index = 0;
  let before = '';
  let beforeThat = '';
  let sentenceStart = true;
  while (index < folded.length) {
    const unit = folded[index] ?? ' ';
    if (unit === '\n') {
      // A line that ends without a mark is a heading or a list item.
      sink.pause('.', true);
      sentenceStart = true;
      index += 1;
      continue;
    }
    if (unit === ' ' || unit === '\t') {
      index += 1;
      continue;
    }
    const place: Place = { text: folded, index, before, beforeThat, sentenceStart, shouted };
    const taken = applyRules(rules, place, sink);
    if (taken > 0) {
      beforeThat = before;
      before = lastWord(folded.slice(index, index + taken));
      sentenceStart = false;
      index += taken;
      continue;
    }
    const mark = pauseAt(folded, index);
    if (mark !== undefined) {
      sink.pause(mark, false);
      if (SENTENCE_END.test(mark)) sentenceStart = true;
    }
    index += 1;
  }
  return { written, tokens: sink.tokens };
}

function applyRules(rules: readonly Rule[], place: Place, sink: TokenSink): number {
  for (const rule of rules) {
    rule.pattern.lastIndex = place.index;
    const match = rule.pattern.exec(place.text);
    if (match === null || match[0].length === 0) continue;
    const said = rule.speak(match, place);
    if (said === undefined) continue;
    sink.say(typeof said === 'string' ? [{ say: said, at: 0 }] : said, place.index);
    return match[0].length;
  }
  return 0;
}

function pauseAt(text: string, index: number): PauseMark | undefined {
  const unit = text[index] ?? '';
  const next = text[index + 1] ?? ' ';
  switch (unit) {
    case '.':
      // Three dots hold the voice, they do not end the sentence.
      return text.startsWith('...', index) || text[index - 1] === '.' ? ',' : '.';
    case '?':
    case '!':
    case ';':
      return unit;
    case ',':
    case ':':
      return /\s/.test(next) || next === '"' ? unit : ',';
    case '\u2026':
    case '\u2014':
    case '(':
    case ')':
      return ',';
    case '\u2013':
    case '-':
      // A dash between blanks is a pause, a hyphen is none.
      return /\s/.test(text[index - 1] ?? ' ') && /\s/.test(next) && !/^\s\d/.test(text.slice(index + 1, index + 3))
        ? ','
        : undefined;
    default:
      return undefined;
  }
}

function writtenWords(text: string): WrittenWord[] {
  return [...text.matchAll(/\S+/g)].map((match) => ({
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }));
}

function isShouted(text: string): boolean {
  const capitals = text.match(/[A-Z]/g)?.length ?? 0;
  const small = text.match(/[a-z]/g)?.length ?? 0;
  return capitals > 12 && capitals > 3 * small;
}

function lastWord(taken: string): string {
  return (/[A-Za-z']+(?=[^A-Za-z]*$)/.exec(taken)?.[0] ?? taken).toLowerCase();
}

class TokenSink {
  readonly tokens: SpokenToken[] = [];
  private cursor = 0;

  constructor(private readonly written: readonly WrittenWord[]) {}

  say(spoken: readonly Spoken[], from: number): void {
    for (const { say, at } of spoken) {
      const index = this.wordAt(from + at);
      for (const part of say.split(/(,)|\s+/)) {
        if (part === undefined || part === '') continue;
        if (part === ',') this.pause(',', false);
        else if (/^[A-Z]$/.test(part)) this.tokens.push({ kind: 'letter', text: part.toLowerCase(), written: index });
        // The ending of initials ("PCs") stays with the last letter.
        else if (/^[A-Z]'s$/.test(part)) this.tokens.push({ kind: 'letter', text: part.toLowerCase(), written: index });
        else if (ONE_WORD.test(part)) this.tokens.push({ kind: 'word', text: part, written: index });
      }
    }
  }

  pause(mark: PauseMark, onlyIfNone: boolean): void {
    const last = this.tokens.at(-1);
    // Nothing to pause after at the very start.
    if (last === undefined) return;
    if (last.kind !== 'pause') this.tokens.push({ kind: 'pause', mark });
    else if (!onlyIfNone && STRENGTH[mark] > STRENGTH[last.mark])
      this.tokens[this.tokens.length - 1] = { kind: 'pause', mark };
  }

  /** The written word that holds a place in the text; places come in rising order, give or take a match. */
  private wordAt(place: number): number {
    while (this.cursor > 0 && (this.written[this.cursor]?.start ?? 0) > place) this.cursor -= 1;
    while (this.cursor + 1 < this.written.length && (this.written[this.cursor]?.end ?? 0) <= place) this.cursor += 1;
    return this.cursor;
  }
}
