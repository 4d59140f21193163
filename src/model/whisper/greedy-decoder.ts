/**
 * Greedy decoding of one utterance, token by token, with Whisper's suppression rules (Radford et al. 2022, §4.5), a
 * length bound from the audio's duration and a guard against loops. An earlier result for the beginning of the same
 * audio is checked in a single pass instead of being written anew, as in speculative decoding (Leviathan et al. 2023).
 */
import type { OnnxSession, Tensors } from '../../onnx/session';
import { float32Data, int64Tensor } from '../../onnx/tensors';
import { loopStart } from './repetition';
import { TokenCache } from './token-cache';
import type { WhisperParameters } from './whisper-parameters';

/** What the decoder had in mind when it wrote a token: more than the token says. */
export interface WrittenToken {
  readonly token: number;
  /** Its last hidden state at the position that chose the token: [width]. */
  readonly state: Float32Array;
  /** The likeliest tokens of that position with their logits, best first; neither ends nor sounds. */
  readonly candidates: readonly { readonly token: number; readonly logit: number }[];
}

export interface DecodedTokens {
  readonly tokenIds: readonly number[];
  /** One for each token, if the decoder gives its states. */
  readonly written?: readonly WrittenToken[];
  /** The hidden state at the position that chose the end, if the decoder gives its states: [width]. */
  readonly endState?: Float32Array;
  /** Natural logarithm, over the tokens and the end that was chosen after them. */
  readonly meanLogProbability: number;
  readonly noSpeechProbability: number;
  /** The decoder began to describe a sound instead of writing words. */
  readonly sound: boolean;
  readonly stoppedBy: 'end' | 'loop' | 'length';
}

/** Fast talkers reach five words a second, spelled letters four: eight tokens a second are never needed. */
const TOKENS_PER_SECOND = 8;
const SPARE_TOKENS = 10;
const CANDIDATES = 8;

export class GreedyDecoder {
  private readonly suppressed: Uint8Array;
  private readonly suppressedFirst: Uint8Array;
  private readonly openers: ReadonlySet<number>;
  /** Tokens that are no candidates for a word. */
  private readonly wordless: Uint8Array;
  private readonly givesStates: boolean;

  constructor(
    private readonly session: OnnxSession,
    private readonly parameters: WhisperParameters,
  ) {
    const { vocabulary, suppressed, suppressedFirst, soundOpeners } = parameters;
    this.suppressed = marks(vocabulary, suppressed);
    // At the first position a sound may announce itself; everything else that is suppressed later is so here too.
    this.openers = new Set(soundOpeners);
    this.wordless = marks(vocabulary, [...suppressed, ...soundOpeners, parameters.endToken]);
    this.givesStates = session.outputNames.includes('states');
    this.suppressedFirst = marks(vocabulary, [
      ...suppressed.filter((token) => !this.openers.has(token)),
      ...suppressedFirst,
    ]);
  }

  /** `memory`: the encoder's keys and values. `draft`: tokens expected, from an earlier run. */
  async decode(
    memory: Tensors,
    seconds: number,
    signal: AbortSignal,
    draft: readonly number[] = [],
  ): Promise<DecodedTokens> {
    const { prompt, endToken, noSpeechToken, layers, width, maxTokens } = this.parameters;
    const limit = Math.min(Math.ceil(seconds * TOKENS_PER_SECOND) + SPARE_TOKENS, maxTokens - prompt.length);
    const expected = draft.slice(0, limit);
    const cache = new TokenCache(prompt.length + limit, layers, width);
    const tokens: number[] = [];
    const written: WrittenToken[] = [];
    let logProbability = 0;
    let noSpeechProbability = 0;

    let feed = [...prompt, ...expected];
    let firstOutput = prompt.length - 1;
    for (;;) {
      const { logits, states } = await this.step(memory, cache, feed);
      signal.throwIfAborted();
      const rows = feed.length;
      const size = logits.length / rows;
      if (tokens.length === 0) noSpeechProbability = probability(logits.subarray(0, size), noSpeechToken);
      // Positions before the first output only repeat the prompt; after it each row says what should come next.
      for (let row = firstOutput; row < rows; row++) {
        const scores = logits.subarray(row * size, (row + 1) * size);
        const best = choose(scores, tokens.length === 0 ? this.suppressedFirst : this.suppressed);
        logProbability += best.logProbability;
        const state = states?.slice((row * states.length) / rows, ((row + 1) * states.length) / rows);
        const result = (stoppedBy: DecodedTokens['stoppedBy'], sound = false): DecodedTokens => ({
          tokenIds: tokens,
          ...(this.givesStates ? { written: written.slice(0, tokens.length) } : {}),
          ...(stoppedBy === 'end' && state !== undefined ? { endState: state } : {}),
          meanLogProbability: logProbability / (tokens.length + 1),
          noSpeechProbability,
          sound,
          stoppedBy,
        });
        if (best.token === endToken) return result('end');
        if (tokens.length === 0 && this.openers.has(best.token)) return result('end', true);
        tokens.push(best.token);
        if (state !== undefined) {
          written.push({ token: best.token, state, candidates: likeliest(scores, this.wordless) });
        }
        const start = loopStart(tokens);
        if (start !== undefined) {
          tokens.length = start;
          return result('loop');
        }
        if (tokens.length >= limit) return result('length');
        if (feed[row + 1] !== best.token) {
          // The draft went wrong here (or ended): forget what was fed after this row and go on from the better token.
          cache.truncate(cache.length - (rows - 1 - row));
          break;
        }
      }
      feed = [tokens[tokens.length - 1]!];
      firstOutput = 0;
    }
  }

  private async step(
    memory: Tensors,
    cache: TokenCache,
    feed: readonly number[],
  ): Promise<{ logits: Float32Array; states: Float32Array | undefined }> {
    const { logits, states } = await this.session.run(
      { ...memory, tokens: int64Tensor(feed, [1, feed.length]), past: cache.past() },
      { logits: null, fresh: cache.fresh(feed.length), ...(this.givesStates ? { states: null } : {}) },
    );
    cache.advance(feed.length);
    return {
      logits: float32Data(logits, 'logits'),
      states: this.givesStates ? float32Data(states, 'states') : undefined,
    };
  }
}

function marks(size: number, ids: readonly number[]): Uint8Array {
  const table = new Uint8Array(size);
  for (const id of ids) table[id] = 1;
  return table;
}

/** The likeliest token that is not suppressed, with its share of the probability of those. */
function choose(scores: Float32Array, suppressed: Uint8Array): { token: number; logProbability: number } {
  let token = 0;
  let top = -Infinity;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (score > top && suppressed[i] === 0) {
      top = score;
      token = i;
    }
  }
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    const distance = scores[i]! - top;
    // What is 20 nats behind does not change the sum; most of the vocabulary is.
    if (distance > -20 && suppressed[i] === 0) sum += Math.exp(distance);
  }
  return { token, logProbability: -Math.log(sum) };
}

/** The best tokens that are not left out, best first. */
function likeliest(scores: Float32Array, leftOut: Uint8Array): { token: number; logit: number }[] {
  const best: { token: number; logit: number }[] = [];
  for (let token = 0; token < scores.length; token++) {
    const logit = scores[token]!;
    if (leftOut[token] === 1 || (best.length === CANDIDATES && logit <= best[CANDIDATES - 1]!.logit)) continue;
    let place = best.length;
    while (place > 0 && best[place - 1]!.logit < logit) place--;
    best.splice(place, 0, { token, logit });
    if (best.length > CANDIDATES) best.pop();
  }
  return best;
}

function probability(scores: Float32Array, token: number): number {
  let top = -Infinity;
  for (const score of scores) if (score > top) top = score;
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - top);
  return Math.exp(scores[token]! - top) / sum;
}
