/**
 * What a few words tell about the floor: is this a sign of listening ("mm-hmm"), a wish to speak ("wait", "what …?"), a
 * sentence that goes on ("my number is"), or one that is whole? English word lists, kept apart from the rules that use
 * them (end-of-turn.ts, overlap-judge.ts).
 */

/** Lower case words; apostrophes inside a word stay, everything else that is no letter or digit parts words. */
export function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replace(/[’`]/g, "'")
      .match(/[\p{L}\p{N}]+(?:['-][\p{L}\p{N}]+)*/gu) ?? []
  );
}

/** Signs of listening. They take no turn, alone or in a row. */
const BACKCHANNELS = new Set(
  (
    'mm mmm mhm mhmm mm-hmm mmhmm mm-hm hmm hm uh-huh uhhuh aha ah oh ooh ok okay k yeah yep yup yes ya right sure ' +
    'alright fine good great cool nice gotcha wow really absolutely exactly indeed true perfect mh huh um uh er eh'
  ).split(' '),
);
const BACKCHANNEL_PHRASES = new Set([
  'i see',
  'got it',
  'all right',
  'of course',
  'uh huh',
  'mm hmm',
  'mm hm',
  'i know',
  'oh i see',
  'i understand',
  "that's right",
  'sounds good',
]);

const REPLIES = new Set(
  'no nope not please thanks thank you maybe never always today tomorrow now later goodbye bye'.split(' '),
);

/** Words that ask for the floor, whatever follows. */
const INTERRUPTING = new Set(
  'stop wait no nope sorry excuse pardon hold hang hello hey listen actually but enough cancel quiet shush'.split(' '),
);
const QUESTION = new Set(
  "what what's when when's where where's who who's why how how's which can could do does is are will would may should".split(
    ' ',
  ),
);

/** Sounds of searching for a word. */
const HESITATIONS = new Set('um umm uh uhh uhm er erm hmm hm mm mmm eh ah like'.split(' '));

/** Words that say nothing alone: of "I see", the first is often heard before the second is said. */
const BARE = new Set("i i'm the a an so and well you it it's that that's this to of in on at".split(' '));

/** Words after which an English sentence goes on, whatever punctuation a recogniser puts there. */
const GOES_ON = new Set(
  (
    'and or but because since although though if when while whether who whose than as like with without for from to of ' +
    "at by into onto about between during until under via per plus minus the a an my your his her our their every i'm " +
    "you're we're they're it's there's i'd i'll i've we'd we'll is are was were we he she mister mrs mr ms dr saint dot " +
    'underscore slash versus very'
  ).split(' '),
);
/** Words that may close a sentence as well: then the recogniser has put a mark there. */
const MAY_GO_ON = new Set(
  (
    'so which that on in before after over near its this these those some any each no another am be been being do does ' +
    'did have has had will would can could should may might must i you they then also just maybe please dear ms doctor ' +
    'number dash colon comma not really quite too'
  ).split(' '),
);
const GOES_ON_PHRASES = [
  'my name is',
  'my number is',
  'my phone number is',
  'number is',
  'address is',
  'email is',
  'it is',
  'i want to',
  "i'd like to",
  'i would like to',
  'i need to',
  'do you',
  'can you',
  'could you',
  'is there',
  'are there',
  'let me see',
  'let me think',
  'i mean',
  'you know',
  'hold on',
  'one moment',
  'one second',
  'just a second',
  'just a moment',
  'kind of',
  'sort of',
  'going to',
  'want to',
];

const DIGIT_WORDS = new Set(
  (
    'zero oh o nought one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen ' +
    'seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred double triple'
  ).split(' '),
);

export function isBackchannel(text: string): boolean {
  const words = wordsOf(text);
  if (words.length === 0 || words.length > 4) return false;
  // "Right?" or "okay?" wants an answer.
  if (text.trim().endsWith('?')) return false;
  if (words.every((word) => BACKCHANNELS.has(word))) return true;
  const phrase = words.filter((word) => !BACKCHANNELS.has(word)).join(' ');
  return BACKCHANNEL_PHRASES.has(words.join(' ')) || BACKCHANNEL_PHRASES.has(phrase);
}

/** A word that asks for the floor at once, or the beginning of a question. */
export function wantsFloor(text: string): boolean {
  const words = wordsOf(text);
  if (words.some((word) => INTERRUPTING.has(word))) return true;
  return words.length > 0 && (QUESTION.has(words[0]!) || (words.length >= 2 && text.trim().endsWith('?')));
}

const SUMMONS = new Set('stop wait sorry excuse pardon hang hello hey listen enough cancel quiet shush'.split(' '));

/** "Hello?", "stop": words that call for attention and that a voice in the background rarely says alone. */
export function summons(text: string): boolean {
  return wordsOf(text).some((word) => SUMMONS.has(word));
}

/** Words that carry meaning: neither signs of listening nor searching sounds nor bare beginnings. */
export function meaningfulWords(text: string): string[] {
  return wordsOf(text).filter((word) => !BACKCHANNELS.has(word) && !HESITATIONS.has(word) && !BARE.has(word));
}

/** True when `text` only repeats words that the agent just said: its own voice come back over the line. */
export function repeats(text: string, agentText: string): boolean {
  const words = wordsOf(text);
  if (words.length === 0) return false;
  const agent = wordsOf(agentText);
  const known = new Set(agent);
  const shared = words.filter((word) => known.has(word)).length;
  if (shared / words.length < 0.75) return false;
  if (words.length <= 2) return ` ${agent.join(' ')} `.includes(` ${words.join(' ')} `);
  // In the same order, too: a caller who asks back uses the agent's words, but not its sentence.
  let at = 0;
  let inOrder = 0;
  for (const word of words) {
    const next = agent.indexOf(word, at);
    if (next >= 0 && next - at <= 4 + words.length) {
      inOrder += 1;
      at = next + 1;
    }
  }
  return inOrder / words.length >= 0.75;
}

export type Ending =
  | 'question'
  | 'answer'
  | 'statement'
  | 'unpunctuated'
  | 'digits'
  | 'goes-on'
  | 'hesitates'
  | 'nothing';

/** How the words said so far end. Punctuation is the recogniser's. */
export function endingOf(text: string): Ending {
  const trimmed = text.trim();
  const words = wordsOf(trimmed);
  const last = words.at(-1);
  if (last === undefined) return 'nothing';
  if (HESITATIONS.has(last) && !(words.length === 1 && BACKCHANNELS.has(last) && /[.!?]$/.test(trimmed)))
    return 'hesitates';
  const phrase = ` ${words.join(' ')}`;
  if (GOES_ON_PHRASES.some((start) => phrase.endsWith(` ${start}`))) return 'goes-on';
  if (/(\.\.\.|…|[-–—,:;])$/.test(trimmed)) return trailingDigits(words) > 0 ? 'digits' : 'goes-on';
  const question = trimmed.endsWith('?');
  const marked = /[.!?]["')]*$/.test(trimmed);
  // "Where are you from?", but "And?" wants more.
  if (GOES_ON.has(last) && !(question && words.length > 2)) return 'goes-on';
  if (MAY_GO_ON.has(last) && !marked) return 'goes-on';
  if (trailingDigits(words) > 0 || spelledLetters(words) > 0) return 'digits';
  if (question) return 'question';
  if (words.length <= 3) return 'answer';
  return marked ? 'statement' : 'unpunctuated';
}

/** Digits at the end: "five five five, oh one" is 5, "555-0123" is 7. */
export function trailingDigits(words: readonly string[]): number {
  let digits = 0;
  for (let i = words.length - 1; i >= 0; i -= 1) {
    const word = words[i]!;
    const figures = word.replace(/\D/g, '').length;
    if (figures > 0 && !/\p{L}{3,}/u.test(word)) digits += figures;
    else if (DIGIT_WORDS.has(word)) digits += 1;
    else break;
  }
  return digits;
}

/** Single letters at the end, spoken or written "S-M-I-T-H". */
export function spelledLetters(words: readonly string[]): number {
  let letters = 0;
  for (let i = words.length - 1; i >= 0; i -= 1) {
    const word = words[i]!;
    if (/^\p{L}$/u.test(word)) letters += 1;
    else if (/^\p{L}(-\p{L})+$/u.test(word)) letters += word.split('-').length;
    else break;
  }
  return letters;
}

/** The agent asked for something that is said piece by piece. */
export function asksForDigits(agentText: string): boolean {
  return /\b(number|phone|digits?|code|spell|spelling|e-?mail|address|postcode|zip|date of birth|account|reference)\b/i.test(
    agentText,
  );
}

const ANNOUNCES_PIECES =
  /\b(number|phone|digits?|code|account|reference|spell(ed|ing|s)?|e-?mail|postcode|zip|reach me (at|on|under)|call me (at|on|back at))\b/i;
/** Words said after such an announcement that may still be the announcement. */
const ANNOUNCEMENT_WORDS = 5;

/** "You can reach me at", "it is spelled", "my number is Cleveland": digits or letters follow, heard rightly or not. */
export function announcesPieces(text: string): boolean {
  const match = ANNOUNCES_PIECES.exec(text);
  if (match === null || text.trim().endsWith('?')) return false;
  return wordsOf(text.slice(match.index + match[0].length)).length <= ANNOUNCEMENT_WORDS;
}

/** Slow speech takes this for a syllable; digits and letters said one by one take more. */
const SLOW_SYLLABLE_MS = 240;
const SPEECH_EDGES_MS = 250;

/**
 * Speech that `text` does not account for even when spoken slowly, milliseconds, 0 if none: words that the recogniser
 * left out, or letters and digits that it took for fewer words.
 */
export function unexplainedMs(text: string, speechMs: number): number {
  const syllables = wordsOf(text).reduce((sum, word) => sum + syllablesOf(word), 0);
  return Math.max(0, speechMs - SPEECH_EDGES_MS - SLOW_SYLLABLE_MS * syllables);
}

/** Groups of vowels, a silent e at the end left out; a figure counts as a word of one syllable and a bit. */
function syllablesOf(word: string): number {
  const figures = word.replace(/\D/g, '').length;
  if (figures > 0) return 1.5 * figures;
  const groups = word.replace(/(?<=[^aeiouyl])e$/, '').match(/[aeiouy]+/g)?.length ?? 0;
  return Math.max(1, groups);
}

/** Said in full, "yes" and the like need no mark of the recogniser to be whole. */
export function isShortReply(text: string): boolean {
  const words = wordsOf(text);
  return words.length > 0 && words.every((word) => BACKCHANNELS.has(word) || REPLIES.has(word));
}

/**
 * What was not heard of `text`, from the beginning of the sentence that was cut. An unfinished last sentence is left
 * out when the text was still being written.
 */
export function remainderOf(text: string, heardText: string, whole: boolean): string {
  const heard = wordsOf(heardText).length;
  // Marks that follow one another ("no!' ?") belong to the sentence before: nothing between two sentences is lost.
  const sentences = text.match(/[^.!?…]+(?:[.!?…]+["')\]]*\s*)*/gu) ?? [];
  let words = 0;
  const rest: string[] = [];
  for (const sentence of sentences) {
    words += wordsOf(sentence).length;
    if (words <= heard) continue;
    if (!whole && !/[.!?…]["')\]]*\s*$/u.test(sentence)) continue;
    rest.push(sentence);
  }
  return rest.join('').trim();
}
