/**
 * Regular grammars over characters, run as a set of states (Thompson's construction): what may come next, whether the end is reached,
 * and how far it is. All repetition is bounded, so every text of a grammar ends. The idea of guiding a language model by one is
 * Willard and Louf's (Efficient Guided Generation for Large Language Models, 2023).
 */

/** Code points, both ends included. */
export type Range = readonly [number, number];

export type Grammar =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'one-of'; readonly ranges: readonly Range[] }
  | { readonly kind: 'sequence'; readonly parts: readonly Grammar[] }
  | { readonly kind: 'choice'; readonly parts: readonly Grammar[] }
  | { readonly kind: 'repeat'; readonly part: Grammar; readonly min: number; readonly max: number };

export const text = (content: string): Grammar => ({ kind: 'text', text: content });
export const oneOf = (...ranges: Range[]): Grammar => ({ kind: 'one-of', ranges });
export const sequence = (...parts: Grammar[]): Grammar => ({ kind: 'sequence', parts });
export const choice = (...parts: Grammar[]): Grammar => ({ kind: 'choice', parts });
export const repeat = (part: Grammar, min: number, max: number): Grammar => ({ kind: 'repeat', part, min, max });

interface Edge {
  readonly ranges: readonly Range[];
  readonly to: number;
}

/** Where a run stands: the states it may be in, silent steps taken. */
export type Standing = readonly number[];

const MOST_STATES = 50_000;

export class Machine {
  private readonly edges: Edge[][] = [[]];
  private readonly silent: number[][] = [[]];
  /** Characters to the end, by state; Infinity: there is no way. */
  private readonly togo: number[];
  readonly start: Standing;

  /** Throws a RangeError for a grammar that is too large. */
  constructor(grammar: Grammar) {
    const entry = this.build(grammar, 0);
    this.togo = this.distances();
    this.start = this.closed([entry]);
  }

  /** After `more`; undefined: no text of the grammar goes on like that. */
  step(from: Standing, more: string): Standing | undefined {
    let standing = from;
    for (const character of more) {
      const point = character.codePointAt(0) ?? 0;
      const next = new Set<number>();
      for (const state of standing) {
        for (const { ranges, to } of this.edges[state] ?? []) {
          if (ranges.some(([low, high]) => point >= low && point <= high)) next.add(to);
        }
      }
      standing = this.closed(next);
      if (standing.length === 0) return undefined;
    }
    return standing;
  }

  /** With which characters it may go on. */
  following(standing: Standing): Range[] {
    return standing.flatMap((state) => (this.edges[state] ?? []).flatMap(({ ranges }) => ranges));
  }

  /** Nothing can follow. */
  ended(standing: Standing): boolean {
    return standing.length === 1 && standing[0] === 0;
  }

  /** The fewest characters to an end. */
  distance(standing: Standing): number {
    return standing.reduce(
      (least, state) => Math.min(least, this.togo[state] ?? Number.POSITIVE_INFINITY),
      Number.POSITIVE_INFINITY,
    );
  }

  /** What must follow, as far as there is no choice. */
  forced(from: Standing): string {
    let said = '';
    let standing = from;
    for (;;) {
      if (standing.includes(0)) return said;
      const edges = standing.flatMap((state) => this.edges[state] ?? []);
      const [first] = edges[0]?.ranges ?? [];
      const single = first !== undefined && first[0] === first[1];
      if (
        !single ||
        !edges.every(({ ranges }) => ranges.length === 1 && ranges[0]?.[0] === first[0] && ranges[0][1] === first[0])
      ) {
        return said;
      }
      const character = String.fromCodePoint(first[0]);
      said += character;
      standing = this.step(standing, character) ?? [];
    }
  }

  private state(): number {
    if (this.edges.length >= MOST_STATES) throw new RangeError('The grammar is too large.');
    this.edges.push([]);
    this.silent.push([]);
    return this.edges.length - 1;
  }

  /** Returns the state from which `grammar` leads to `next`. */
  private build(grammar: Grammar, next: number): number {
    switch (grammar.kind) {
      case 'text': {
        let to = next;
        for (const character of [...grammar.text].reverse()) {
          const point = character.codePointAt(0) ?? 0;
          to = this.edge([[point, point]], to);
        }
        return to;
      }
      case 'one-of':
        return this.edge(grammar.ranges, next);
      case 'sequence':
        return grammar.parts.reduceRight((to, part) => this.build(part, to), next);
      case 'choice': {
        const parts = grammar.parts.map((part) => this.build(part, next));
        const entry = this.state();
        this.silent[entry]?.push(...parts);
        return entry;
      }
      case 'repeat': {
        let to = next;
        for (let count = grammar.max; count > 0; count -= 1) {
          const once = this.build(grammar.part, to);
          if (count > grammar.min) {
            const entry = this.state();
            this.silent[entry]?.push(once, next);
            to = entry;
          } else to = once;
        }
        return to;
      }
    }
  }

  private edge(ranges: readonly Range[], to: number): number {
    const from = this.state();
    if (ranges.length > 0) this.edges[from]?.push({ ranges, to });
    return from;
  }

  private closed(states: Iterable<number>): number[] {
    const seen = new Set<number>();
    const open = [...states];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      if (seen.has(state) || this.togo[state] === Number.POSITIVE_INFINITY) continue;
      seen.add(state);
      open.push(...(this.silent[state] ?? []));
    }
    // States that only lead on silently say nothing themselves.
    return [...seen].filter((state) => state === 0 || (this.edges[state]?.length ?? 0) > 0);
  }

  /** Every state leads to ones that were made before it. */
  private distances(): number[] {
    const togo = [0];
    for (let state = 1; state < this.edges.length; state += 1) {
      let least = Number.POSITIVE_INFINITY;
      for (const to of this.silent[state] ?? []) least = Math.min(least, togo[to] ?? least);
      for (const { to } of this.edges[state] ?? []) least = Math.min(least, 1 + (togo[to] ?? least));
      togo.push(least);
    }
    return togo;
  }
}
