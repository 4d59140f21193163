/**
 * When is a caller who pauses done? A detector gives, for a pause and what is known of the words before it, the length
 * of silence after which the turn is over. The first detector looks at the silence and at how the words end; a
 * classifier on the audio can take its place behind the same interface.
 */
import {
  announcesPieces,
  asksForDigits,
  endingOf,
  isShortReply,
  spelledLetters,
  trailingDigits,
  unexplainedMs,
  wordsOf,
} from './words';

export interface Pause {
  /** Speech in this turn so far, without its pauses. */
  readonly speechMs: number;
  /** Pauses in this turn before this one. */
  readonly pauses: number;
  /** Longest of them: who paused for long once pauses for long again. */
  readonly longestPauseMs: number;
  /** The words so far, once the speculative answer has recognised them. */
  readonly transcript: string | undefined;
  /** What the agent said last. */
  readonly agentText: string;
}

export interface EndOfTurn {
  /** Milliseconds of silence, counted from the end of the speech, after which the turn is over. */
  waitMs(pause: Pause): number;
}

export interface EndOfTurnConfig {
  /** While the words are not known. */
  readonly unknownMs: number;
  readonly questionMs: number;
  /** One to three words, such as "yes please". */
  readonly answerMs: number;
  readonly statementMs: number;
  readonly unpunctuatedMs: number;
  /** At most `fewWords` words without a mark at their end: more often a beginning than a whole. */
  readonly beginningMs: number;
  readonly fewWords: number;
  /** Digits or spelled letters that may not be all. */
  readonly digitsMs: number;
  readonly goesOnMs: number;
  readonly hesitatesMs: number;
  /** The recogniser accounts for less speech than there was: perhaps letters or digits that it did not get. */
  readonly partlyHeardMs: number;
  /** … by so much. */
  readonly unexplainedMs: number;
  /** Nothing recognised in this speech. */
  readonly nothingMs: number;
  /** Digits of a whole telephone number. */
  readonly wholeNumberDigits: number;
  /** Added when the caller has already paused in this turn. */
  readonly afterPauseMs: number;
  readonly longestMs: number;
}

export const DEFAULT_END_OF_TURN: EndOfTurnConfig = {
  unknownMs: 1_000,
  questionMs: 500,
  answerMs: 700,
  statementMs: 800,
  unpunctuatedMs: 1_000,
  beginningMs: 1_300,
  fewWords: 4,
  digitsMs: 1_400,
  goesOnMs: 1_700,
  hesitatesMs: 1_900,
  partlyHeardMs: 1_400,
  unexplainedMs: 500,
  nothingMs: 1_500,
  wholeNumberDigits: 10,
  afterPauseMs: 200,
  longestMs: 2_500,
};

export class TextualEndOfTurn implements EndOfTurn {
  constructor(private readonly config: EndOfTurnConfig = DEFAULT_END_OF_TURN) {}

  waitMs(pause: Pause): number {
    const base = pause.transcript === undefined ? this.config.unknownMs : this.heard(pause.transcript, pause);
    const paused = pause.pauses > 0 ? this.config.afterPauseMs : 0;
    return Math.min(this.config.longestMs, base + paused);
  }

  private heard(transcript: string, pause: Pause): number {
    const { config } = this;
    const byWords = this.byWords(transcript, pause.agentText);
    const partly = unexplainedMs(transcript, pause.speechMs) >= config.unexplainedMs;
    return partly && transcript !== '' ? Math.max(byWords, config.partlyHeardMs) : byWords;
  }

  private byWords(transcript: string, agentText: string): number {
    const { config } = this;
    const words = wordsOf(transcript);
    switch (endingOf(transcript)) {
      case 'question':
        return config.questionMs;
      case 'answer':
        if (asksForDigits(agentText) || announcesPieces(transcript)) return config.digitsMs;
        return /[.!]$/.test(transcript.trim()) || isShortReply(transcript) ? config.answerMs : config.beginningMs;
      case 'statement':
        return announcesPieces(transcript) ? config.digitsMs : config.statementMs;
      case 'unpunctuated':
        if (announcesPieces(transcript)) return config.digitsMs;
        return words.length <= config.fewWords ? config.beginningMs : config.unpunctuatedMs;
      case 'digits':
        return this.afterDigits(words, agentText);
      case 'goes-on':
        return config.goesOnMs;
      case 'hesitates':
        return config.hesitatesMs;
      case 'nothing':
        return config.nothingMs;
    }
  }

  private afterDigits(words: readonly string[], agentText: string): number {
    const { config } = this;
    const digits = trailingDigits(words);
    if (digits >= config.wholeNumberDigits) return config.statementMs;
    // "At three", "room twelve", "I am forty": a single figure inside a sentence is a word like any other.
    if (digits === 1 && spelledLetters(words) === 0 && words.length > 1 && !asksForDigits(agentText)) {
      return config.unpunctuatedMs;
    }
    return config.digitsMs;
  }
}
