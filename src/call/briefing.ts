/** What a colleague is told before a caller is handed over: who it is, what they asked, what they were answered; and what to press. */
import { parseSipUri } from '../sip/uri';
import type { Said } from './dialogue';

export interface BriefingFacts {
  /** The caller's address, as signalling has it. */
  readonly from: string;
  readonly said: readonly Said[];
  /** What an application wants to have said instead of the conversation. */
  readonly note?: string | undefined;
  /** The caller is not handed over: the colleague is asked to join. */
  readonly joins?: boolean;
}

/** Of what the caller said, so many turns; the first tells mostly what it is about, the last where it stands. */
const maxQuotes = 3;
/** A sentence or two: who picks up a telephone listens for half a minute. */
const maxQuoteLetters = 140;
/** Shorter ones are "yes", "hello", "thank you". */
const minQuoteWords = 3;

export const KEYS = { take: '1', decline: '2', again: '*' } as const;
export const WHAT_TO_PRESS = `Press ${KEYS.take} to take the call, or ${KEYS.decline} to send it back.`;
const WHAT_TO_PRESS_TO_JOIN = `Press ${KEYS.take} to join the call, or ${KEYS.decline} to stay out of it.`;

export function briefingOf({ from, said, note, joins = false }: BriefingFacts): string {
  const user = parseSipUri(from)?.user ?? '';
  const number = /^\+?\d{3,15}$/.test(user) ? `, calling from ${spelled(user)},` : '';
  return [
    `A caller${number} is on the line for you.`,
    note ?? conversation(said),
    joins ? WHAT_TO_PRESS_TO_JOIN : WHAT_TO_PRESS,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/**
 * The same for a screen: who calls, in the caller's words what was asked, what was answered. Nothing of it is made up: every
 * word is of the call's record.
 */
export function summaryOf({ from, said }: Pick<BriefingFacts, 'from' | 'said'>): string {
  const user = parseSipUri(from)?.user ?? '';
  return `Caller ${/^[\w+.-]{1,64}$/.test(user) ? user : 'unknown'}. ${conversation(said)}`;
}

function conversation(said: readonly Said[]): string {
  const asked = said.filter(({ by, text }) => by === 'caller' && text.split(/\s+/).length >= minQuoteWords);
  const first = asked.slice(0, 1);
  const quotes = [...first, ...asked.slice(1).slice(1 - maxQuotes)].map(({ text }) => quoted(text));
  if (quotes.length === 0) return 'They have not said what it is about.';
  const answer = said.findLast(({ by }) => by === 'agent');
  const answered = answer === undefined ? '' : ` I answered: ${quoted(answer.text)}`;
  return `They said: ${quotes.join(' Then: ')}${answered}`;
}

/** Its beginning, cut behind a word, and ended so that the voice ends. */
function quoted(text: string): string {
  const plain = text.replace(/\s+/g, ' ');
  const cut = plain.length <= maxQuoteLetters ? plain : plain.slice(0, maxQuoteLetters).replace(/\s+\S*$/, '');
  return /[.?!]$/.test(cut) ? cut : `${cut.replace(/[,;:]$/, '')}.`;
}

/** A number is written down digit by digit. */
function spelled(number: string): string {
  return [...number.replace('+', '')].join(' ');
}
