/**
 * Somebody speaks while the agent speaks: is it an interruption, or a cough, a "mm-hmm", the television, the agent's own
 * echo? Judged from how long it lasts and from its words once the recogniser has heard them. Pure.
 *
 *      agent   ████████████████▌ paused            ▐██████  resumed, or flushed for good
 *      caller        ▐▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
 *                    0        140 duck  240 listen         650 long: an interruption even without words
 *                              |<------- dip, at most 480 ms, when nothing speaks for an interruption ------>|
 */
import { isBackchannel, meaningfulWords, repeats, wantsFloor, wordsOf } from './words';

export interface OverlapPolicy {
  /** False: the agent cannot be interrupted by speech. */
  readonly enabled: boolean;
  /** Speech this long pauses the playout. */
  readonly duckAfterMs: number;
  /** Longest pause of the playout when nothing speaks for an interruption. */
  readonly dipMs: number;
  /** Speech this long interrupts, words known or not. */
  readonly longSpeechMs: number;
  /** A backchannel may last this long before it counts as talking. */
  readonly backchannelMs: number;
  /** Speech this long is given to the recogniser for the first time, then again at every `listenEveryMs`. */
  readonly listenAfterMs: number;
  readonly listenEveryMs: number;
  /** This far below the caller's usual level somebody else is speaking, or our own echo. */
  readonly quietDb: number;
  /** After so many false alarms in one answer only words interrupt, and nothing is paused before they are known. */
  readonly cautiousAfter: number;
}

export const DEFAULT_OVERLAP: OverlapPolicy = {
  enabled: true,
  duckAfterMs: 140,
  dipMs: 480,
  longSpeechMs: 650,
  backchannelMs: 1_000,
  listenAfterMs: 240,
  listenEveryMs: 200,
  quietDb: 14,
  cautiousAfter: 2,
};

export interface OverlapFacts {
  /** Length of the speech so far, or in all. */
  readonly speechMs: number;
  readonly ended: boolean;
  /** What the recogniser found; undefined while not known, empty for a sound without words. */
  readonly words: string | undefined;
  /** Length of the speech that those words were found in. */
  readonly wordsOfMs: number;
  /** How long the playout has been paused for it; undefined when it was not. */
  readonly duckedMs: number | undefined;
  /** Only words count: an earlier false alarm, or a voice from the background. */
  readonly cautious: boolean;
  /** What the agent has said and is saying. */
  readonly agentText: string;
}

export type OverlapVerdict =
  | { readonly verdict: 'wait' }
  | { readonly verdict: 'interrupt'; readonly because: 'words' | 'floor-words' | 'long-speech' }
  | { readonly verdict: 'dismiss'; readonly because: 'backchannel' | 'no-words' | 'echo' | 'short' };

/** Words found in speech that has gone on for longer than this say little about it. */
const STALE_MS = 120;

const WAIT: OverlapVerdict = { verdict: 'wait' };

export function judgeOverlap(facts: OverlapFacts, policy: OverlapPolicy): OverlapVerdict {
  return facts.words === undefined ? withoutWords(facts, policy) : withWords(facts, facts.words, policy);
}

function withoutWords(facts: OverlapFacts, policy: OverlapPolicy): OverlapVerdict {
  const { speechMs, ended, duckedMs, cautious } = facts;
  if (!cautious && speechMs >= policy.longSpeechMs) return { verdict: 'interrupt', because: 'long-speech' };
  // Silence of the agent is what a false alarm costs: give it back in time, even unheard. Late words may still interrupt.
  if (ended && (duckedMs ?? 0) >= policy.dipMs) return { verdict: 'dismiss', because: 'short' };
  return WAIT;
}

function withWords(facts: OverlapFacts, words: string, policy: OverlapPolicy): OverlapVerdict {
  const { speechMs, ended, wordsOfMs } = facts;
  // Known to be harmless so far: the answer goes on, and the sound is watched for words.
  // Someone who is still talking has said more than was looked at: the next look is worth a little more of the pause.
  const stale = !ended && !facts.cautious && speechMs - wordsOfMs > STALE_MS;
  const duckedLong = (facts.duckedMs ?? 0) >= policy.dipMs + (stale ? policy.listenEveryMs : 0);
  const asksForFloor = wantsFloor(words);
  // An echo is rarely one word alone; "wait" is, even when the agent has just said it too.
  const asksBriefly = asksForFloor && wordsOf(words).length <= 2;
  if (!asksBriefly && repeats(words, facts.agentText)) return { verdict: 'dismiss', because: 'echo' };
  if (asksForFloor) return { verdict: 'interrupt', because: 'floor-words' };
  if (isBackchannel(words)) {
    if (ended) return { verdict: 'dismiss', because: 'backchannel' };
    if (speechMs >= policy.backchannelMs) return { verdict: 'interrupt', because: 'long-speech' };
    return duckedLong ? { verdict: 'dismiss', because: 'backchannel' } : WAIT;
  }
  if (meaningfulWords(words).length > 0) return { verdict: 'interrupt', because: 'words' };
  // Searching sounds ("um") announce words; a sound without any announces nothing.
  if (ended) return { verdict: 'dismiss', because: wordsOf(words).length > 0 ? 'backchannel' : 'no-words' };
  if (duckedLong || wordsOfMs >= policy.longSpeechMs) return { verdict: 'dismiss', because: 'no-words' };
  return WAIT;
}
