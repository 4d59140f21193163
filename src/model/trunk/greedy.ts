/**
 * Greedy choice of the next token, held to what may be said: control tokens other than the ends of a turn never come
 * out, and a loop ends the answer.
 */

export interface GreedyRules {
  /** Tokens below this id are control tokens. */
  readonly firstTextToken: number;
  /** Control tokens that may be chosen all the same. */
  readonly ends: readonly number[];
  /** Text tokens that are never said (line breaks). */
  readonly unsaid: readonly number[];
}

export interface Guidance {
  readonly forbidden?: (token: number) => boolean;
  /** Token → what is added to its logit; less than nothing makes it rarer. */
  readonly bonus?: ReadonlyMap<number, number>;
}

export function greedyToken(logits: Float32Array, rules: GreedyRules, guidance: Guidance = {}): number {
  const { forbidden, bonus } = guidance;
  let best = rules.ends[0] ?? 0;
  let bestLogit = Number.NEGATIVE_INFINITY;
  for (const end of rules.ends) {
    const logit = logits[end] ?? Number.NEGATIVE_INFINITY;
    if (logit > bestLogit && forbidden?.(end) !== true) [best, bestLogit] = [end, logit];
  }
  const consider = (token: number, logit: number) => {
    if (logit <= bestLogit) return;
    const lowered = bonus?.get(token) ?? 0;
    if (lowered < 0 && logit + lowered <= bestLogit) return;
    if (!rules.unsaid.includes(token) && forbidden?.(token) !== true) {
      [best, bestLogit] = [token, logit + Math.min(0, lowered)];
    }
  };
  for (let token = rules.firstTextToken; token < logits.length; token += 1) consider(token, logits[token]!);
  for (const [token, extra] of bonus ?? []) {
    if (extra > 0 && token >= rules.firstTextToken)
      consider(token, (logits[token] ?? Number.NEGATIVE_INFINITY) + extra);
  }
  return best;
}

/** True when `tokens` ends in the same `period` tokens three times over, for any period from 3 to 12. */
export function endsInLoop(tokens: readonly number[]): boolean {
  for (let period = 3; period <= 12 && period * 3 <= tokens.length; period += 1) {
    const from = tokens.length - period * 2;
    let same = true;
    for (let i = from; i < tokens.length && same; i += 1) same = tokens[i] === tokens[i - period];
    if (same) return true;
  }
  return false;
}
