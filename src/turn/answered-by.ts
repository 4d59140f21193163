/**
 * Who answered a call of ours, a person or a machine, told by how they greet: a person says little and waits, a machine goes on,
 * ends with a beep, or begins with the tones of an intercept. Pure: onsets and ends of speech, tones and words come in,
 * verdicts go out, all on the call's sample clock. What is not sure is never called a machine.
 *
 *   waiting ──speech──▶ greeting ──end──▶ pausing ──long enough──▶ human ──a beep, or words of a mailbox──▶ machine
 *      │                   ▲──────speech──────┘  │
 *      │                   └──too much of it─────┴───────────────▶ machine ──beep, or long silence──▶ over
 *      └──nothing is said──▶ unknown
 */
import type { AnsweredBy, AnswerReason, AnswerRules } from '../core/answer-rules';
import { VAD_SAMPLE_RATE } from './vad';

export type AnswerEvent =
  | { readonly type: 'speech-started'; readonly sample: number }
  | { readonly type: 'speech-ended'; readonly sample: number }
  | {
      readonly type: 'tone';
      readonly state: 'lasting' | 'ended';
      readonly frequencyHz: number;
      readonly durationMs: number;
      readonly endSample: number;
    }
  /** What has been said so far, where there is a recogniser. */
  | { readonly type: 'words'; readonly text: string }
  /** Nothing has come up to `sample`; wanted when `deadlineOf` is reached. */
  | { readonly type: 'time'; readonly sample: number };

export type AnswerVerdict =
  | {
      readonly type: 'answered-by';
      readonly answeredBy: AnsweredBy;
      readonly because: AnswerReason;
      /** Of the greeting, where its end decided. */
      readonly greetingMs: number | undefined;
    }
  /** A machine listens from now on. `beepHz` undefined: there was no beep, it has only fallen silent. */
  | { readonly type: 'records'; readonly beepHz: number | undefined };

interface Tone {
  readonly frequencyHz: number;
  readonly endSample: number;
}

/** `spokeAtSample` undefined: they are silent. */
interface Floor {
  readonly spokeAtSample: number | undefined;
  readonly quietFromSample: number;
}

export type AnswerPhase =
  | { readonly name: 'waiting'; readonly fromSample: number; readonly tones: readonly Tone[] }
  | { readonly name: 'greeting'; readonly fromSample: number; readonly spokeAtSample: number }
  | { readonly name: 'pausing'; readonly fromSample: number; readonly toSample: number }
  | ({ readonly name: 'human'; readonly untilSample: number } & Floor)
  | ({ readonly name: 'machine' } & Floor)
  | { readonly name: 'over' };

export interface AnswerState {
  readonly startSample: number;
  readonly phase: AnswerPhase;
}

export interface AnswerStep {
  readonly state: AnswerState;
  readonly verdicts: readonly AnswerVerdict[];
}

const SAMPLES_PER_MS = VAD_SAMPLE_RATE / 1_000;
/** ITU-T E.180: three tones without a gap. */
const INTERCEPT_HZ = [950, 1_400, 1_800] as const;
/** Around those, by exchanges that were built to other plans. */
const INTERCEPT_SLACK_HZ = 60;
const INTERCEPT_GAP_MS = 400;
/** ITU-T T.30 §4.1.1 (CED), and T.30 §4.1.2 where both ends believe they call (CNG). */
const FAX_ANSWER_HZ = 2_100;
const FAX_SLACK_HZ = 40;
const SHORTEST_BEEP_MS = 120;
/** Of a voice a tone is a part; a beep stands alone. */
const ALONE_SAMPLES = 120 * SAMPLES_PER_MS;

export function initialAnswer(startSample: number): AnswerState {
  return { startSample, phase: { name: 'waiting', fromSample: startSample, tones: [] } };
}

/** When `time` is to come, if nothing else does before; undefined: never. */
export function deadlineOf({ phase, startSample }: AnswerState, rules: AnswerRules): number | undefined {
  const after = (sample: number, ms: number): number => sample + ms * SAMPLES_PER_MS;
  const end = after(startSample, rules.giveUpMs);
  switch (phase.name) {
    case 'waiting': {
      const tone = phase.tones.at(-1);
      return Math.min(end, tone ? after(tone.endSample, INTERCEPT_GAP_MS) : after(phase.fromSample, rules.silenceMs));
    }
    case 'greeting':
      return Math.min(end, after(phase.fromSample, rules.longestGreetingMs));
    case 'pausing':
      return Math.min(end, after(phase.toSample, pauseMs(phase, rules)));
    case 'human':
      return phase.untilSample;
    case 'machine':
      return phase.spokeAtSample !== undefined
        ? end
        : Math.min(end, after(phase.quietFromSample, rules.recordsAfterMs));
    case 'over':
      return undefined;
  }
}

export function stepAnswer(state: AnswerState, event: AnswerEvent, rules: AnswerRules): AnswerStep {
  switch (event.type) {
    case 'speech-started':
      return stay(state, spoke(state.phase, event.sample));
    case 'speech-ended':
      return stay(state, fellSilent(state.phase, event.sample));
    case 'tone':
      return onTone(state, event);
    case 'words':
      return soundsLikeMailbox(event.text) ? onMailboxWords(state) : stay(state, state.phase);
    case 'time':
      return onTime(state, event.sample, rules);
  }
}

/** What people ask: nobody is asked by a machine whether they want to. */
const OFFERED = /\b(like|want|wish|care) to leave\b|\b(can|may|shall|could|should) (i|we) (take|record)\b/;
/** What machines say and people hardly ever do: not that somebody is away, but what to do after a tone. */
const MAILBOX =
  /\b(after|at|wait for) the (tone|beep|signal)\b|\bvoice ?mail\b|\b(mail|message) ?box\b|\b(leave|record) (me |us )?(a|your|the) (brief |short |detailed )?(message|name)\b|\banswering machine\b|\bnot in service\b/;

export function soundsLikeMailbox(text: string): boolean {
  const words = text
    .toLowerCase()
    .replace(/[^a-z' ]+/g, ' ')
    .replace(/ +/g, ' ');
  return MAILBOX.test(words) && !OFFERED.test(words);
}

function spoke(phase: AnswerPhase, sample: number): AnswerPhase {
  switch (phase.name) {
    case 'waiting':
      return { name: 'greeting', fromSample: sample, spokeAtSample: sample };
    case 'pausing':
      return { name: 'greeting', fromSample: phase.fromSample, spokeAtSample: sample };
    case 'human':
    case 'machine':
      return { ...phase, spokeAtSample: sample };
    default:
      return phase;
  }
}

function fellSilent(phase: AnswerPhase, sample: number): AnswerPhase {
  switch (phase.name) {
    case 'greeting':
      return { name: 'pausing', fromSample: phase.fromSample, toSample: sample };
    case 'human':
    case 'machine':
      return { ...phase, spokeAtSample: undefined, quietFromSample: sample };
    default:
      return phase;
  }
}

function onTone(state: AnswerState, tone: Extract<AnswerEvent, { type: 'tone' }>): AnswerStep {
  const { phase } = state;
  if (phase.name === 'over') return stay(state, phase);
  if (tone.state === 'lasting') {
    const { frequencyHz } = tone;
    if (phase.name !== 'waiting' && phase.name !== 'greeting') return stay(state, phase);
    if (Math.abs(frequencyHz - FAX_ANSWER_HZ) <= FAX_SLACK_HZ) return over(state, 'machine', 'fax');
    // It rings on, although somebody has answered: whoever will is still to come.
    return stay(state, { name: 'waiting', fromSample: tone.endSample, tones: [] });
  }
  const fromSample = tone.endSample - tone.durationMs * SAMPLES_PER_MS;
  if (tone.durationMs < SHORTEST_BEEP_MS || !standsAlone(phase, fromSample)) return stay(state, phase);
  const greeted = phase.name === 'greeting' && fromSample - phase.fromSample > ALONE_SAMPLES;
  if (phase.name !== 'waiting' && (phase.name !== 'greeting' || greeted)) return beeped(state, tone);
  const before = phase.name === 'waiting' ? phase.tones : [];
  const tones = [...before, { frequencyHz: tone.frequencyHz, endSample: tone.endSample }].slice(-3);
  if (isIntercept(tones)) return over(state, 'machine', 'intercept');
  return stay(state, { name: 'waiting', fromSample: tone.endSample, tones });
}

/** Nobody has been speaking for a moment before the tone; the detector of speech may take the tone itself for a voice. */
function standsAlone(phase: AnswerPhase, fromSample: number): boolean {
  const spokeAt = 'spokeAtSample' in phase ? phase.spokeAtSample : undefined;
  return spokeAt === undefined || Math.abs(spokeAt - fromSample) < ALONE_SAMPLES;
}

function beeped(state: AnswerState, tone: Tone): AnswerStep {
  const { phase } = state;
  const records: AnswerVerdict = { type: 'records', beepHz: tone.frequencyHz };
  const known = phase.name === 'machine';
  return {
    state: { ...state, phase: { name: 'over' } },
    verdicts: known ? [records] : [verdict(state, 'machine', 'beep'), records],
  };
}

function isIntercept(tones: readonly Tone[]): boolean {
  return (
    tones.length === 3 &&
    INTERCEPT_HZ.every((hz, index) => Math.abs(hz - (tones[index]?.frequencyHz ?? 0)) <= INTERCEPT_SLACK_HZ)
  );
}

function onMailboxWords(state: AnswerState): AnswerStep {
  const { phase } = state;
  switch (phase.name) {
    case 'greeting':
      return machine(state, 'words', { spokeAtSample: phase.spokeAtSample, quietFromSample: phase.spokeAtSample });
    case 'pausing':
      return machine(state, 'words', { spokeAtSample: undefined, quietFromSample: phase.toSample });
    case 'human':
      return machine(state, 'words', phase);
    default:
      return stay(state, phase);
  }
}

function onTime(state: AnswerState, sample: number, rules: AnswerRules): AnswerStep {
  const deadline = deadlineOf(state, rules);
  const { phase } = state;
  if (deadline === undefined || sample < deadline) return stay(state, phase);
  if (sample >= state.startSample + rules.giveUpMs * SAMPLES_PER_MS && phase.name !== 'machine') {
    return phase.name === 'human' ? stay(state, { name: 'over' }) : over(state, 'unknown', 'time-limit');
  }
  switch (phase.name) {
    case 'waiting': {
      const tone = phase.tones.at(-1);
      // One tone and nothing else: a machine without a greeting.
      return tone === undefined ? over(state, 'unknown', 'silence') : beeped(state, tone);
    }
    case 'greeting':
      return machine(state, 'long-greeting', { spokeAtSample: phase.spokeAtSample, quietFromSample: sample });
    case 'pausing': {
      const untilSample = sample + rules.lateBeepMs * SAMPLES_PER_MS;
      const floor: Floor = { spokeAtSample: undefined, quietFromSample: phase.toSample };
      return {
        state: { ...state, phase: { name: 'human', untilSample, ...floor } },
        verdicts: [verdict(state, 'human', 'short-greeting')],
      };
    }
    case 'machine':
      return {
        state: { ...state, phase: { name: 'over' } },
        verdicts: [{ type: 'records', beepHz: undefined }],
      };
    default:
      return stay(state, { name: 'over' });
  }
}

function pauseMs({ fromSample, toSample }: { fromSample: number; toSample: number }, rules: AnswerRules): number {
  const greetingMs = (toSample - fromSample) / SAMPLES_PER_MS;
  return greetingMs <= rules.shortGreetingMs ? rules.shortPauseMs : rules.longPauseMs;
}

function machine(state: AnswerState, because: AnswerReason, { spokeAtSample, quietFromSample }: Floor): AnswerStep {
  return {
    state: { ...state, phase: { name: 'machine', spokeAtSample, quietFromSample } },
    verdicts: [verdict(state, 'machine', because)],
  };
}

function over(state: AnswerState, answeredBy: AnsweredBy, because: AnswerReason): AnswerStep {
  return { state: { ...state, phase: { name: 'over' } }, verdicts: [verdict(state, answeredBy, because)] };
}

function verdict({ phase }: AnswerState, answeredBy: AnsweredBy, because: AnswerReason): AnswerVerdict {
  const greetingMs = phase.name === 'pausing' ? (phase.toSample - phase.fromSample) / SAMPLES_PER_MS : undefined;
  return { type: 'answered-by', answeredBy, because, greetingMs: greetingMs && Math.round(greetingMs) };
}

function stay(state: AnswerState, phase: AnswerPhase): AnswerStep {
  return { state: phase === state.phase ? state : { ...state, phase }, verdicts: [] };
}
