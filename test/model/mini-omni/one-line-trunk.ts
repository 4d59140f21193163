/**
 * A language model of one line, the same as in trunkline_recipe.omni.mini_reference: state' = tanh(0.6 · (state moved on by
 * one) + item). Tokens 0 … 3 are control tokens.
 */
import type { ReadableTrunk } from '../../../src/model/mini-omni/trunk-stream-lm';
import type { ContextItem, LanguageContext } from '../../../src/model/parts';

export const WIDTH = 8;

function embedding(token: number): number[] {
  return Array.from({ length: WIDTH }, (_, i) => Math.sin(1 + token * (i + 1) * 0.37));
}

export class OneLineTrunk implements ReadableTrunk {
  readonly contextLength = 512;
  readonly control = { hangup: 0, turnStart: 1, turnEnd: 2, handover: 3 };
  /** Sequences that nobody has disposed of. */
  live = 0;
  /** Steps that were known before they were asked for, and those that came otherwise than they were told. */
  foreseen = 0;
  mistaken = 0;

  constructor(
    readonly vocabulary: number,
    readonly encode: (text: string) => number[],
    readonly decode: (tokenIds: readonly number[]) => string,
  ) {}

  embed(tokenIds: readonly number[]): Float32Array {
    return Float32Array.from(tokenIds.flatMap(embedding));
  }

  createContext(): LanguageContext {
    return this.context([new Array<number>(WIDTH).fill(0)]);
  }

  async close(): Promise<void> {}

  private context(states: number[][]): LanguageContext {
    const { vocabulary } = this;
    let disposed = false;
    let next: ContextItem | undefined;
    this.live += 1;
    const last = () => states[states.length - 1]!;
    return {
      get length() {
        return states.length - 1;
      },
      get hidden() {
        return Float32Array.from(last());
      },
      foresee: (told?: { readonly item: ContextItem }) => {
        next = told?.item;
      },
      append: async (items: readonly ContextItem[]) => {
        if (next !== undefined) this.foreseen += 1;
        if (next !== undefined && (items.length !== 1 || items[0] !== next)) this.mistaken += 1;
        next = undefined;
        for (const item of items) {
          const read = typeof item === 'number' ? embedding(item) : [...item];
          const before = last();
          states.push(read.map((value, i) => Math.tanh(0.6 * before[(i + WIDTH - 1) % WIDTH]! + value)));
        }
        return Float32Array.from({ length: vocabulary }, (_, token) => {
          const score = last().reduce((sum, value, i) => sum + value * Math.cos(token * (i + 1) * 0.61), 0);
          return token < 4 ? score - 1.5 : score;
        });
      },
      truncate: (length: number) => {
        states.length = length + 1;
      },
      fork: () => this.context(states.map((state) => [...state])),
      dispose: () => {
        if (!disposed) this.live -= 1;
        disposed = true;
      },
    };
  }
}

/** Tokens are characters. */
export function spellingTrunk(): OneLineTrunk {
  return new OneLineTrunk(
    128,
    (text) => [...text].map((character) => Math.min(127, character.charCodeAt(0))),
    (tokenIds) => String.fromCharCode(...tokenIds),
  );
}
