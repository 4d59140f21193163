/**
 * Somebody speaks while the agent speaks: is it an interruption, or a cough, a "mm-hmm", the television, the agent's own
 * echo? Judged from how long it lasts, how loud it is, how it sounds, and its words once the recogniser has heard them. Pure.
 *
 *      agent   ████████████████▌ paused                                    ▐██████  resumed, or flushed for good
 *      caller        ▐▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
 *                    0        140 duck  240 listen          440 again     580 judged
 *                              |<------------------ dip, 440 ms ------------->|
 *
 * The caller hears the agent stop at the pause; nothing is lost by judging when the pause has lasted as long as it may,
 * and half a word often sounds like another. Earlier only what is over and understood is judged.
 */
import type { SoundChances } from '../core/overlap-heard';
import { isBackchannel, meaningfulWords, repeats, summons, wantsFloor, wordsOf } from './words';

export interface OverlapPolicy {
  /** False: the agent cannot be interrupted by speech. */
  readonly enabled: boolean;
  /** Speech this long pauses the playout. */
  readonly duckAfterMs: number;
  /** Longest pause of the playout when nothing speaks for an interruption. */
  readonly dipMs: number;
  /** … and so much longer while somebody speaks of whom it is not sure. */
  readonly doubtMs: number;
  /** Speech this long interrupts, words known or not. */
  readonly longSpeechMs: number;
  /** A backchannel may last this long before it counts as talking. */
  readonly backchannelMs: number;
  /** Speech this long is given to the recogniser for the first time, then again at every `listenEveryMs`. */
  readonly listenAfterMs: number;
  readonly listenEveryMs: number;
  /** This far below the caller's usual level somebody else is speaking, or our own echo. */
  readonly quietDb: number;
  /** The caller's usual level while nothing was heard of them yet, dBFS. */
  readonly usualLevelDb: number;
  /** As alike to what was sent, 0…1, it is our own voice come back. */
  readonly surelyEcho: number;
  /** The sound alone decides when it is so sure of a sign of listening, 0…1. */
  readonly surelyBackchannel: number;
  /** … or of talk. */
  readonly surelyTalk: number;
  /** One or two words count only where their sound is talk with more than this chance to all who listened, 0…1. */
  readonly hardlyTalk: number;
  /** After so many false alarms in one answer only words interrupt, and nothing is paused before they are known. */
  readonly cautiousAfter: number;
}

export const DEFAULT_OVERLAP: OverlapPolicy = {
  enabled: true,
  duckAfterMs: 140,
  dipMs: 440,
  doubtMs: 200,
  longSpeechMs: 580,
  backchannelMs: 1_000,
  listenAfterMs: 240,
  listenEveryMs: 200,
  quietDb: 14,
  usualLevelDb: -26,
  surelyEcho: 0.88,
  surelyBackchannel: 0.93,
  surelyTalk: 0.7,
  hardlyTalk: 0.25,
  cautiousAfter: 2,
};

export interface OverlapFacts {
  /** Length of the speech so far, or in all. */
  readonly speechMs: number;
  readonly ended: boolean;
  /** What the recogniser found; undefined while not known, empty for a sound without words. */
  readonly words: string | undefined;
  /** Those words are all there were: looked for up to the end of the speech. */
  readonly wordsWhole: boolean;
  /** Length of the speech that those words were found in. */
  readonly wordsOfMs: number;
  /** How long the playout has been paused for it; undefined when it was not. */
  readonly duckedMs: number | undefined;
  /** Only words count: an earlier false alarm, or a voice from before the agent's first word. */
  readonly cautious: boolean;
  /** Far below the caller's usual level. */
  readonly quiet: boolean;
  /** It rises and falls as what we sent. */
  readonly isEcho: boolean;
  /** undefined: nobody listens to the sound. */
  readonly sound: SoundChances | undefined;
  /** The recogniser has had its say in `sound`. */
  readonly heard: boolean;
  /** … or is being asked. */
  readonly asked: boolean;
  /** What the agent has said and is saying. */
  readonly agentText: string;
}

export type OverlapVerdict =
  | { readonly verdict: 'wait' }
  | { readonly verdict: 'interrupt'; readonly because: 'words' | 'floor-words' | 'long-speech' }
  | {
      readonly verdict: 'dismiss';
      readonly because: 'backchannel' | 'no-words' | 'echo' | 'short' | 'background';
    };

/** Words found in less speech than this may be half of others. */
const SURE_OF_WORDS_MS = 600;

/** So sure of a sign of listening the sound outweighs what the recogniser took for "what?". */
const SURER = 0.95;

const WAIT: OverlapVerdict = { verdict: 'wait' };

export function judgeOverlap(facts: OverlapFacts, policy: OverlapPolicy): OverlapVerdict {
  if (facts.quiet) return fromBackground(facts, policy);
  if (facts.isEcho) return asEcho(facts, policy);
  const meaning = meaningOf(facts);
  const vetoed = soundsLikeSign(facts, meaning, policy);
  if (facts.ended && vetoed) return { verdict: 'dismiss', because: 'backchannel' };
  if (facts.ended && facts.wordsWhole && meaning !== 'unknown') return byWords(meaning, facts.sound);
  if (meaning === 'echo' && !facts.cautious) return { verdict: 'dismiss', because: 'echo' };
  if (facts.cautious) return whileCautious(facts, meaning, policy);
  if (facts.duckedMs === undefined || facts.duckedMs < policy.dipMs) return WAIT;
  return facts.ended ? afterShortSpeech(facts, meaning, policy) : inSpeech(facts, meaning, policy);
}

type Meaning = 'floor-words' | 'words' | 'backchannel' | 'beginning' | 'echo' | 'no-words' | 'unknown';

function meaningOf({ words, agentText }: OverlapFacts): Meaning {
  if (words === undefined) return 'unknown';
  const count = wordsOf(words).length;
  if (count === 0) return 'no-words';
  const asksForFloor = wantsFloor(words);
  const meaningful = meaningfulWords(words).length;
  // An echo is rarely one word alone; "wait" is, even when the agent has just said it too, and "the" is in every sentence.
  const alone = count <= 2 && (asksForFloor || meaningful === 0);
  if (!alone && repeats(words, agentText)) return 'echo';
  if (asksForFloor) return 'floor-words';
  if (isBackchannel(words)) return 'backchannel';
  // Bare beginnings ("I", "the") and searching sounds ("um") announce words.
  return meaningful > 0 ? 'words' : 'beginning';
}

/**
 * One or two short words are easily taken for others: then their sound has the last word. What is understood at length
 * is not outweighed by it.
 */
function soundsLikeSign({ sound, words, heard }: OverlapFacts, meaning: Meaning, policy: OverlapPolicy): boolean {
  const count = wordsOf(words ?? '').length;
  const backchannel = sound?.backchannel ?? 0;
  if (heard && sound !== undefined && (meaning === 'floor-words' || meaning === 'words')) {
    // Groans and creaks are taken for words as well.
    if (count <= 2 && sound.talk <= policy.hardlyTalk) return true;
    if (count <= 4 && sound.talk <= policy.hardlyTalk / 2) return true;
  }
  if (meaning === 'floor-words') return count <= 1 && backchannel >= SURER;
  if (meaning === 'words') return count <= 2 && backchannel >= policy.surelyBackchannel;
  return backchannel >= SURER;
}

/** All of it was looked at. */
function byWords(meaning: Exclude<Meaning, 'unknown'>, sound: SoundChances | undefined): OverlapVerdict {
  switch (meaning) {
    case 'floor-words':
    case 'words':
      return { verdict: 'interrupt', because: meaning };
    case 'beginning':
      if (sound !== undefined && sound.talk > Math.max(sound.backchannel, sound.noise)) {
        return { verdict: 'interrupt', because: 'words' };
      }
      return { verdict: 'dismiss', because: 'backchannel' };
    case 'backchannel':
    case 'echo':
    case 'no-words':
      return { verdict: 'dismiss', because: meaning };
  }
}

/** Nobody who means the agent speaks so low for long: only a call for attention counts. */
function fromBackground(facts: OverlapFacts, policy: OverlapPolicy): OverlapVerdict {
  const { words, ended, wordsWhole, wordsOfMs } = facts;
  if (words !== undefined && summons(words) && wordsOf(words).length <= 3) {
    return { verdict: 'interrupt', because: 'floor-words' };
  }
  const pausedLong = (facts.duckedMs ?? 0) >= policy.dipMs;
  if (pausedLong || (ended && wordsWhole) || wordsOfMs >= policy.longSpeechMs) {
    return { verdict: 'dismiss', because: 'background' };
  }
  return WAIT;
}

/** With the agent paused its echo ends, too. */
function asEcho({ ended, duckedMs }: OverlapFacts, policy: OverlapPolicy): OverlapVerdict {
  return ended || (duckedMs ?? 0) >= policy.dipMs ? { verdict: 'dismiss', because: 'echo' } : WAIT;
}

/** The agent goes on speaking meanwhile, so there is time to be sure. */
function whileCautious(facts: OverlapFacts, meaning: Meaning, policy: OverlapPolicy): OverlapVerdict {
  const { speechMs, wordsOfMs, sound, duckedMs } = facts;
  const sure = wordsOfMs >= SURE_OF_WORDS_MS;
  if (sure && (meaning === 'floor-words' || meaning === 'words')) return { verdict: 'interrupt', because: meaning };
  if (meaning === 'backchannel' && !facts.ended && speechMs >= policy.backchannelMs) {
    return { verdict: 'interrupt', because: 'long-speech' };
  }
  const talks = sound !== undefined && sound.talk >= policy.surelyTalk && meaning !== 'echo' && meaning !== 'no-words';
  if (talks && !facts.ended && speechMs >= policy.longSpeechMs) return { verdict: 'interrupt', because: 'long-speech' };
  if (duckedMs !== undefined && duckedMs >= policy.dipMs) return { verdict: 'dismiss', because: 'short' };
  return WAIT;
}

/** The pause has lasted as long as it may, and somebody is still speaking. */
function inSpeech(facts: OverlapFacts, meaning: Meaning, policy: OverlapPolicy): OverlapVerdict {
  const { sound, speechMs } = facts;
  const mayWait = (facts.duckedMs ?? 0) < policy.dipMs + policy.doubtMs;
  if (meaning === 'floor-words' || meaning === 'words') {
    return soundsLikeSign(facts, meaning, policy)
      ? { verdict: 'dismiss', because: 'backchannel' }
      : { verdict: 'interrupt', because: meaning };
  }
  if (sound !== undefined) {
    if (sound.talk >= policy.surelyTalk && speechMs >= policy.longSpeechMs) {
      return { verdict: 'interrupt', because: 'long-speech' };
    }
    if (sound.backchannel >= policy.surelyBackchannel) return { verdict: 'dismiss', because: 'backchannel' };
    if (sound.noise > Math.max(sound.talk, sound.backchannel)) return { verdict: 'dismiss', because: 'no-words' };
    // "Okay" becomes "okay, but" about now.
    if (mayWait) return WAIT;
  }
  if (meaning !== 'beginning' && meaning !== 'unknown') return { verdict: 'dismiss', because: meaning };
  if (speechMs >= policy.longSpeechMs) return { verdict: 'interrupt', because: 'long-speech' };
  return mayWait ? WAIT : { verdict: 'dismiss', because: 'short' };
}

/** The pause has lasted as long as it may, and what was said is not understood to its end. */
function afterShortSpeech(facts: OverlapFacts, meaning: Meaning, policy: OverlapPolicy): OverlapVerdict {
  const { sound, heard, asked, duckedMs = 0 } = facts;
  const mayAnswer = asked && !heard && duckedMs < policy.dipMs + policy.doubtMs;
  switch (meaning) {
    case 'floor-words':
    case 'words':
      return { verdict: 'interrupt', because: meaning };
    case 'beginning':
    case 'unknown':
      // Late words may still interrupt.
      if (sound === undefined || sound.talk < policy.surelyTalk) return { verdict: 'dismiss', because: 'short' };
      return mayAnswer ? WAIT : { verdict: 'interrupt', because: 'words' };
    case 'backchannel':
    case 'no-words':
    case 'echo':
      return { verdict: 'dismiss', because: meaning };
  }
}
