/**
 * What a tool needs to know, asked for piece by piece and read back: a pure table beside the model, which may answer questions in between.
 *
 *   asking ──a value that fits──▶ asking the next … ──all there──▶ confirming ──yes──▶ filled
 *     │  ▲                                                │   ▲
 *     │  └─────no, and which piece──────────────────────────┘   └──no, and its new value
 *     ├──what is no value: asked again; after the third time──▶ given-up
 *     ├──a question──▶ left to the model, asked again after its answer
 *     └──"never mind"──▶ given-up
 */
import { checkAgainst, type JsonSchema } from '../../core/json-schema';
import type { Tool } from '../../core/tool';
import { holdsWord, wordsOf, yesOrNo } from '../spoken-choice';
import { SLOT_KINDS, type SlotKind, type SlotValue, speakable, valueIn } from './spoken-value';

export interface Slot {
  readonly name: string;
  /** How callers call it: `title` of the property, or its name. */
  readonly title: string;
  readonly question: string;
  readonly kind: SlotKind;
  readonly schema: JsonSchema;
}

export interface Form {
  readonly slots: readonly Slot[];
  /** Read back before the tool is called. */
  readonly confirm: boolean;
}

export type Values = Readonly<Record<string, SlotValue>>;

export type FormState =
  | { readonly name: 'asking'; readonly slot: number; readonly misses: number; readonly values: Values }
  | { readonly name: 'confirming'; readonly misses: number; readonly values: Values }
  | { readonly name: 'filled'; readonly values: Values }
  | { readonly name: 'given-up'; readonly values: Values };

/** `say` undefined: the words are the model's to answer. */
export interface FormStep {
  readonly state: FormState;
  readonly say: string | undefined;
}

const MOST_MISSES = 3;
const GIVEN_UP = 'I am sorry, I could not get that. Shall I connect you to a colleague?';
const NEVER_MIND = 'All right, I leave it at that. Can I do anything else for you?';
const QUITS = /\b(never ?mind|forget (it|about it)|cancel that|stop that|leave it)\b/i;
/** Values that are another thing than the words that were said; others are taken as they are. */
const WRITTEN: Readonly<Partial<Record<SlotKind, RegExp>>> = {
  digits: /^\d+$/,
  phone: /^\+?\d+$/,
  date: /^\d{4}-\d\d-\d\d$/,
  time: /^\d\d:\d\d$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d$/,
};
const ASKS = /\?\s*$|^\W*(what|when|where|who|why|how|which|do you|are you|can you|could you|is there)\b/i;

/** undefined: the tool asks for nothing (`x-ask`). */
export function formOf({ parameters, confirm = false }: Tool): Form | undefined {
  const properties = parameters?.['properties'];
  if (typeof properties !== 'object' || properties === null) return undefined;
  const slots = Object.entries(properties).flatMap(([name, schema]: [string, JsonSchema]): Slot[] => {
    const question = schema['x-ask'];
    if (typeof question !== 'string') return [];
    const title = typeof schema['title'] === 'string' ? schema['title'] : name.replace(/[_-]/g, ' ');
    return [{ name, title, question, kind: kindOf(schema), schema }];
  });
  return slots.length === 0 ? undefined : { slots, confirm };
}

/** `given`: what the brain has gathered from the words that began it, on the day `today`; of that, what fits. */
export function openForm(form: Form, today: string, given: Readonly<Record<string, unknown>> = {}): FormStep {
  const values: Record<string, SlotValue> = {};
  for (const slot of form.slots) {
    const value = gathered(slot, given[slot.name], today);
    if (value !== undefined) values[slot.name] = value;
  }
  return goOn(form, values);
}

/** The built-in brain gathers words ("tomorrow at two"), another one may have read them already. */
function gathered(slot: Slot, value: unknown, today: string): SlotValue | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const written = WRITTEN[slot.kind];
  if (typeof value === 'string' && written?.test(value) === false) return valueFor(slot, value, today);
  return fits(slot.schema, value) ? value : undefined;
}

export function hear(form: Form, state: FormState, text: string, today: string): FormStep {
  if (state.name === 'filled' || state.name === 'given-up') return { state, say: undefined };
  if (QUITS.test(text)) return { state: { name: 'given-up', values: state.values }, say: NEVER_MIND };
  return state.name === 'asking' ? answered(form, state, text, today) : judged(form, state, text, today);
}

/** What is said once the model has answered a question in between. */
export function question(form: Form, state: FormState): string | undefined {
  if (state.name === 'asking') return form.slots[state.slot]?.question;
  return state.name === 'confirming' ? readBack(form, state.values) : undefined;
}

function answered(form: Form, state: Extract<FormState, { name: 'asking' }>, text: string, today: string): FormStep {
  const slot = form.slots[state.slot];
  if (slot === undefined) return goOn(form, state.values);
  const value = ASKS.test(text) && slot.kind === 'text' ? undefined : valueFor(slot, text, today);
  if (value !== undefined) return goOn(form, { ...state.values, [slot.name]: value });
  if (ASKS.test(text)) return { state, say: undefined };
  const misses = state.misses + 1;
  if (misses >= MOST_MISSES) return { state: { name: 'given-up', values: state.values }, say: GIVEN_UP };
  return { state: { ...state, misses }, say: `Sorry, I did not get that. ${slot.question}` };
}

function judged(form: Form, state: Extract<FormState, { name: 'confirming' }>, text: string, today: string): FormStep {
  const { values } = state;
  const named = form.slots.findIndex(({ title }) => wordsOf(title).every((word) => holdsWord(text, word)));
  const slot = form.slots[named];
  const answer = yesOrNo(text);
  if (slot === undefined) {
    if (answer === 'yes') return { state: { name: 'filled', values }, say: undefined };
    if (ASKS.test(text) && answer === undefined) return { state, say: undefined };
    const misses = state.misses + 1;
    if (misses > MOST_MISSES) return { state: { name: 'given-up', values }, say: GIVEN_UP };
    const pieces = form.slots.map(({ title }) => `the ${title}`);
    const choices = pieces.length > 1 ? `${pieces.slice(0, -1).join(', ')} or ${pieces.at(-1)}` : (pieces[0] ?? '');
    const say = answer === 'no' ? `What is wrong: ${choices}?` : `Sorry. ${readBack(form, values)}`;
    return { state: { ...state, misses }, say };
  }
  // "No, the time is three": the piece and what it should be.
  const rest = slot.kind === 'text' && !/\bis\b/i.test(text) ? undefined : valueFor(slot, text, today);
  if (rest !== undefined && rest !== values[slot.name]) return goOn(form, { ...values, [slot.name]: rest });
  if (answer === 'yes') return { state: { name: 'filled', values }, say: undefined };
  return { state: { name: 'asking', slot: named, misses: 0, values }, say: slot.question };
}

function goOn(form: Form, values: Values): FormStep {
  const missing = form.slots.findIndex(({ name }) => values[name] === undefined);
  const slot = form.slots[missing];
  if (slot !== undefined) return { state: { name: 'asking', slot: missing, misses: 0, values }, say: slot.question };
  if (!form.confirm) return { state: { name: 'filled', values }, say: undefined };
  return { state: { name: 'confirming', misses: 0, values }, say: readBack(form, values) };
}

function readBack({ slots }: Form, values: Values): string {
  const pieces = slots.map(({ name, title, kind }) => `${title}: ${speakable(values[name] ?? '', kind)}`);
  return `I have ${pieces.join('. ')}. Is that right?`;
}

function valueFor({ kind, schema }: Slot, text: string, today: string): SlotValue | undefined {
  const listed = schema['enum'];
  const value = valueIn(text, kind, today, Array.isArray(listed) ? listed.map(String) : []);
  return value !== undefined && fits(schema, value) ? value : undefined;
}

function fits(schema: JsonSchema, value: SlotValue): boolean {
  const known = alone.get(schema) ?? { type: 'object', properties: { value: schema } };
  alone.set(schema, known);
  return checkAgainst(known, { value }).ok;
}
const alone = new WeakMap<JsonSchema, JsonSchema>();

function kindOf(schema: JsonSchema): SlotKind {
  const written = SLOT_KINDS.find((kind) => kind === schema['x-say']);
  if (written !== undefined) return written;
  if (Array.isArray(schema['enum'])) return 'choice';
  if (schema['type'] === 'boolean') return 'yes-no';
  return schema['type'] === 'integer' || schema['type'] === 'number' ? 'number' : 'text';
}
