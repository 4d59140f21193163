/** Which route takes a call, and why the ones before it did not: the first match in file order wins. */
import { type Action, type Dialplan, noRoute, type Route } from './dialplan';
import type { MatchRule, TimeWindow } from './schema';

/** What is known of a call before it is answered. */
export interface CallFacts {
  readonly number: string;
  readonly caller: string;
  readonly trunk?: string | undefined;
  /** The Accept-Language header as it came. */
  readonly language?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly at: Date;
}

export interface RoutingDecision {
  /** Undefined: nothing matched, and the call is refused with 404. */
  readonly route: Route | undefined;
  readonly action: Action;
  /** The routes that were passed over, with the first thing that did not fit. */
  readonly passedOver: readonly { readonly route: Route; readonly because: string }[];
}

export function chooseRoute(plan: Dialplan, call: CallFacts): RoutingDecision {
  const passedOver: { route: Route; because: string }[] = [];
  for (const route of plan.routes) {
    const because = mismatch(route.match, call);
    if (because === undefined) return { route, action: route.action, passedOver };
    passedOver.push({ route, because });
  }
  return { route: undefined, action: noRoute, passedOver };
}

/** The first condition that does not hold, in words; undefined when all do. */
export function mismatch(rule: MatchRule, call: CallFacts): string | undefined {
  if (!fits(rule.number, call.number)) return `the number is not ${listed(rule.number)}`;
  if (!fits(rule.caller, call.caller)) return `the caller is not ${listed(rule.caller)}`;
  if (rule.trunk !== undefined && !fits(rule.trunk, call.trunk ?? '')) return `the trunk is not ${listed(rule.trunk)}`;
  for (const [name, patterns] of Object.entries(rule.headers ?? {})) {
    const value = headerValue(call.headers, name);
    if (value === undefined) return `there is no header ${name}`;
    if (!fits(patterns, value)) return `the header ${name} is not ${listed(patterns)}`;
  }
  if (rule.language !== undefined && !speaks(rule.language, call.language)) {
    return `the language is not ${listed(rule.language)}`;
  }
  if (rule.time !== undefined && !withinWindow(rule.time, call.at)) return 'the time is outside the window';
  return undefined;
}

/** `*` is any run of characters, `?` any one. Linear in both lengths, whatever the pattern: no expression is compiled. */
export function matchesPattern(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = text.toLowerCase();
  let patternAt = 0;
  let textAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (textAt < given.length) {
    // The star is looked at first: a called number may itself hold a star.
    if (wanted[patternAt] === '*') {
      starAt = patternAt++;
      resumeAt = textAt;
    } else if (patternAt < wanted.length && (wanted[patternAt] === '?' || wanted[patternAt] === given[textAt])) {
      patternAt++;
      textAt++;
    } else if (starAt >= 0) {
      patternAt = starAt + 1;
      textAt = ++resumeAt;
    } else {
      return false;
    }
  }
  while (wanted[patternAt] === '*') patternAt++;
  return patternAt === wanted.length;
}

export function withinWindow(window: TimeWindow, at: Date): boolean {
  const { day, minutes } = localTime(window.timezone, at);
  const from = minutesOf(window.from ?? '00:00');
  const to = window.to === undefined ? 24 * 60 : minutesOf(window.to);
  const dayFits = (name: string): boolean => window.days === undefined || window.days.some((wanted) => wanted === name);
  if (from < to) return minutes >= from && minutes < to && dayFits(day);
  // Across midnight the day is the one on which the window opened.
  if (minutes >= from) return dayFits(day);
  return minutes < to && dayFits(dayBefore(day));
}

const weekDays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function dayBefore(day: string): string {
  return weekDays[(weekDays.indexOf(day) + 6) % 7]!;
}

function localTime(timeZone: string, at: Date): { day: string; minutes: number } {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((found) => found.type === type)?.value ?? '';
  return { day: part('weekday').toLowerCase(), minutes: Number(part('hour')) * 60 + Number(part('minute')) };
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

function fits(patterns: string | readonly string[] | undefined, text: string): boolean {
  if (patterns === undefined) return true;
  return asList(patterns).some((pattern) => matchesPattern(pattern, text));
}

/** RFC 4647 basic filtering over the ranges of Accept-Language; what the caller refuses with q=0 does not count. */
function speaks(wanted: string | readonly string[], accepted: string | undefined): boolean {
  const tags = (accepted ?? '')
    .split(',')
    .map((range) =>
      range
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    )
    .filter(([tag, quality]) => tag !== '' && !/^q=0(\.0*)?$/.test(quality ?? ''))
    .map(([tag]) => tag ?? '');
  return asList(wanted).some((language) => {
    const prefix = language.toLowerCase();
    return tags.some((tag) => tag === prefix || tag.startsWith(`${prefix}-`));
  });
}

function headerValue(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return Object.entries(headers).find(([found]) => found.toLowerCase() === wanted)?.[1];
}

function asList(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

function listed(patterns: string | readonly string[] | undefined): string {
  return asList(patterns ?? []).join(' or ');
}
