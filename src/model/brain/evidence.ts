/** What the facts beside a question weigh in its answer: words of them, and most the word that continues one. */
import type { GreedyRules } from '../trunk/greedy';

/** Added to the logits of words that stand in the related facts. */
const EVIDENCE_BONUS = 4;
/** Added once more to the word that continues a fact after this many words of it. */
const CONTINUATION_BONUS = 4;
const CONTINUATION_TOKENS = 2;
/** Of both, what the facts after the best one get. */
const LESSER_FACT_SHARE = 0.4;

/**
 * Words of the related facts weigh more, those of the best fact most, and most of all the word that continues what
 * was just said of a fact: the model chooses where to begin, and is kept from leaving it for something invented. `evidence`: each
 * fact's tokens as they stand at the start of an answer and inside one; the best one last.
 */
export function evidenceBonuses(
  evidence: readonly (readonly number[])[],
  said: readonly number[],
): ReadonlyMap<number, number> {
  const bonus = new Map<number, number>();
  const last = said.slice(-CONTINUATION_TOKENS);
  evidence.forEach((tokens, place) => {
    const share = place >= evidence.length - 2 ? 1 : LESSER_FACT_SHARE;
    const raise = (token: number, extra: number) => bonus.set(token, Math.max(bonus.get(token) ?? 0, extra * share));
    for (const token of tokens) raise(token, EVIDENCE_BONUS);
    for (let from = 0; last.length === CONTINUATION_TOKENS && from + last.length < tokens.length; from += 1) {
      if (last.every((token, i) => token === tokens[from + i])) {
        raise(tokens[from + last.length]!, EVIDENCE_BONUS + CONTINUATION_BONUS);
      }
    }
  });
  return bonus;
}

/** The greatest logit of what may be said or end the turn, `left` aside, and with what is `raised`. */
export function bestBut(
  left: number,
  logits: Float32Array,
  { ends, firstTextToken }: GreedyRules,
  raised: ReadonlyMap<number, number> = new Map(),
): number {
  let best = Math.max(...ends.map((end) => logits[end] ?? Number.NEGATIVE_INFINITY));
  for (let token = firstTextToken; token < logits.length; token += 1) {
    if (token !== left && logits[token]! > best) best = logits[token]!;
  }
  for (const [token, bonus] of raised) if (token !== left) best = Math.max(best, logits[token]! + bonus);
  return best;
}
