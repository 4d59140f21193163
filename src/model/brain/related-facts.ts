/**
 * The facts that the model reads beside a question: those most related to it, or lines for the day that it asks about. One
 * of these belongs to each call, since a short question leans on the one before it.
 */
import type { OpeningDays } from './opening-days';
import type { FactIndex } from './relevance';

/** Facts repeated beside the question. */
const MOST = 2;
/** A question this short leans on the one before it ("and on Sunday?"). */
const FOLLOW_UP_WORDS = 5;

export class RelatedFacts {
  private earlier = '';

  constructor(
    private readonly index: FactIndex,
    private readonly days: OpeningDays,
    private readonly isTool: (line: string) => boolean = () => false,
  ) {}

  /** The best one last: nearest to the answer. */
  to(question: string): string[] {
    const isShort = question.trim().split(/\s+/).length <= FOLLOW_UP_WORDS;
    const found = this.index.related(question, MOST, isShort ? this.earlier : '');
    const best = found.at(-1);
    // "A table for Saturday, please" asks for what is done, not for when we are open.
    if (best !== undefined && this.isTool(best)) return found;
    const ofTheDay = this.days.linesFor(question, best);
    return ofTheDay.length > 0 ? [...found.filter(this.isTool), ...ofTheDay] : found;
  }

  /** `question` was answered. One that leant on the question before it ("thank you", "and on Monday?") does not take its place. */
  answered(question: string): void {
    if (this.index.related(question, MOST).length > 0) this.earlier = question;
  }
}
