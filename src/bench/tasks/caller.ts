/**
 * A caller with an errand, as a pure table: what it says next, from what the agent has just said. It knows a question by its words, as
 * the dialplan has them, and listens to what is read back; it never counts seconds.
 *
 *   greeting ─▶ wish ─▶ answers, by the slot that is asked ─▶ read-back: as wanted ─yes─▶ over ─▶ the next errand, or hangs up
 *                 ▲        │ a question of its own once             │ else: "no, the … is …"
 *                 └────────┘ never mind ─▶ over                     └─ a change of mind, once
 */
import type { Form, Slot } from '../../call/forms/form';
import { speakable } from '../../call/forms/spoken-value';
import { wordsOf } from '../../call/spoken-choice';
import { resolveMoment } from './grade';
import type { Errand } from './script';

export type Line =
  | { readonly do: 'say'; readonly text: string }
  /** More is to come. */
  | { readonly do: 'wait' }
  | { readonly do: 'hang-up'; readonly because: string };

export interface CallerState {
  readonly errand: number;
  readonly wishes: number;
  /** How often each slot was asked for. */
  readonly asked: Readonly<Record<string, number>>;
  readonly corrections: number;
  readonly repeats: number;
  readonly hasAsked: boolean;
  readonly hasChanged: boolean;
  readonly hasInterrupted: boolean;
  /** The caller has agreed, or dropped it. */
  readonly over: boolean;
  readonly lastLine: string;
}

export interface CallerStep {
  readonly state: CallerState;
  readonly line: Line;
}

export interface Errands {
  readonly list: readonly Errand[];
  /** Of every tool of the route. */
  readonly forms: ReadonlyMap<string, Form>;
  /** `2027-03-01` */
  readonly today: string;
}

const MOST_WISHES = 4;
const MOST_CORRECTIONS = 3;
const MOST_REPEATS = 3;
const YES = 'Yes, that is right.';
const NEVER_MIND = 'No, never mind.';
/** Why a caller who is not done hangs up. */
const ENDS = {
  wish: 'its wish was not understood',
  correction: 'it had to correct too often',
  silence: 'nothing came',
  'given-up': 'the agent gave up',
} as const;

const FRESH: Omit<CallerState, 'errand'> = {
  wishes: 0,
  asked: {},
  corrections: 0,
  repeats: 0,
  hasAsked: false,
  hasChanged: false,
  hasInterrupted: false,
  over: false,
  lastLine: '',
};

export const beginning: CallerState = { errand: 0, ...FRESH };

/** The agent has said this to its end, and is quiet. */
export function hearAgent(errands: Errands, state: CallerState, text: string): CallerStep {
  const errand = errandOf(errands, state);
  if (/connect you to a colleague\?/i.test(text)) return hangUp(state, ENDS['given-up']);
  if (!/\?\W*$/.test(text)) return { state, line: { do: 'wait' } };
  const form = errands.forms.get(errand.tool);
  const slot = form?.slots.find((one) => holds(text, one.question));
  if (state.over) {
    // It has not heard the yes, or the no.
    return slot !== undefined || /Is that right\?/.test(text) ? again(state) : next(errands, state);
  }
  if (/Is that right\?\W*$/.test(text)) return judge(errands, state, text);
  if (slot !== undefined) return answer(errand, state, slot);
  if (/What is wrong/.test(text)) return correct(errands, state, wrongIn(errands, state, text) ?? form?.slots[0]);
  const others = [...errands.forms.values()].flatMap(({ slots }) => slots);
  if (others.some((one) => holds(text, one.question))) return say(state, NEVER_MIND);
  const wasAsked = Object.keys(state.asked).length > 0;
  return wasAsked && !/anything else/i.test(text) ? again(state) : wish(errand, state);
}

/** The agent has said nothing for as long as a caller bears it. */
export function hearSilence(errands: Errands, state: CallerState): CallerStep {
  if (state.over) return next(errands, state);
  return Object.keys(state.asked).length > 0 ? again(state) : wish(errandOf(errands, state), state);
}

/** The agent has begun to talk: what the caller says into it, where it is one who does. */
export function interruption(errands: Errands, state: CallerState): CallerStep | undefined {
  const errand = errandOf(errands, state);
  const form = errands.forms.get(errand.tool);
  if (errand.interrupts === undefined || state.hasInterrupted || state.over || form === undefined) return undefined;
  const interrupting = { ...state, hasInterrupted: true };
  const asked = Object.keys(state.asked).length;
  const [first] = form.slots;
  if (errand.interrupts === 'greeting') return state.wishes === 0 ? wish(errand, interrupting) : undefined;
  if (errand.interrupts === 'question') {
    const due = state.wishes > 0 && asked === 0 && first !== undefined;
    return due ? answer(errand, interrupting, first) : undefined;
  }
  return asked === form.slots.length && !state.hasChanged ? change(errand, interrupting) : undefined;
}

/** Word by word: marks are not heard, and "the 1st December" is "the 1st of December". */
function holds(text: string, phrase: string): boolean {
  const words = (said: string) => wordsOf(said).filter((word) => word !== 'of' && word !== 'the');
  return ` ${words(text).join(' ')} `.includes(` ${words(phrase).join(' ')} `);
}

function errandOf({ list }: Errands, { errand }: CallerState): Errand {
  const found = list[errand];
  if (found === undefined) throw new RangeError(`There is no errand ${errand}.`);
  return found;
}

function answer(errand: Errand, state: CallerState, slot: Slot): CallerStep {
  if (errand.refuses?.at === slot.name) return say({ ...state, over: true }, errand.refuses.line);
  const counted = { ...state.asked, [slot.name]: (state.asked[slot.name] ?? 0) + 1 };
  if (errand.asks?.slot === slot.name && !state.hasAsked) {
    return say({ ...state, hasAsked: true, asked: { ...state.asked, [slot.name]: 0 } }, errand.asks.line);
  }
  return say({ ...state, asked: counted }, lineFor(errand, state, slot, (counted[slot.name] ?? 1) - 1));
}

function judge(errands: Errands, state: CallerState, text: string): CallerStep {
  const errand = errandOf(errands, state);
  if (errand.refuses?.at === 'read-back') return say({ ...state, over: true }, errand.refuses.line);
  if (errand.changes !== undefined && !state.hasChanged) return change(errand, state);
  const wrong = wrongIn(errands, state, text);
  return wrong === undefined ? say({ ...state, over: true }, YES) : correct(errands, state, wrong);
}

function change(errand: Errand, state: CallerState): CallerStep {
  return say({ ...state, hasChanged: true }, errand.changes?.line ?? YES);
}

/** "No, the last name is B, R, O, W, N.": by the clearest words that the script has for it. */
function correct(errands: Errands, state: CallerState, slot: Slot | undefined): CallerStep {
  if (slot === undefined || state.corrections >= MOST_CORRECTIONS) return hangUp(state, ENDS.correction);
  const value = lineFor(errandOf(errands, state), state, slot, Number.MAX_SAFE_INTEGER);
  return say({ ...state, corrections: state.corrections + 1 }, `No, the ${slot.title} is: ${value}`);
}

/** The first slot that is not read back as it is wanted. */
function wrongIn(errands: Errands, state: CallerState, text: string): Slot | undefined {
  const { tool, wants } = errandOf(errands, state);
  return errands.forms.get(tool)?.slots.find(({ name, kind }) => {
    const wanted = wants[name];
    if (wanted === undefined) return false;
    const value = kind === 'date-time' ? resolveMoment(wanted, errands.today).replace(' ', 'T') : wanted;
    return !holds(text, speakable(value, kind));
  });
}

function lineFor(errand: Errand, state: CallerState, { name }: Slot, turn: number): string {
  const { changes, answers } = errand;
  const lines = changes?.slot === name && state.hasChanged ? changes.answers : (answers[name] ?? []);
  return lines[Math.min(turn, lines.length - 1)] ?? NEVER_MIND;
}

function wish(errand: Errand, state: CallerState): CallerStep {
  if (state.wishes >= MOST_WISHES) return hangUp(state, ENDS.wish);
  const text = errand.wish[Math.min(state.wishes, errand.wish.length - 1)] ?? '';
  return say({ ...state, wishes: state.wishes + 1 }, text);
}

function again(state: CallerState): CallerStep {
  if (state.repeats >= MOST_REPEATS) return hangUp(state, ENDS.silence);
  return say({ ...state, repeats: state.repeats + 1 }, state.lastLine);
}

function next(errands: Errands, state: CallerState): CallerStep {
  const following: CallerState = { errand: state.errand + 1, ...FRESH };
  const errand = errands.list[following.errand];
  return errand === undefined ? hangUp(state, 'it was done') : wish(errand, following);
}

function say(state: CallerState, text: string): CallerStep {
  return { state: { ...state, lastLine: text }, line: { do: 'say', text } };
}

function hangUp(state: CallerState, because: string): CallerStep {
  return { state, line: { do: 'hang-up', because } };
}
