/**
 * Which telephone numbers we may call: the longest prefix of a rule decides (ITU-T E.164). Premium-rate and satellite ranges
 * are closed, and so is every other country once it is known which one is ours, until the operator opens them.
 */
import { parseSipUri, unescapeUser } from '../sip/uri';

export interface DestinationRules {
  /** Our country's code; undefined: as the caller id of the trunk says, else unknown. */
  readonly country?: string | undefined;
  /** Prefixes of numbers, `+4930` or as they are dialled: open though they would be closed. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** ITU-T E.164: codes without a country (satellites, international networks, shared cost, premium rate). */
const worldwide = ['+808', '+870', '+878', '+881', '+882', '+883', '+888', '+979'];

/** Premium-rate ranges of national numbering plans; `outbound.deny` adds more. */
const premium = [
  '+1900',
  '+31900',
  '+31906',
  '+31909',
  '+3290',
  '+3389',
  '+34803',
  '+34806',
  '+34807',
  '+34905',
  '+3690',
  '+3989',
  '+41900',
  '+41901',
  '+41906',
  '+42090',
  '+43900',
  '+43901',
  '+43930',
  '+43931',
  '+43939',
  '+4470',
  '+44871',
  '+44872',
  '+44873',
  '+449',
  '+4590',
  '+46900',
  '+46939',
  '+46944',
  '+47820',
  '+47829',
  '+4870',
  '+49137',
  '+49900',
  '+6119',
];

/** Codes of an exchange: they forward lines, and hide what is dialled behind them. */
const featureCodes = ['*', '#'];
const closed = [...worldwide, ...premium, ...featureCodes];

/** E.164: 1 and 7 are whole codes, these have two digits, all others three. */
const twoDigits = /^(2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

/** Shorter ones are extensions and services of the exchange: they are read as they are dialled. */
const shortestNumber = 7;

/** Digits of a target, with or without `+`, or a feature code; undefined: it is a name. */
export function numberOf(target: string): string | undefined {
  const uri = parseSipUri(target);
  const dialled = uri === undefined ? target.replace(/^tel:/i, '') : unescapeUser(uri.user);
  const bare = (dialled.split(';')[0] ?? '').replace(/[\s().-]/g, '');
  return /^\+?[0-9*#]+$/.test(bare) ? bare : undefined;
}

/** Of `+4930123`, or of a whole From value with such a number: `49`. */
export function countryOf(callerId: string | undefined): string | undefined {
  const digits = /\+([1-9][0-9]{6,14})/.exec(callerId ?? '')?.[1];
  if (digits === undefined) return undefined;
  return /^[17]/.exec(digits)?.[0] ?? twoDigits.exec(digits)?.[0] ?? digits.slice(0, 3);
}

/** As E.164 has it, as far as that can be told without knowing the exchange. */
export function internationalForm(number: string, country: string | undefined): string {
  if (number.startsWith('+') || !/^[0-9]+$/.test(number)) return number;
  const prefix = country === '1' ? /^011/ : /^(00|011)/;
  if (prefix.test(number) && number.length > shortestNumber) return `+${number.replace(prefix, '')}`;
  if (country === undefined || number.length < shortestNumber) return number;
  if (country === '1') return number.length === 11 && number.startsWith('1') ? `+${number}` : `+1${number}`;
  // Italy dials the zero of its area codes from abroad as well.
  return `+${country}${country === '39' ? number : number.replace(/^0/, '')}`;
}

/** The rule that closes it; undefined: it may be called. */
export function closedBy(number: string, rules: DestinationRules): string | undefined {
  const { country } = rules;
  const forms = [number, internationalForm(number, country)];
  const longest = (prefixes: readonly string[]): string | undefined =>
    prefixes
      .filter((prefix) => forms.some((form) => form.startsWith(prefix)))
      .reduce<string | undefined>(
        (best, one) => (best === undefined || one.length > best.length ? one : best),
        undefined,
      );
  const home = country === undefined ? [] : [`+${country}`];
  const shut = longest([...closed, ...rules.deny, ...(country === undefined ? [] : ['+'])]);
  const open = longest([...home, ...rules.allow]);
  return shut !== undefined && shut.length > (open?.length ?? 0) ? shut : undefined;
}
