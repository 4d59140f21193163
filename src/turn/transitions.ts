/**
 * The moves between the states of the turn machine, each in one function: what is done on the way and which timers run
 * afterwards. Which event makes which move is said in on-speech, on-engine, on-playout, on-command and on-timer.
 */
import type { HowSaid } from '../core/how-said';
import { commit, finallyClosed, flush, settle } from './history';
import type { Overlap } from './overlap';
import type { Step } from './step';
import { awaitTool, callTool, cancelTool } from './tool-use';
import type { Answer, AnswerKind, CloseReason, UserTurn, Waiting } from './turn-state';
import { newTurn, reconsiderEnd, reopen, takeTurn, toUserSpeaking } from './user-turn';
import { newAnswer, queueFirst } from './waiting';
import { remainderOf } from './words';

/** An answer that was promised at the very end of the allowed silence still gets this long. */
const SHORTEST_WATCH_MS = 1_000;

// ---- the caller's side ------------------------------------------------------------------------------------------

export function toListening(step: Step): void {
  if (step.voiceActive) {
    const { voice } = step.state;
    toUserSpeaking(step, newTurn(step, voice.onsetMs, voice.onsetSample));
    return;
  }
  const [next, ...waiting] = step.state.waiting;
  if (next !== undefined) {
    step.set({ waiting });
    begin(step, next);
    return;
  }
  if (speakOfTool(step)) return;
  step.enter({ name: 'listening' });
  if (step.config.idle !== undefined) step.timer('idle', step.config.idle.afterMs);
}

/** With the floor free the caller is told what came of a tool, or waits on for it. False: there is none to speak of. */
function speakOfTool(step: Step): boolean {
  const { tool, uncommitted } = step.state;
  if (tool === undefined) return false;
  if (tool.outcome === undefined) awaitTool(step);
  else if (uncommitted !== undefined) {
    step.enter({ name: 'yielding' });
    step.timer('settle', step.config.settleMs);
  } else {
    step.set({ tool: undefined });
    if (tool.outcome === 'failed') sayNow(step, 'say', step.config.toolFailedText);
    else {
      const turnId = step.nextTurnId();
      const { question } = tool;
      const input = { kind: 'tool-result', question, text: tool.outcome.text } as const;
      step.do({ type: 'answer', turnId, input, speculative: false });
      toThinking(step, { ...newAnswer(turnId, 'answer'), userText: question, reported: true, tool }, step.atMs);
    }
  }
  return true;
}

export function speculate(step: Step): void {
  if (step.phase.name !== 'user-pausing' || step.phase.speculation !== undefined || step.phase.outcome !== 'open')
    return;
  const { turn } = step.phase;
  const speculation = orderAnswer(step, turn, true);
  step.enter({ ...step.phase, speculation });
}

/** The caller is done. */
export function finishTurn(step: Step): void {
  const { phase } = step;
  if (phase.name !== 'user-pausing' && phase.name !== 'user-speaking') return;
  const { turn } = phase;
  if (phase.name === 'user-pausing' && phase.outcome === 'no-words') {
    dropTurn(step, turn, 'no-words', '');
    return;
  }
  let answer = phase.name === 'user-pausing' ? phase.speculation : undefined;
  if (answer === undefined) answer = orderAnswer(step, turn, false);
  else step.do({ type: 'promote', turnId: answer.turnId });
  if (answer.userText !== undefined) answer = reportUserTurn(step, answer, answer.userText);
  // What the agent still meant to say of itself (greeting, fallback) is overtaken by what the caller said.
  step.set({ waiting: step.state.waiting.filter(({ kind }) => ['text', 'say', 'notice'].includes(kind)) });
  const askedMs = phase.name === 'user-pausing' ? phase.silenceMs : step.atMs;
  toThinking(step, { ...answer, speculative: false, askedMs }, askedMs);
}

export function reportUserTurn(step: Step, answer: Answer, text: string): Answer {
  step.set({ idlePrompts: 0, unheard: 0 });
  cancelTool(step, answer);
  step.report({
    type: 'user-turn',
    turnId: answer.turnId,
    text,
    source: answer.turn === undefined ? 'text' : 'speech',
    how: answer.how,
    fromSample: answer.turn?.fromSample,
    toSample: answer.turn?.toSample,
  });
  return { ...answer, userText: text, reported: true };
}

/**
 * The speech of the current turn held no words, or only a sign of listening. `answer`: what was begun for it. `how`: how it
 * sounds, where the engine can reply to that.
 */
export function withdrawTurn(
  step: Step,
  answer: Answer,
  because: 'no-words' | 'backchannel',
  text: string,
  how?: HowSaid,
): void {
  if (!answer.ended) step.do({ type: 'cancel', turnId: answer.turnId });
  if (answer.fillerSaid) flush(step, answer);
  if (because === 'no-words' && step.phase.name === 'user-pausing') {
    // A recogniser may be deaf to the first words; what follows is heard together with them.
    const turn = { ...step.phase.turn, wordless: how };
    step.enter({ ...step.phase, turn, speculation: undefined, outcome: 'no-words' });
    reconsiderEnd(step, '');
    return;
  }
  dropTurn(step, answer.turn === undefined ? undefined : { ...answer.turn, wordless: how }, because, text);
}

function dropTurn(step: Step, turn: UserTurn | undefined, because: 'no-words' | 'backchannel', text: string): void {
  const { unheardAfterMs, maxUnheard, unheardText } = step.config;
  const { unheard } = step.state;
  const long = because === 'no-words' && (turn?.speechMs ?? 0) >= unheardAfterMs;
  if (long && turn?.interrupted === undefined && unheard < maxUnheard) {
    step.set({ unheard: unheard + 1 });
    if (turn?.wordless === undefined) sayNow(step, 'fallback', unheardText);
    else replyToSound(step, turn);
    return;
  }
  step.report({ type: 'ignored', because, text });
  const cut = turn?.interrupted;
  if (cut !== undefined) {
    // The interruption was none: what the caller has not heard is said after all.
    settle(step);
    const rest = remainderOf(cut.text, step.state.lastAgent.text, cut.ended);
    queueFirst(step, {
      kind: cut.kind === 'answer' || cut.kind === 'sound' ? 'say' : cut.kind,
      text: rest === '' ? step.config.unheardText : rest,
      userText: cut.userText,
      closeAfter: cut.closeAfter,
    });
  }
  toListening(step);
}

// ---- the agent's side -------------------------------------------------------------------------------------------

function orderAnswer(step: Step, turn: UserTurn, speculative: boolean): Answer {
  settle(step);
  const turnId = step.nextTurnId();
  const { fromSample, toSample } = turn;
  step.do({ type: 'answer', turnId, input: { kind: 'audio', fromSample, toSample }, speculative });
  return { ...newAnswer(turnId, 'answer'), turn, speculative };
}

/** To a cough, music, or words that could not be understood, as the engine finds fitting. Fails like any answer. */
function replyToSound(step: Step, { fromSample, toSample }: UserTurn): void {
  settle(step);
  const turnId = step.nextTurnId();
  step.do({
    type: 'answer',
    turnId,
    input: { kind: 'audio', fromSample, toSample, wordless: true },
    speculative: false,
  });
  toThinking(step, newAnswer(turnId, 'sound'), step.atMs);
}

/** Starts what was waiting. The floor must be free. */
export function begin(step: Step, next: Waiting): void {
  if (step.state.uncommitted !== undefined) {
    queueFirst(step, next);
    step.enter({ name: 'yielding' });
    step.timer('settle', step.config.settleMs);
    return;
  }
  const turnId = step.nextTurnId();
  if (next.kind === 'text') {
    step.do({ type: 'answer', turnId, input: { kind: 'text', text: next.text }, speculative: false });
    toThinking(step, reportUserTurn(step, newAnswer(turnId, 'answer'), next.text), step.atMs);
    return;
  }
  step.do({ type: 'prompt', turnId, text: next.text });
  const { userText, closeAfter } = next;
  toThinking(step, { ...newAnswer(turnId, next.kind), text: next.text, userText, closeAfter }, step.atMs);
}

export function sayNow(step: Step, kind: AnswerKind, text: string, userText?: string, closeAfter?: CloseReason): void {
  begin(step, { kind, text, userText, closeAfter });
}

/** `silenceMs`: since when the caller has heard nothing. */
export function toThinking(step: Step, answer: Answer, silenceMs: number): void {
  if (answer.audioMs > 0) {
    toSpeaking(step, answer);
    return;
  }
  if (answer.ended) {
    nothingToSay(step, answer);
    return;
  }
  const running = step.runs('watchdog');
  step.enter({ name: 'thinking', answer, sinceMs: silenceMs });
  if (!running) {
    step.timer('watchdog', Math.max(SHORTEST_WATCH_MS, step.config.silenceMs - (step.atMs - silenceMs)));
  }
}

/** The answer ended without a sound: an action instead of words, or a fault. */
export function nothingToSay(step: Step, answer: Answer): void {
  if (answer.action === 'hangup') {
    commit(step, answer, '', false);
    finallyClosed(step, 'agent-hangup');
  } else if (answer.action === 'handover') {
    commit(step, answer, '', false);
    step.report({ type: 'handover' });
    toListening(step);
  } else if (answer.action !== undefined) {
    callTool(step, answer);
    // The filler that was said meanwhile is still being heard: the floor is free after it.
    if (answer.fillerSaid) toSpeaking(step, answer);
    else {
      commit(step, answer, '', false);
      toListening(step);
    }
  } else fail(step, answer, 'engine');
}

/** A notice is heard to its end. What the caller types or presses meanwhile waits, and so does what is still being said then. */
export function mayCut(answer: Answer): boolean {
  return answer.kind !== 'notice';
}

/** Releases the answer's audio, or goes on with it. */
export function toSpeaking(step: Step, answer: Answer): void {
  if (!answer.released) {
    step.do({ type: 'release', turnId: answer.turnId });
    if (answer.ended) step.do({ type: 'end-playout', turnId: answer.turnId });
  }
  const released = { ...answer, released: true };
  step.enter({ name: 'speaking', answer: released });
  watchPlayout(step);
  if (!step.voiceActive || !step.config.overlap.enabled || !mayCut(released)) return;
  const { voice } = step.state;
  // A voice from before the first word is no reaction to it: only its words may interrupt.
  const { onsetMs, onsetSample, headSample } = voice;
  const overlap: Overlap = {
    onsetMs,
    onsetSample,
    headSample,
    levelDb: 0,
    sound: undefined,
    heard: undefined,
    echo: undefined,
    ended: undefined,
    words: undefined,
    listenedTo: headSample,
    cautious: true,
  };
  step.enter({ name: 'overlapped', answer: released, overlap });
}

/** Playout must move on: what is left of the audio, and the longest silence after it. */
export function watchPlayout(step: Step): void {
  const { answer } = step;
  if (answer === undefined) return;
  step.timer('playout', Math.max(0, answer.audioMs - answer.playedMs) + step.config.silenceMs);
}

/** The last word has left. */
export function finishAnswer(step: Step, heardText: string): void {
  const { phase, answer } = step;
  if (answer === undefined) return;
  commit(step, answer, heardText, false);
  if (answer.kind === 'answer') step.set({ failures: 0 });
  callTool(step, answer);
  if (answer.action === 'handover') step.report({ type: 'handover' });
  const closing = answer.closeAfter ?? (answer.action === 'hangup' ? 'agent-hangup' : undefined);
  if (closing !== undefined) {
    finallyClosed(step, closing);
    return;
  }
  // Speech that began over the last words is the caller's next turn.
  if (phase.name === 'overlapped' || phase.name === 'ducked') takeTurn(step, phase.overlap);
  else toListening(step);
}

/** The caller wins the floor. */
export function interrupt(step: Step, overlap: Overlap, because: string): void {
  const { answer, phase } = step;
  if (answer === undefined) return;
  const silentFromMs = phase.name === 'ducked' ? phase.duckedMs : step.atMs;
  const heardMs = answer.startedMs === undefined ? 0 : Math.max(answer.playedMs, silentFromMs - answer.startedMs);
  stopAnswer(step, answer);
  const reopened = heardMs < step.config.reopenIfHeardUnderMs ? reopen(step, answer, overlap.onsetMs) : undefined;
  if (reopened === undefined) {
    callTool(step, answer);
    step.set({ uncommitted: answer, failures: answer.kind === 'answer' ? 0 : step.state.failures });
    step.report({ type: 'interrupted', turnId: answer.turnId, onsetSample: overlap.onsetSample, because });
  }
  takeTurn(step, overlap, reopened, reopened === undefined ? answer : undefined);
}

/** For typed text and other commands that take the floor. */
export function interruptFor(step: Step, because: string): void {
  const { answer } = step;
  if (answer === undefined) return;
  stopAnswer(step, answer);
  step.set({ uncommitted: answer });
  step.report({ type: 'interrupted', turnId: answer.turnId, onsetSample: undefined, because });
}

function stopAnswer(step: Step, answer: Answer): void {
  step.set({ listening: undefined });
  flush(step, answer);
  if (!answer.ended) step.do({ type: 'cancel', turnId: answer.turnId });
}

/**
 * Speech came before the answer's first word: the caller goes on. Returns the turn that goes on, or undefined when the
 * answer is to be spoken nevertheless.
 */
export function recall(step: Step, answer: Answer, onsetMs: number, onsetSample: number): UserTurn | undefined {
  let turn: UserTurn | undefined;
  if (answer.turn !== undefined) {
    turn = reopen(step, answer, onsetMs);
    if (turn === undefined) return undefined;
  } else {
    // Nothing of it was heard; it is said when the caller is done, unless the caller's words overtake it. A sound is past.
    if (answer.reported && answer.tool === undefined) step.report({ type: 'reopened', turnId: answer.turnId });
    const typed = answer.kind === 'answer';
    const text = typed ? (answer.userText ?? '') : answer.text;
    const userText = typed ? undefined : answer.userText;
    if (answer.tool !== undefined) step.set({ tool: answer.tool });
    else if (answer.kind !== 'sound') {
      queueFirst(step, { kind: typed ? 'text' : answer.kind, text, userText, closeAfter: answer.closeAfter });
    }
    turn = newTurn(step, onsetMs, onsetSample);
  }
  if (!answer.ended) step.do({ type: 'cancel', turnId: answer.turnId });
  if (answer.fillerSaid) flush(step, answer);
  return turn;
}

/** The answer cannot be had. The caller hears that, not silence. */
export function fail(step: Step, answer: Answer, because: 'engine' | 'silence' | 'playout'): void {
  step.report({ type: 'failure', turnId: answer.turnId, because });
  if (!answer.ended) step.do({ type: 'cancel', turnId: answer.turnId });
  if (answer.released || answer.fillerSaid) flush(step, answer);
  if (answer.released) step.set({ uncommitted: answer });
  if (answer.closeAfter !== undefined) {
    // It was a goodbye anyway.
    finallyClosed(step, answer.closeAfter);
    return;
  }
  const failures = step.state.failures + 1;
  step.set({ failures, listening: undefined });
  if (failures >= step.config.maxFailures) {
    sayNow(step, 'goodbye', step.config.apologyText, answer.userText, 'engine-failed');
  } else sayNow(step, 'fallback', step.config.fallbackText, answer.released ? undefined : answer.userText);
}
