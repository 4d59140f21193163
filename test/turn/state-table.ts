/** The tables of docs/turn-taking.md, made by asking the turn machine itself. */
import { DEFAULT_END_OF_TURN } from '../../src/turn/end-of-turn';
import { DEFAULT_OVERLAP } from '../../src/turn/overlap-judge';
import { reduce } from '../../src/turn/turn-machine';
import {
  DEFAULT_TURNS,
  INITIAL_STATE,
  type TimerId,
  type TurnEffect,
  type TurnEvent,
  type TurnState,
} from '../../src/turn/turn-state';
import { DEFAULT_VAD } from '../../src/turn/vad';

type Undated = TurnEvent extends infer E ? (E extends { readonly atMs: number } ? Omit<E, 'atMs'> : never) : never;

const STEP_MS = 20;
const LEVEL = -25;

/** A call that is taken from one situation to the next. */
class Walk {
  constructor(
    readonly state: TurnState = INITIAL_STATE,
    readonly atMs = 0,
  ) {}

  next(event: Undated, afterMs = STEP_MS): Walk {
    const atMs = this.atMs + afterMs;
    return new Walk(reduce(this.state, { ...event, atMs } as TurnEvent, DEFAULT_TURNS).state, atMs);
  }

  timer(id: TimerId): Undated {
    return { type: 'timer', id, token: this.state.timers[id] ?? -1 };
  }

  get sample(): number {
    return Math.round(this.atMs * 16);
  }

  speech(type: 'speech-started' | 'speech-continues' | 'speech-ended', lagMs: number): Undated {
    return {
      type,
      sample: this.sample + (STEP_MS - lagMs) * 16,
      headSample: this.sample + STEP_MS * 16,
      levelDb: LEVEL,
    };
  }

  get answerId(): number {
    const { phase } = this.state;
    if (phase.name === 'user-pausing') return phase.speculation?.turnId ?? -1;
    return 'answer' in phase ? (phase.answer?.turnId ?? -1) : (this.state.uncommitted?.turnId ?? -1);
  }

  playout(state: 'started' | 'finished' | 'flushed' | 'starved'): Undated {
    return { type: 'playout', turnId: this.answerId, state, playedMs: 1_000, heardText: 'We open' };
  }
}

function situations(): ReadonlyMap<string, Walk> {
  const idle = new Walk();
  const listening = idle.next({ type: 'opened', greeting: undefined });
  const userSpeaking = listening.next(listening.speech('speech-started', 64));
  const pausing = userSpeaking.next(userSpeaking.speech('speech-ended', 96), 800);
  const trial = pausing.next(pausing.timer('speculate'), 104);
  const thinking = trial.next(trial.timer('end-of-turn'), 300);
  const held = thinking.next(thinking.speech('speech-started', 64));
  const audio = thinking.next({ type: 'answer-audio', turnId: thinking.answerId, durationMs: 3_000 });
  const speaking = audio.next(audio.playout('started'));
  const later = new Walk(speaking.state, speaking.atMs + 1_500);
  const overlapped = later.next(later.speech('speech-started', 64));
  const ducked = overlapped.next(overlapped.timer('duck'), 80);
  const asked = ducked.next(ducked.speech('speech-continues', 300), 140);
  const called = later.next({
    type: 'answer-end',
    turnId: later.answerId,
    action: { type: 'tool', name: 'order_status' },
  });
  const awaiting = called.next(called.playout('finished'));
  return new Map([
    ['idle', idle],
    ['listening', listening],
    ['user-speaking', userSpeaking],
    ['user-pausing', pausing],
    ['user-pausing, an answer on trial', trial],
    ['thinking', thinking],
    ['held', held],
    ['speaking', later],
    ['overlapped', overlapped],
    ['ducked', asked],
    ['speaking, a tool called', called],
    ['awaiting-tool', awaiting],
    ['on-hold', later.next({ type: 'hold' })],
    ['yielding', later.next({ type: 'user-text', text: 'typed' })],
    ['closing', later.next({ type: 'hangup', reason: 'caller-hangup' })],
  ]);
}

function happenings(at: Walk): ReadonlyMap<string, Undated> {
  const turnId = at.answerId;
  const requestId = at.state.listening?.requestId ?? -1;
  const timers = (Object.keys(at.state.timers) as TimerId[]).map((id): [string, Undated] => [
    `timer ${id}`,
    at.timer(id),
  ]);
  return new Map<string, Undated>([
    ['the call is up', { type: 'opened', greeting: 'Hello.' }],
    ['speech starts', at.speech('speech-started', 64)],
    ['speech ends', at.speech('speech-ended', 96)],
    ['words: a question', { type: 'transcript', turnId, text: 'When do you open?', speech: true }],
    ['words: none', { type: 'transcript', turnId, text: '', speech: false }],
    ['first audio', { type: 'answer-audio', turnId, durationMs: 400 }],
    ['answer complete', { type: 'answer-end', turnId, action: undefined }],
    ['answer failed', { type: 'engine-failed', turnId }],
    ['overlap: "wait"', { type: 'listened', requestId, text: 'Wait.', speech: true }],
    ['overlap: "mm-hmm", over', { type: 'listened', requestId, text: 'Mm-hmm.', speech: true }],
    ['answer complete, a tool called', { type: 'answer-end', turnId, action: { type: 'tool', name: 'order_status' } }],
    ['the tool’s result', { type: 'tool-result', turnId: at.state.tool?.turnId ?? -1, text: 'It ships on Friday.' }],
    ['the tool’s error', { type: 'tool-result', turnId: at.state.tool?.turnId ?? -1, text: undefined }],
    ['playout finished', at.playout('finished')],
    ['playout flushed', at.playout('flushed')],
    ['playout starved', at.playout('starved')],
    ['text typed', { type: 'user-text', text: 'typed' }],
    ['something to say', { type: 'say', text: 'An order.' }],
    ['stop', { type: 'stop' }],
    ['hold', { type: 'hold' }],
    ['resume', { type: 'resume' }],
    ['hang-up', { type: 'hangup', reason: 'caller-hangup' }],
    ...timers,
  ]);
}

/** `| state | event | next | effects |`, without the rows in which nothing happens. */
export function stateTable(): string {
  const rows: string[] = [];
  for (const [name, walk] of situations()) {
    for (const [label, event] of happenings(walk)) {
      // A backchannel is judged once it is over.
      const at = label.endsWith(', over') ? walk.next(walk.speech('speech-ended', 96)) : walk;
      const { state, effects } = reduce(at.state, { ...event, atMs: at.atMs + STEP_MS } as TurnEvent, DEFAULT_TURNS);
      const done = effects.flatMap(named);
      const moved = state.phase.name !== at.state.phase.name;
      if (!moved && done.length === 0) continue;
      rows.push(`| ${name} | ${label} | ${moved ? state.phase.name : '·'} | ${done.join(', ')} |`);
    }
  }
  return ['| state | event | next state | effects |', '|---|---|---|---|', ...rows].join('\n');
}

function named(effect: TurnEffect): string[] {
  if (effect.type === 'timer' || effect.type === 'clear-timer') return [];
  if (effect.type === 'report') return [`*${effect.report.type}*`];
  if (effect.type === 'answer') return [effect.speculative ? 'answer (on trial)' : 'answer'];
  return [effect.type];
}

const MEANING: Readonly<Record<string, string>> = {
  'vad.startThreshold': 'probability from which a window counts as speech',
  'vad.endThreshold': 'probability below which it counts as silence',
  'vad.startMs': 'speech needed before an onset is believed',
  'vad.endMs': 'silence needed before an end is told',
  'vad.quietDropDb': 'dB below the speech at which a window is silence whatever the network says',
  'vad.reportMs': 'distance of the reports while speech goes on',
  'endOfTurn.unknownMs': 'silence that ends a turn while its words are not known',
  'endOfTurn.questionMs': '… after a question',
  'endOfTurn.answerMs': '… after one to three words',
  'endOfTurn.statementMs': '… after a whole sentence',
  'endOfTurn.unpunctuatedMs': '… after words without a mark at their end',
  'endOfTurn.digitsMs': '… after digits or letters that may not be all',
  'endOfTurn.goesOnMs': '… after "and", "my number is", a comma',
  'endOfTurn.hesitatesMs': '… after "um"',
  'endOfTurn.beginningMs': '… after so few of them that they are more often a beginning',
  'endOfTurn.fewWords': 'words that are few',
  'endOfTurn.partlyHeardMs': '… after speech that the words found do not account for',
  'endOfTurn.unexplainedMs': 'slow speech beyond those words from which that is so',
  'endOfTurn.nothingMs': '… after speech without words',
  'endOfTurn.wholeNumberDigits': 'digits that make a whole telephone number',
  'endOfTurn.afterPauseMs': 'added when the caller has paused in this turn before',
  'endOfTurn.usualPauseMs':
    'callers’ usual pause inside a turn; the waits of one who pauses for longer or shorter change in proportion',
  'endOfTurn.usualPauses': '… and it weighs as much as so many of the caller’s own pauses',
  'endOfTurn.leastPatience': '… the least and',
  'endOfTurn.mostPatience': '… the most that a wait is multiplied with',
  'endOfTurn.patientMs': '… and no wait grows beyond this for a slow caller’s sake',
  'endOfTurn.longestMs': 'longest of all these waits',
  'endOfTurn.surelyDone': 'chance by words and tune that the caller is done from which that is sure, 0…1',
  'endOfTurn.doneMs': '… the longest wait then',
  'endOfTurn.surelyNotDone': 'that chance up to which the caller surely goes on, 0…1',
  'endOfTurn.notDoneMs': '… the shortest wait then',
  'endOfTurn.notDoneQuestionMs': '… after the mark of a question',
  'interruptions.duckAfterMs': 'overlapping speech that pauses the agent',
  'interruptions.dipMs': 'longest such pause when nothing speaks for an interruption',
  'interruptions.doubtMs': '… and so much longer while somebody speaks of whom it is not sure',
  'interruptions.longSpeechMs': 'overlapping speech that interrupts while its words are not known',
  'interruptions.backchannelMs': 'how long a backchannel may go on before it counts as talking',
  'interruptions.listenAfterMs': 'overlapping speech that is given to the recogniser',
  'interruptions.listenEveryMs': '… and again, each time it has grown by this',
  'interruptions.quietDb': 'dB below the caller’s usual level: somebody else, only words count',
  'interruptions.usualLevelDb': 'that level while nothing was heard of the caller yet, dBFS',
  'interruptions.surelyEcho': 'likeness to what was sent from which a sound is our own voice, 0…1',
  'interruptions.surelyBackchannel': 'chance by its sound from which it is a sign of listening, 0…1',
  'interruptions.surelyTalk': '… and talk',
  'interruptions.hardlyTalk': 'one or two words count only where their sound is talk with more than this chance, 0…1',
  'interruptions.cautiousAfter': 'false alarms in one answer after which only words count',
  speculateAfterMs: 'pause after which an answer is begun on trial',
  preRollMs: 'audio before an onset that belongs to it',
  turnLimitMs: 'a turn without a pause is answered after this',
  stallMs: 'speech that is no longer confirmed is over after this',
  confirmMs: 'speech before the answer’s first sound that reopens the turn',
  maxReopenings: 'how often one turn is reopened',
  reopenIfHeardUnderMs: 'interrupted before so much was heard: the turn is reopened, too',
  boundaryMs: 'a backchannel so soon after the agent’s last word takes no turn',
  silenceMs: 'silence on the agent’s turn after which it says something (engine.silenceSeconds less 500 ms)',
  unheardAfterMs: 'speech without words that is asked about',
  maxUnheard: 'how often in a row; then it is taken for noise',
  toolTimeoutMs: 'wait for the result of a tool (its own timeoutMs in the dialplan)',
  maxFailures: 'failed answers in a row after which the agent apologises and hangs up',
  'idle.afterMs': 'silence of the caller after which the agent asks, then says goodbye',
  digitsMs: 'keys pressed within this time are one input',
  settleMs: 'wait for what was heard of a cut answer before the next is begun',
  closeMs: '… before the call is closed',
};

/** `| parameter | default | meaning |` of every number; throws when one has no meaning here. */
export function parameterTable(): string {
  const { endOfTurn: _, overlap: __, idle, ...plain } = DEFAULT_TURNS;
  const values: [string, unknown][] = [
    ...Object.entries(DEFAULT_VAD).map(([key, value]): [string, unknown] => [`vad.${key}`, value]),
    ...Object.entries(plain),
    ...Object.entries(DEFAULT_END_OF_TURN).map(([key, value]): [string, unknown] => [`endOfTurn.${key}`, value]),
    ...Object.entries(DEFAULT_OVERLAP).map(([key, value]): [string, unknown] => [`interruptions.${key}`, value]),
    ...Object.entries(idle ?? {}).map(([key, value]): [string, unknown] => [`idle.${key}`, value]),
  ];
  const rows = values.flatMap(([key, value]) => {
    if (typeof value !== 'number') return [];
    const meaning = MEANING[key];
    if (meaning === undefined) throw new Error(`The parameter ${key} has no meaning in the table.`);
    return [`| \`${key}\` | ${value} | ${meaning} |`];
  });
  return ['| parameter | default | meaning |', '|---|---|---|', ...rows].join('\n');
}
