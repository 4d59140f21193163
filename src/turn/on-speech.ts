/** The turn machine hears the caller: onset, continuation and end of speech, in every state. */
import { type Overlap, together } from './overlap';
import { judgeOverlap, type OverlapPolicy } from './overlap-judge';
import type { Step } from './step';
import { interrupt, mayCut, recall, toSpeaking, toThinking, watchPlayout } from './transitions';
import type { TurnEvent, TurnState } from './turn-state';
import { learnPause, newTurn, toUserPausing, toUserSpeaking } from './user-turn';

const SAMPLES_PER_MS = 16;
/** How slowly the memory of the caller's level follows. */
const LEVEL_MEMORY = 0.7;
/** Cautious waiting for the words of an overlap that has ended. */
const WORDS_LATE_MS = 1_500;
/** An overlap is looked at again this often even when nothing new is heard. */
const REJUDGE_MS = 250;
/** An unanswered question to the recogniser is given up. */
const LISTEN_LOST_MS = 2_000;
/** Speech after the last look of the recogniser that is worth another. */
const UNHEARD_TAIL_MS = 100;

type SpeechEvent = Extract<TurnEvent, { type: 'speech-started' | 'speech-continues' | 'speech-ended' }>;

export function onSpeech(step: Step, event: SpeechEvent): void {
  // An end that was long in coming is an end nevertheless.
  const known = event.type === 'speech-ended' ? step.state.voice.speaking : step.voiceActive;
  if (event.type === 'speech-ended') {
    const boundaryMs = msOf(step, event.sample, event.headSample);
    remember(step, event, { speaking: false });
    if (known) ended(step, event, boundaryMs);
  } else if (known) {
    remember(step, event, {});
    continues(step, event);
  } else {
    // The onset itself may have been missed.
    remember(step, event, {
      speaking: true,
      onsetMs: msOf(step, event.sample, event.headSample),
      onsetSample: event.sample,
    });
    started(step, event);
  }
}

/** When `sample` was heard, given that `headSample` is being heard now. */
function msOf(step: Step, sample: number, headSample: number): number {
  return step.atMs - Math.max(0, headSample - sample) / SAMPLES_PER_MS;
}

function remember(step: Step, event: SpeechEvent, change: Partial<TurnState['voice']>): void {
  const { voice } = step.state;
  const headSample = Math.max(voice.headSample, event.headSample);
  step.set({ voice: { ...voice, headSample, seenMs: step.atMs, ...change } });
}

function started(step: Step, event: SpeechEvent): void {
  const { phase } = step;
  const { onsetMs, onsetSample } = step.state.voice;
  switch (phase.name) {
    case 'listening':
    case 'awaiting-tool':
      toUserSpeaking(step, newTurn(step, onsetMs, onsetSample));
      return;
    case 'user-pausing': {
      if (phase.speculation !== undefined && !phase.speculation.ended) {
        step.do({ type: 'cancel', turnId: phase.speculation.turnId });
      }
      learnPause(step, onsetMs - phase.silenceMs);
      toUserSpeaking(step, { ...phase.turn, pauses: phase.turn.pauses + 1 });
      return;
    }
    case 'thinking': {
      const { answer, sinceMs } = phase;
      if (!mayCut(answer)) return;
      step.enter({ name: 'held', answer, sinceMs, onsetMs, onsetSample });
      step.timer('confirm', step.config.confirmMs - (step.atMs - onsetMs));
      return;
    }
    case 'speaking':
      overlap(step, event);
      return;
    case 'overlapped':
    case 'ducked':
      // The speech before has ended and is still being judged; together they are one.
      changeOverlap(step, {
        ended: undefined,
        headSample: event.headSample,
        ...heardOf(event, phase.overlap),
      });
      considerOverlap(step);
      return;
    case 'user-speaking':
      continues(step, event);
      return;
    case 'held':
    case 'idle':
    case 'on-hold':
    case 'yielding':
    case 'closing':
    case 'closed':
      return;
  }
}

function continues(step: Step, event: SpeechEvent): void {
  const { phase } = step;
  if (phase.name === 'user-speaking') {
    step.enter({ ...phase, turn: { ...phase.turn, toSample: Math.max(phase.turn.toSample, event.headSample) } });
    step.timer('stall', step.config.stallMs);
  } else if (phase.name === 'overlapped' || phase.name === 'ducked') {
    const headSample = Math.max(phase.overlap.headSample, event.headSample);
    changeOverlap(step, { headSample, levelDb: event.levelDb, ...heardOf(event, phase.overlap) });
    watchForDuck(step);
    considerOverlap(step);
  }
}

function ended(step: Step, event: SpeechEvent, boundaryMs: number): void {
  const { phase } = step;
  switch (phase.name) {
    case 'user-speaking': {
      const speechMs =
        phase.turn.speechMs + Math.max(0, boundaryMs - Math.max(step.state.voice.onsetMs, phase.turn.startedMs));
      const toSample = Math.max(phase.turn.toSample, event.headSample);
      learnLevel(step, event.levelDb);
      toUserPausing(step, { ...phase.turn, toSample, endSample: event.sample, speechMs }, boundaryMs);
      return;
    }
    case 'held': {
      const speechMs = boundaryMs - phase.onsetMs;
      if (speechMs >= step.config.confirmMs)
        goOn(step, { atMs: boundaryMs, sample: event.sample, headSample: event.headSample });
      else toThinking(step, phase.answer, phase.sinceMs);
      return;
    }
    case 'overlapped':
    case 'ducked':
      changeOverlap(step, {
        ended: { atMs: boundaryMs, sample: event.sample },
        headSample: Math.max(phase.overlap.headSample, event.headSample),
        ...heardOf(event, phase.overlap),
      });
      considerOverlap(step);
      return;
    case 'idle':
    case 'listening':
    case 'awaiting-tool':
    case 'user-pausing':
    case 'thinking':
    case 'speaking':
    case 'on-hold':
    case 'yielding':
    case 'closing':
    case 'closed':
      return;
  }
}

/** `held` -> the caller does go on: the answer is taken back. `end`: the speech has already ended again. */
export function goOn(step: Step, end: { atMs: number; sample: number; headSample: number } | undefined): void {
  const { phase } = step;
  if (phase.name !== 'held') return;
  const turn = recall(step, phase.answer, phase.onsetMs, phase.onsetSample);
  if (turn === undefined) {
    // Reopened too often: noise without end must not keep the answer back.
    if (phase.answer.audioMs > 0) toSpeaking(step, phase.answer);
    else toThinking(step, phase.answer, phase.sinceMs);
    return;
  }
  if (end === undefined) toUserSpeaking(step, turn);
  else {
    const speechMs = turn.speechMs + Math.max(0, end.atMs - phase.onsetMs);
    const toSample = Math.max(turn.toSample, end.headSample);
    toUserPausing(step, { ...turn, speechMs, toSample, endSample: end.sample }, end.atMs);
  }
}

function learnLevel(step: Step, levelDb: number): void {
  const { callerLevelDb } = step.state;
  step.set({
    callerLevelDb: callerLevelDb === undefined ? levelDb : LEVEL_MEMORY * callerLevelDb + (1 - LEVEL_MEMORY) * levelDb,
  });
}

function overlap(step: Step, event: SpeechEvent): void {
  const { phase, config } = step;
  if (phase.name !== 'speaking' || !config.overlap.enabled || !mayCut(phase.answer)) return;
  const { voice } = step.state;
  const found: Overlap = {
    onsetMs: voice.onsetMs,
    onsetSample: voice.onsetSample,
    headSample: event.headSample,
    levelDb: event.levelDb,
    sound: event.sound,
    echo: event.echo,
    ended: undefined,
    words: undefined,
    heard: undefined,
    listenedTo: voice.onsetSample,
    cautious: phase.answer.falseAlarms >= config.overlap.cautiousAfter,
  };
  step.enter({ ...phase, name: 'overlapped', overlap: found });
  watchForDuck(step);
}

/** The listener stops describing what goes on for long. */
function heardOf(event: SpeechEvent, found: Overlap): Pick<Overlap, 'sound' | 'echo'> {
  return { sound: event.sound ?? found.sound, echo: event.echo ?? found.echo };
}

/** A voice that rises out of the background pauses the agent, too. */
function watchForDuck(step: Step): void {
  const { phase, config } = step;
  if (phase.name !== 'overlapped') return;
  const { overlap: found, answer } = phase;
  if (found.cautious || found.ended !== undefined || isQuiet(step, found)) return;
  const talk = (found.sound?.talk ?? 0) >= config.overlap.surelyTalk;
  if (step.runs('duck') && !talk) return;
  // A second alarm in the same answer has to last longer before it is believed, or to sound like talk.
  const afterMs = config.overlap.duckAfterMs * (talk ? 1 : 1 + answer.falseAlarms);
  step.timer('duck', afterMs - (step.atMs - found.onsetMs));
}

function isQuiet(step: Step, found: Overlap): boolean {
  const { usualLevelDb, quietDb } = step.config.overlap;
  return found.levelDb < (step.state.callerLevelDb ?? usualLevelDb) - quietDb;
}

function changeOverlap(step: Step, change: Partial<Overlap>): void {
  const { phase } = step;
  if (phase.name === 'overlapped' || phase.name === 'ducked') {
    step.enter({ ...phase, overlap: { ...phase.overlap, ...change } });
  }
}

/** `overlapped` -> `ducked`. */
export function duck(step: Step): void {
  const { phase } = step;
  if (phase.name !== 'overlapped') return;
  step.do({ type: 'pause', turnId: phase.answer.turnId });
  step.enter({ ...phase, name: 'ducked', duckedMs: step.atMs });
  considerOverlap(step);
}

/** The recogniser has answered; the overlap may be long over and the answer resumed. */
export function onListened(step: Step, event: Extract<TurnEvent, { type: 'listened' }>): void {
  const { listening } = step.state;
  if (listening === undefined || listening.requestId !== event.requestId) return;
  step.set({ listening: undefined });
  const { phase } = step;
  // Spoken but not understood is not known yet; a sound that is no speech has no words.
  const words = event.speech ? event.text || undefined : '';
  if ((phase.name === 'overlapped' || phase.name === 'ducked') && phase.answer.turnId === listening.turnId) {
    changeOverlap(step, { words, heard: event.sound, listenedTo: listening.toSample });
    considerOverlap(step);
  } else if (phase.name === 'speaking' && phase.answer.turnId === listening.turnId) {
    const late = { ...listening.overlap, words, heard: event.sound, listenedTo: listening.toSample };
    const { verdict, because } = { because: '', ...judgeOverlap(factsOf(step, late, undefined), step.config.overlap) };
    if (verdict === 'interrupt') interrupt(step, late, because);
    else if (verdict === 'wait' && hasUnheardTail(late)) listenTo(step, late, phase.answer.turnId);
  }
}

function factsOf(step: Step, found: Overlap, duckedMs: number | undefined) {
  const stale = found.ended === undefined && !step.voiceActive;
  const endMs = found.ended?.atMs ?? (stale ? step.state.voice.seenMs : step.atMs);
  return {
    speechMs: Math.max(0, endMs - found.onsetMs),
    ended: found.ended !== undefined || stale,
    words: found.words,
    wordsWhole: !hasUnheardTail(found),
    wordsOfMs: (found.listenedTo - found.onsetSample) / SAMPLES_PER_MS,
    duckedMs: duckedMs === undefined ? undefined : step.atMs - duckedMs,
    cautious: found.cautious,
    quiet: isQuiet(step, found),
    sound: together(found.sound, found.heard),
    heard: found.heard !== undefined,
    asked: step.state.listening !== undefined,
    isEcho: found.echo !== undefined && found.echo >= step.config.overlap.surelyEcho,
    agentText: step.answer?.text ?? '',
  };
}

/** Judges the overlap with what is known by now, and asks the recogniser when that may help. */
export function considerOverlap(step: Step): void {
  const { phase, config } = step;
  if (phase.name !== 'overlapped' && phase.name !== 'ducked') return;
  const { overlap: found } = phase;
  const duckedMs = phase.name === 'ducked' ? phase.duckedMs : undefined;
  const facts = factsOf(step, found, duckedMs);
  if (facts.ended && phase.name === 'overlapped' && facts.speechMs < config.overlap.duckAfterMs) {
    // Over before it was worth a pause: too short for a word.
    step.set({ listening: undefined });
    step.enter({ name: 'speaking', answer: phase.answer });
    return;
  }
  const judged = judgeOverlap(facts, config.overlap);
  if (judged.verdict === 'interrupt') interrupt(step, found, judged.because);
  else if (judged.verdict === 'dismiss') {
    dismiss(step, judged.because);
  } else if (facts.ended && phase.name === 'overlapped' && step.atMs - found.onsetMs - facts.speechMs > WORDS_LATE_MS) {
    dismiss(step, 'short');
  } else {
    ask(step, facts.speechMs, facts.ended && hasUnheardTail(found));
    step.timer('judge', rejudgeAfterMs(facts.duckedMs, config.overlap));
  }
}

/** The recogniser has not been given the last of the speech. */
function hasUnheardTail(found: Overlap): boolean {
  const unheardMs = (found.headSample - found.listenedTo) / SAMPLES_PER_MS;
  // Of what is over after a syllable all is unheard.
  return unheardMs >= (found.listenedTo <= found.onsetSample ? 96 : 96 + UNHEARD_TAIL_MS);
}

function rejudgeAfterMs(duckedMs: number | undefined, { dipMs, doubtMs }: OverlapPolicy): number {
  if (duckedMs === undefined || duckedMs >= dipMs + doubtMs) return REJUDGE_MS;
  return Math.min(REJUDGE_MS, Math.max(1, (duckedMs < dipMs ? dipMs : dipMs + doubtMs) - duckedMs));
}

function ask(step: Step, speechMs: number, unheardTail: boolean): void {
  const { phase, config } = step;
  if (phase.name !== 'overlapped' && phase.name !== 'ducked') return;
  const { overlap: found, answer } = phase;
  const { listening } = step.state;
  if (listening?.turnId === answer.turnId && step.atMs - listening.askedMs < LISTEN_LOST_MS) return;
  const listenedMs = (found.listenedTo - found.onsetSample) / SAMPLES_PER_MS;
  const due =
    found.words === undefined && listenedMs <= 0
      ? config.overlap.listenAfterMs
      : listenedMs + config.overlap.listenEveryMs;
  if (!unheardTail && speechMs < due) return;
  listenTo(step, found, answer.turnId);
}

function listenTo(step: Step, found: Overlap, turnId: number): void {
  const requestId = step.nextRequestId();
  const fromSample = Math.max(0, found.onsetSample - step.config.preRollMs * SAMPLES_PER_MS);
  const toSample = found.headSample;
  step.set({ listening: { requestId, turnId, askedMs: step.atMs, toSample, overlap: found } });
  step.do({ type: 'listen', requestId, fromSample, toSample });
}

/** A false alarm: the answer goes on. Speech that goes on with it is watched, for its words alone. */
function dismiss(step: Step, because: string): void {
  const { phase } = step;
  if (phase.name !== 'overlapped' && phase.name !== 'ducked') return;
  const answer = { ...phase.answer, falseAlarms: phase.answer.falseAlarms + 1 };
  const { listening } = step.state;
  // Its words may still come and prove the alarm right.
  if (listening !== undefined) step.set({ listening: { ...listening, overlap: phase.overlap } });
  else if (because === 'short' && hasUnheardTail(phase.overlap)) listenTo(step, phase.overlap, answer.turnId);
  step.report({ type: 'dismissed', turnId: answer.turnId, because });
  if (phase.name === 'ducked') step.do({ type: 'resume', turnId: answer.turnId });
  if (phase.overlap.ended === undefined && step.voiceActive) {
    const watched = {
      ...phase.overlap,
      cautious: true,
      words: undefined,
      heard: undefined,
      listenedTo: phase.overlap.headSample,
    };
    step.enter({ name: 'overlapped', answer, overlap: watched });
    step.timer('judge', REJUDGE_MS);
  } else step.enter({ name: 'speaking', answer });
  watchPlayout(step);
}
