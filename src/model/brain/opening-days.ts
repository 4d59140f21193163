/**
 * What a persona's facts say about one day of the week, as a fact of its own: “Tuesday to Friday from 9 am to 7 pm” holds
 * the answer for Thursday only for someone who counts days, which a small language model does badly. Nothing is
 * inferred: a day that no fact mentions has no line.
 */

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;
const DAY = `(?:${DAYS.join('|')})s?`;
const SPAN = `(?:${DAY}(?:\\s*(?:to|through|until|-|–)\\s*${DAY})?|weekdays|(?:the )?weekends?|every day|daily|seven days a week)`;
const SPANS = new RegExp(
  `(?:on |from |between )?(${SPAN}(?:(?:\\s*,\\s*(?:and )?|\\s+and\\s+)(?:on |from )?${SPAN})*)`,
  'gi',
);
const HOURS =
  /(?:from\s+|between\s+)?\S*\d[^,;]*?\s(?:to|until|till|and|-|–)\s[^,;]*?(?:\d\S*(?:\s*[ap]\.?m\.?)?|noon|midnight)/i;
const WORDS_OF_HOURS = /\b(open|opened|opens|opening|close|closed|closes|closing|hours|come|there)\b/i;
/** Words of a subject that stand for the house itself. */
const HOUSE = /^(?:we|it|they|our|opening hours)$/i;

interface DayLine {
  readonly subject: string;
  readonly text: string;
}

export class OpeningDays {
  private readonly lines = new Map<string, DayLine[]>();
  private readonly sources = new Set<string>();

  constructor(facts: readonly string[]) {
    for (const fact of facts) this.read(fact);
  }

  /**
   * The lines that settle `question`, if it names a day and asks for opening hours: either its words say so, or `best`,
   * the fact most related to it, tells opening hours. Empty otherwise.
   */
  linesFor(question: string, best: string | undefined): string[] {
    const days = daysOf(question);
    if (days.length === 0 || days.length > 2) return [];
    const asks = WORDS_OF_HOURS.test(question);
    if (best === undefined ? !asks : !this.sources.has(best)) return [];
    return days.flatMap((day) => {
      const lines = this.lines.get(day) ?? [];
      const named = lines.filter(({ subject }) => isNamed(subject, question));
      // Without a name the house is meant, which is what the first fact of this sort speaks of.
      const chosen = named[0] ?? lines.find(({ subject }) => subject === '') ?? lines[0];
      return chosen === undefined ? [] : [chosen.text];
    });
  }

  private read(fact: string): void {
    let subject = '';
    let state = '';
    for (const sentence of fact.split(/(?<=[a-z0-9)][.!])\s+(?=[A-Z])/)) {
      const plain = sentence.replace(/[.!]+$/, '').trim();
      const spans = [...plain.matchAll(SPANS)].filter(([, days]) => daysOf(days!).length > 0);
      spans.forEach((span, place) => {
        const before = plain.slice(place === 0 ? 0 : spans[place - 1]!.index + spans[place - 1]![0].length, span.index);
        const after = plain.slice(span.index + span[0].length, spans[place + 1]?.index ?? plain.length);
        // What belongs to this span: after its comma it may say so itself, else the words before it do.
        const later = /^(?:(.*?)\s+)?(?:is|are)\s+(open|closed)\b/i.exec(
          after.replace(/^\s*,/, '').split(',')[0]!.trim(),
        );
        const own = place === 0 ? before : before.split(/,|\band\b/).at(-1)!;
        const told =
          later ?? /^(?:(.*?)\s+)?(open|closed)\b/i.exec(own.trim().replace(/\b(?:is|are)\s+(?=open|closed)/i, ''));
        if (told !== null) {
          if (told[1] !== undefined || place === 0) subject = (told[1] ?? '').trim();
          state = told[2]!.toLowerCase();
        } else if (/\bopening hours\b/i.test(before)) state = 'open';
        if (state === '') return;
        const hours = HOURS.exec(after)?.[0]?.trim();
        if (state === 'open' && hours === undefined) return;
        for (const day of daysOf(span[1]!))
          this.add(day, subject, state === 'closed' ? 'closed' : `open ${hours}`, fact);
      });
    }
  }

  private add(day: string, subject: string, said: string, fact: string): void {
    const house = subject === '' || HOUSE.test(subject);
    const who = house ? 'we are' : `${subject[0]!.toLowerCase()}${subject.slice(1)} is`;
    const line = { subject: house ? '' : subject, text: `On ${day} ${who} ${said}.` };
    this.lines.set(day, [...(this.lines.get(day) ?? []), line]);
    this.sources.add(fact);
  }
}

/** Days named in `text`, ranges filled. */
function daysOf(text: string): string[] {
  const lower = text.toLowerCase();
  if (/\b(every day|daily|seven days)\b/.test(lower)) return [...DAYS];
  const found = new Set<string>();
  const range = new RegExp(`(${DAY})\\s*(?:to|through|until|-|–)\\s*(${DAY})`, 'gi');
  for (const [, first, last] of text.matchAll(range)) {
    for (let i = indexOf(first!); ; i = (i + 1) % DAYS.length) {
      found.add(DAYS[i]!);
      if (i === indexOf(last!)) break;
    }
  }
  for (const [day] of text.matchAll(new RegExp(`\\b${DAY}\\b`, 'gi'))) found.add(DAYS[indexOf(day)]!);
  if (/\bweekdays?\b/.test(lower)) for (const day of DAYS.slice(0, 5)) found.add(day);
  if (/\bweekends?\b/.test(lower)) for (const day of DAYS.slice(5)) found.add(day);
  return DAYS.filter((day) => found.has(day));
}

function indexOf(day: string): number {
  return DAYS.findIndex((known) => day.toLowerCase().startsWith(known.toLowerCase()));
}

function isNamed(subject: string, question: string): boolean {
  const words = subject.toLowerCase().match(/[a-z]{3,}/g) ?? [];
  const asked = new Set(question.toLowerCase().match(/[a-z]{3,}/g) ?? []);
  const own = words.filter((word) => word !== 'the' && word !== 'our');
  return (
    own.length > 0 &&
    own.some((word) => asked.has(word)) &&
    own.filter((word) => asked.has(word)).length * 2 >= own.length
  );
}
