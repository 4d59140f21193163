/**
 * The arguments of a tool call, written by a language model that can write nothing else: before each token, those whose characters no
 * text of the grammar goes on with are out, and so are those after which the budget would not reach its end. Where there is no
 * choice nothing is asked of the model.
 */
import type { Machine, Standing } from './grammar';
import type { TokenTexts } from './token-texts';

export interface ArgumentWriter {
  /** Logits after the text so far. */
  readonly next: (said: readonly number[]) => Promise<Float32Array>;
  readonly encode: (text: string) => readonly number[];
  readonly tokens: TokenTexts;
}

/** Characters of the JSON text. */
const MOST_CHARACTERS = 600;

/** The JSON text; undefined: the model's tokens cannot write it. Throws what `next` does. */
export async function writeArguments(
  machine: Machine,
  writer: ArgumentWriter,
  mostCharacters = MOST_CHARACTERS,
): Promise<string | undefined> {
  const budget = Math.max(mostCharacters, machine.distance(machine.start));
  const said: number[] = [];
  let text = '';
  let standing = machine.start;
  while (!machine.ended(standing)) {
    const forced = machine.forced(standing);
    if (forced !== '') {
      const after = machine.step(standing, forced);
      if (after === undefined) return undefined;
      said.push(...writer.encode(forced));
      text += forced;
      standing = after;
      continue;
    }
    const chosen = choose(await writer.next(said), machine, standing, writer, budget - text.length);
    if (chosen === undefined) return undefined;
    said.push(chosen.token);
    text += chosen.text;
    standing = chosen.standing;
  }
  return text;
}

interface Choice {
  readonly token: number;
  readonly text: string;
  readonly standing: Standing;
}

/** The likeliest token that fits; of those that may, only the ones that beat the best so far are run through the grammar. */
function choose(
  logits: Float32Array,
  machine: Machine,
  standing: Standing,
  { tokens }: ArgumentWriter,
  budget: number,
): Choice | undefined {
  let best: Choice | undefined;
  let bestLogit = Number.NEGATIVE_INFINITY;
  tokens.readUpTo(logits.length);
  for (const token of tokens.beginningWith(machine.following(standing))) {
    const logit = logits[token] ?? Number.NEGATIVE_INFINITY;
    if (!(logit > bestLogit)) continue;
    const text = tokens.textOf(token);
    const after = machine.step(standing, text);
    if (after === undefined || text.length + machine.distance(after) > budget) continue;
    best = { token, text, standing: after };
    bestLogit = logit;
  }
  return best;
}
