/** What a call's brain has looked up in its persona's documents: lines beside the question, and which of them an answer rests on. */
import type { Citation, FoundPassage, SearchKnowledge } from '../../core/passage';
import { stem } from './relevance';

/** A question this short leans on the one before it ("and for children?"). */
const FOLLOW_UP_WORDS = 4;
/** Of the words of an answer that say something, what a passage must have to be what it rests on. */
const LEAST_SHARE = 0.4;
/** Measured in docs/knowledge.md. */
const SURE_SCORE = 0.55;
const REFUSAL = /\bdo(?: not|n[’']t) have (?:that|this|any)\b/i;

export class LookedUp {
  private earlier = '';
  private last: { readonly asked: string; readonly found: Promise<readonly FoundPassage[]> } | undefined;

  constructor(
    private readonly search: SearchKnowledge | undefined,
    private readonly knowledge: string | undefined,
  ) {}

  get isPossible(): boolean {
    return this.search !== undefined && this.knowledge !== undefined;
  }

  /** Best first. A question that is answered again, or was guessed rightly, is looked up once. */
  async for(question: string): Promise<readonly FoundPassage[]> {
    if (this.search === undefined || this.knowledge === undefined || question.trim() === '') return [];
    const isShort = question.trim().split(/\s+/).length <= FOLLOW_UP_WORDS;
    const asked = isShort && this.earlier !== '' ? `${this.earlier} ${question}` : question;
    if (this.last?.asked !== asked) this.last = { asked, found: this.search(this.knowledge, asked) };
    return this.last.found;
  }

  /** `question` was answered, with something found. */
  answered(question: string): void {
    this.earlier = question;
  }
}

/**
 * What may be said word for word where the model would refuse: only what is surely about the question. A small model was taught that what
 * its persona does not list it does not know; the documents do.
 */
export function quoteOf(found: readonly FoundPassage[]): string | undefined {
  const [best] = found;
  return best !== undefined && best.score >= SURE_SCORE ? best.passage : undefined;
}

/** How a passage is read beside the question: its nearest heading says what "it" is. */
export function lineOf({ heading, passage }: Citation): string {
  const nearest = heading?.split(' > ').at(-1);
  return nearest === undefined || /^page \d+$/.test(nearest) ? passage : `${nearest}: ${passage}`;
}

/** Those of `given` whose words the answer has said, the one with most of them first; none of a refusal. */
export function citedIn(answer: string, given: readonly FoundPassage[]): Citation[] {
  const said = wordsOf(answer);
  if (said.size === 0 || REFUSAL.test(answer)) return [];
  const shared = given
    .map((passage) => ({ passage, words: sharedWords(said, passage) }))
    .sort((a, b) => b.words.length - a.words.length);
  const covered = new Set<string>();
  const cited: Citation[] = [];
  for (const { passage: found, words } of shared) {
    // A row beside the row that was said has the same words, and adds none.
    if (words.length / said.size < LEAST_SHARE || words.every((word) => covered.has(word))) continue;
    for (const word of words) covered.add(word);
    const { file, heading, passage } = found;
    cited.push({ file, ...(heading === undefined ? {} : { heading }), passage });
  }
  return cited;
}

function sharedWords(said: ReadonlySet<string>, { heading = '', passage }: FoundPassage): string[] {
  const has = wordsOf(`${heading} ${passage}`);
  return [...said].filter((word) => has.has(word));
}

/** Figures, and words of more than three letters. */
function wordsOf(text: string): Set<string> {
  const words = text.toLowerCase().match(/\p{N}+|\p{L}{4,}/gu) ?? [];
  return new Set(words.map(stem));
}
