/**
 * A JSON schema's `pattern` as a grammar: the part of ECMAScript's regular expressions that such patterns are made of, anchored on both
 * sides. What matches it matches the expression; unbounded repetition is bounded.
 */
import { choice, type Grammar, type Range, repeat, sequence, text } from './grammar';

/** Instead of no limit. */
const MOST_REPEATS = 40;
const LAST = 0x10ffff;
/** Written as they are in a JSON string, and by a tokenizer as whole characters: no control, no surrogate, no replacement character. */
const PLAIN: readonly Range[] = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0x7e],
  [0xa1, 0xac],
  [0xae, 0x2ff],
];
const DIGITS: readonly Range[] = [[0x30, 0x39]];
const WORD: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SPACE: readonly Range[] = [[0x20, 0x20]];

export const plainCharacter: Grammar = { kind: 'one-of', ranges: PLAIN };

/** undefined: it holds what is not understood here. */
export function patternGrammar(pattern: string): Grammar | undefined {
  if (!/^\^[\s\S]*[^\\]\$$|^\^\$$/.test(pattern)) return undefined;
  const parser = new Parser([...pattern.slice(1, -1)]);
  const grammar = parser.alternatives();
  return grammar !== undefined && parser.done ? grammar : undefined;
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly source: readonly string[]) {}

  get done(): boolean {
    return this.at === this.source.length;
  }

  alternatives(): Grammar | undefined {
    const parts: Grammar[] = [];
    do {
      const part = this.terms();
      if (part === undefined) return undefined;
      parts.push(part);
    } while (this.take('|'));
    // At the outside, ^a|b$ binds otherwise than it looks.
    if (parts.length > 1 && this.depth === 0) return undefined;
    return parts.length === 1 ? parts[0] : choice(...parts);
  }

  private terms(): Grammar | undefined {
    const parts: Grammar[] = [];
    while (!this.done && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      const atom = this.atom();
      const part = atom === undefined ? undefined : this.quantified(atom);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return sequence(...parts);
  }

  private atom(): Grammar | undefined {
    const character = this.next();
    switch (character) {
      case '(': {
        if (this.source[this.at] === '?' && !(this.take('?') && this.take(':'))) return undefined;
        this.depth += 1;
        const inner = this.alternatives();
        this.depth -= 1;
        return this.take(')') ? inner : undefined;
      }
      case '[':
        return this.members();
      case '.':
        return plainCharacter;
      case '\\': {
        const ranges = this.escape();
        return ranges === undefined ? undefined : written(ranges);
      }
      case undefined:
      case '^':
      case '$':
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        return undefined;
      default:
        return written([[pointOf(character), pointOf(character)]]);
    }
  }

  private quantified(atom: Grammar): Grammar | undefined {
    const rest = this.source.slice(this.at, this.at + 16).join('');
    const found = /^(?:([*+?])|\{(\d{1,3})(?:(,)(\d{1,3})?)?\})/.exec(rest);
    if (found === null) return rest.startsWith('{') ? undefined : atom;
    const [whole, sign, from, comma, to] = found;
    this.at += whole.length;
    // Lazy or greedy, the texts are the same.
    this.take('?');
    const min = sign === undefined ? Number(from) : sign === '+' ? 1 : 0;
    const open = sign === '*' || sign === '+' || (comma !== undefined && to === undefined);
    const max = open ? Math.max(min, MOST_REPEATS) : sign === '?' ? 1 : Number(to ?? from);
    return min > max ? undefined : repeat(atom, min, max);
  }

  private members(): Grammar | undefined {
    const negated = this.take('^');
    const ranges: Range[] = [];
    while (!this.take(']')) {
      const low = this.member();
      if (low === undefined) return undefined;
      const [single] = low;
      const from = low.length === 1 && single?.[0] === single?.[1] ? single?.[0] : undefined;
      if (from !== undefined && this.source[this.at] === '-' && this.source[this.at + 1] !== ']') {
        this.at += 1;
        const high = this.member();
        const to = high?.length === 1 && high[0]?.[0] === high[0]?.[1] ? high[0]?.[0] : undefined;
        if (to === undefined || to < from) return undefined;
        ranges.push([from, to]);
      } else ranges.push(...low);
    }
    return written(negated ? without([[0, LAST]], ranges) : ranges);
  }

  private member(): readonly Range[] | undefined {
    const character = this.next();
    if (character === undefined) return undefined;
    return character === '\\' ? this.escape() : [[pointOf(character), pointOf(character)]];
  }

  private escape(): readonly Range[] | undefined {
    const character = this.next();
    if (character === 'd') return DIGITS;
    if (character === 'w') return WORD;
    if (character === 's') return SPACE;
    if (character === undefined || /[A-Za-z0-9]/.test(character)) return undefined;
    return [[pointOf(character), pointOf(character)]];
  }

  private next(): string | undefined {
    const character = this.source[this.at];
    if (character !== undefined) this.at += 1;
    return character;
  }

  private take(character: string): boolean {
    if (this.source[this.at] !== character) return false;
    this.at += 1;
    return true;
  }
}

function pointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/** As a JSON string has them; what would need an escape is left out, but where it is the only character. */
function written(ranges: readonly Range[]): Grammar {
  const [only] = ranges;
  if (ranges.length === 1 && only !== undefined && only[0] === only[1]) {
    return text(JSON.stringify(String.fromCodePoint(only[0])).slice(1, -1));
  }
  const plain = PLAIN.flatMap(([low, high]) =>
    ranges.flatMap(([from, to]): Range[] => {
      const both: Range = [Math.max(low, from), Math.min(high, to)];
      return both[0] <= both[1] ? [both] : [];
    }),
  );
  return { kind: 'one-of', ranges: plain };
}

function without(ranges: readonly Range[], taken: readonly Range[]): Range[] {
  let left: Range[] = [...ranges];
  for (const [from, to] of taken) {
    left = left.flatMap(([low, high]): Range[] => {
      const parts: Range[] = [
        [low, Math.min(high, from - 1)],
        [Math.max(low, to + 1), high],
      ];
      return parts.filter((part) => part[0] <= part[1]);
    });
  }
  return left;
}
