/**
 * When is a caller who pauses done? A detector gives, for a pause and what is known of the words before it, the length
 * of silence after which the turn is over. It looks at how the words end, and listens to what a network that heard them
 * thinks of it (`doneProbability`): surely done shortens the wait, surely not done lengthens it, and where words say that
 * more must come the tune changes nothing.
 */
import { percentile } from '../core/percentiles';
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
  /** The caller's last pauses inside turns, in this turn and before: who pauses for long does so again. */
  readonly callerPausesMs: readonly number[];
  /** The words so far, once the speculative answer has recognised them. */
  readonly transcript: string | undefined;
  /** 0…1: how sure a network that heard them is that the caller is done; undefined: there is none. */
  readonly doneProbability?: number | undefined;
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
  /** Callers' usual pause inside a turn. Who pauses for longer is waited for as much longer … */
  readonly usualPauseMs: number;
  /** … and this usual pause weighs as much as so many of the caller's own … */
  readonly usualPauses: number;
  /** … and no wait becomes shorter or longer than these shares of it. */
  readonly leastPatience: number;
  readonly mostPatience: number;
  /** No wait becomes longer than this for a slow caller's sake. */
  readonly patientMs: number;
  readonly longestMs: number;
  /** Heard to be done with this chance or a greater one: no more than `doneMs`. */
  readonly surelyDone: number;
  readonly doneMs: number;
  /** Heard to be done with this chance or a smaller one: no less than `notDoneMs`. */
  readonly surelyNotDone: number;
  readonly notDoneMs: number;
  /** … after the mark of a question. */
  readonly notDoneQuestionMs: number;
}

export const DEFAULT_END_OF_TURN: EndOfTurnConfig = {
  unknownMs: 1_000,
  questionMs: 500,
  answerMs: 900,
  statementMs: 1_200,
  unpunctuatedMs: 1_300,
  beginningMs: 1_300,
  fewWords: 4,
  digitsMs: 1_700,
  goesOnMs: 1_700,
  hesitatesMs: 1_900,
  partlyHeardMs: 1_400,
  unexplainedMs: 500,
  nothingMs: 1_500,
  wholeNumberDigits: 10,
  afterPauseMs: 200,
  usualPauseMs: 550,
  usualPauses: 3,
  leastPatience: 0.9,
  mostPatience: 1.4,
  patientMs: 1_750,
  longestMs: 2_500,
  surelyDone: 0.93,
  doneMs: 200,
  surelyNotDone: 0.1,
  notDoneMs: 1_500,
  notDoneQuestionMs: 800,
};

export class TextualEndOfTurn implements EndOfTurn {
  constructor(private readonly config: EndOfTurnConfig = DEFAULT_END_OF_TURN) {}

  waitMs(pause: Pause): number {
    const base = pause.transcript === undefined ? this.config.unknownMs : this.heard(pause.transcript, pause);
    const paused = pause.pauses > 0 ? this.config.afterPauseMs : 0;
    const waitMs = base + paused;
    const patientMs = Math.round(waitMs * this.patience(pause.callerPausesMs));
    // However slow a caller is, the silence after the last word must not make them ask whether anybody is there.
    return Math.min(
      this.config.longestMs,
      Math.max(Math.min(waitMs, patientMs), Math.min(patientMs, this.config.patientMs)),
    );
  }

  /** What the waits are multiplied with for this caller: the median of their pauses beside everybody's. */
  private patience(callerPausesMs: readonly number[]): number {
    if (callerPausesMs.length === 0) return 1;
    const { usualPauseMs, usualPauses, leastPatience, mostPatience } = this.config;
    const weight = callerPausesMs.length / (callerPausesMs.length + usualPauses);
    const patience = (percentile(callerPausesMs, 50) / usualPauseMs) ** weight;
    return Math.min(mostPatience, Math.max(leastPatience, patience));
  }

  private heard(transcript: string, pause: Pause): number {
    const { config } = this;
    const byWords = this.byWords(transcript, pause.agentText);
    const partly = unexplainedMs(transcript, pause.speechMs) >= config.unexplainedMs;
    // What a recogniser took for a question is one, however slowly it was spoken; letters are taken for a statement.
    const question = endingOf(transcript) === 'question';
    if (partly && transcript !== '' && !(question && (pause.doneProbability ?? 0) >= config.surelyDone)) {
      return Math.max(byWords, config.partlyHeardMs);
    }
    if (pause.doneProbability === undefined || this.wantsMore(transcript, pause.agentText)) return byWords;
    return this.byTune(byWords, pause.doneProbability, question);
  }

  /** The words alone say that more must come: letters or digits, "and", "um". No tune outweighs that. */
  private wantsMore(transcript: string, agentText: string): boolean {
    switch (endingOf(transcript)) {
      case 'question':
        return false;
      case 'answer':
        return asksForDigits(agentText) || announcesPieces(transcript);
      case 'statement':
      case 'unpunctuated':
        return announcesPieces(transcript);
      case 'digits':
        return this.afterDigits(wordsOf(transcript), agentText) >= this.config.digitsMs;
      case 'goes-on':
      case 'hesitates':
      case 'nothing':
        return true;
    }
  }

  /** Between an even chance and a sure one the wait goes over from what the words say to what the tune says. */
  private byTune(byWords: number, done: number, question: boolean): number {
    const { surelyDone, doneMs, surelyNotDone, notDoneMs, notDoneQuestionMs } = this.config;
    if (done >= 0.5) return towards(Math.min(byWords, doneMs), byWords, (done - 0.5) / (surelyDone - 0.5));
    // "How much would it cost …" gets the mark of a question although it goes on; what has the mark is still more often whole.
    const more = question ? notDoneQuestionMs : notDoneMs;
    return towards(Math.max(byWords, more), byWords, (0.5 - done) / (0.5 - surelyNotDone));
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

/** `share` of the way from `from` to `to`, 0…1. */
function towards(to: number, from: number, share: number): number {
  return Math.round(from + (to - from) * Math.min(1, Math.max(0, share)));
}
