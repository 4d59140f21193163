/**
 * Which facts of a persona a question is about: word stems, classes of related words and inverse frequency, in the
 * manner of BM25. The model sees these facts once more beside the question; it was tuned with the same choice, so the
 * table of words is part of the model's folder.
 */
import { z } from 'zod';

const tableSchema = z.object({
  /** Words that say nothing about the subject. */
  stop: z.array(z.string()),
  /** Word → how much it counts in a question, where that is not 1. */
  weights: z.record(z.string(), z.number()),
  /** Pattern of words that belong together → the one word that stands for them. */
  phrases: z.record(z.string(), z.string()),
  /** Class → words, separated by spaces. */
  classes: z.record(z.string(), z.string()),
  /** Class → pattern of questions that ask for it. */
  question: z.record(z.string(), z.string()),
});

/** Classes that a fact belongs to by its form. */
const FORMS: readonly [cls: string, weight: number, pattern: RegExp][] = [
  ['#money', 0.8, /[$€£]\s?\d|\d\s?(dollars?|euros?|pounds?|cents?|francs?)\b|\bfree\b/i],
  ['#time', 0.8, /\d\s?(am|pm|a\.m|p\.m|o'clock)\b|\d:\d\d|\b(noon|midnight)\b/i],
  ['#phone', 0.8, /\d[\d\s-]{6,}\d/],
  ['#person', 0.8, /\b(Dr|Mr|Mrs|Ms|Doctor)\b\.?|(?<=[a-z] )[A-Z][a-z]+ [A-Z][a-z]+/],
];
const CLASS_WEIGHT = 0.8;
const QUESTION_WEIGHT = 0.9;
const FUZZY_WEIGHT = 0.8;
const EARLIER_WEIGHT = 0.3;
const LEAST_SCORE = 0.6;
/** A fact far less relevant than the best one is no help. */
const LEAST_SHARE = 0.8;

export class RelevanceTable {
  private readonly stop: ReadonlySet<string>;
  private readonly classes = new Map<string, string[]>();
  private readonly weights: ReadonlyMap<string, number>;
  private readonly questions: readonly [string, RegExp][];
  private readonly phrases: readonly [RegExp, string][];

  constructor(json: unknown) {
    const table = tableSchema.parse(json);
    this.stop = new Set(table.stop);
    this.weights = new Map(Object.entries(table.weights).map(([word, weight]) => [stem(word), weight]));
    this.phrases = Object.entries(table.phrases).map(([source, word]) => [new RegExp(`\\b${source}\\b`, 'g'), word]);
    for (const [name, words] of Object.entries(table.classes)) {
      for (const word of words.split(' ')) {
        const key = stem(word);
        this.classes.set(key, [...(this.classes.get(key) ?? []), `#${name}`]);
      }
    }
    this.questions = Object.entries(table.question).map(([name, source]) => [`#${name}`, new RegExp(source)]);
  }

  factTerms(fact: string): Map<string, number> {
    const terms = this.wordTerms(fact);
    for (const [cls, weight, pattern] of FORMS) if (pattern.test(fact)) terms.set(cls, weight);
    return terms;
  }

  questionTerms(question: string): Map<string, number> {
    const terms = this.wordTerms(question);
    for (const [word, weight] of this.weights) if (terms.has(word)) terms.set(word, weight);
    const lower = question.toLowerCase();
    for (const [cls, pattern] of this.questions) {
      if (pattern.test(lower)) terms.set(cls, Math.max(terms.get(cls) ?? 0, QUESTION_WEIGHT));
    }
    return terms;
  }

  private wordTerms(text: string): Map<string, number> {
    const terms = new Map<string, number>();
    let plain = text.toLowerCase().replaceAll("'s", '');
    for (const [pattern, word] of this.phrases) plain = plain.replace(pattern, word);
    for (const word of plain.match(/[a-z0-9]+/g) ?? []) {
      if (this.stop.has(word)) continue;
      const key = stem(word);
      terms.set(key, 1);
      for (const cls of this.classes.get(key) ?? []) terms.set(cls, CLASS_WEIGHT);
    }
    return terms;
  }
}

export class FactIndex {
  private readonly terms: readonly Map<string, number>[];
  private readonly rarity = new Map<string, number>();

  constructor(
    private readonly table: RelevanceTable,
    private readonly facts: readonly string[],
  ) {
    this.terms = facts.map((fact) => table.factTerms(fact));
    const counts = new Map<string, number>();
    for (const terms of this.terms) for (const term of terms.keys()) counts.set(term, (counts.get(term) ?? 0) + 1);
    // BM25's inverse document frequency.
    for (const [term, count] of counts) {
      this.rarity.set(term, Math.log(1 + (facts.length - count + 0.5) / (count + 0.5)));
    }
  }

  /** At most `most` facts, the best one last: nearest to the answer. `earlier`: the question before, for "and on Sunday?". */
  related(question: string, most: number, earlier = ''): string[] {
    const scores = this.scores(question, earlier);
    const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
    const best = scores[order[0] ?? 0] ?? 0;
    return order
      .slice(0, most)
      .filter((i) => scores[i]! >= LEAST_SCORE && scores[i]! >= LEAST_SHARE * best)
      .reverse()
      .map((i) => this.facts[i]!);
  }

  private scores(question: string, earlier: string): number[] {
    const wanted = this.table.questionTerms(question);
    if (earlier !== '') {
      for (const [term, weight] of this.table.questionTerms(earlier)) {
        wanted.set(term, Math.max(wanted.get(term) ?? 0, EARLIER_WEIGHT * weight));
      }
    }
    return this.terms.map((have) => {
      let score = 0;
      for (const [term, weight] of wanted) {
        let found = have.get(term);
        let key = term;
        if (found === undefined && !term.startsWith('#')) {
          const near = [...have.keys()].find((other) => nearlyEqual(term, other));
          if (near !== undefined) [found, key] = [FUZZY_WEIGHT, near];
        }
        if (found !== undefined) score += weight * found * this.rarity.get(key)!;
      }
      return score / (1 + 0.02 * have.size);
    });
  }
}

/** Cuts English endings: crude, and enough for both sides to meet. */
export function stem(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  let cut = word;
  if (cut.length > 5 && cut.endsWith('ing')) cut = cut.slice(0, -3);
  else if (cut.length > 4 && cut.endsWith('ed')) cut = cut.slice(0, -2);
  else if (cut.length > 4 && cut.endsWith('es')) cut = cut.slice(0, -2);
  else if (cut.length > 3 && cut.endsWith('s') && !cut.endsWith('ss')) cut = cut.slice(0, -1);
  if (cut.length > 3 && cut.endsWith('e')) cut = cut.slice(0, -1);
  if (cut.length > 3 && cut.at(-1) === cut.at(-2)) cut = cut.slice(0, -1);
  return cut;
}

/** One letter heard wrong, lost or added in a long word. */
function nearlyEqual(a: string, b: string): boolean {
  if (a.length < 5 || b.length < 5 || Math.abs(a.length - b.length) > 1 || a.slice(0, 2) !== b.slice(0, 2))
    return false;
  if (a.length === b.length) {
    let wrong = 0;
    for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) wrong += 1;
    return wrong === 1;
  }
  const [long, short] = a.length > b.length ? [a, b] : [b, a];
  let i = 0;
  while (i < short.length && long[i] === short[i]) i += 1;
  return long.slice(i + 1) === short.slice(i);
}
