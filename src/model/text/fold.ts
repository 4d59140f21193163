/**
 * Folds any text to printable ASCII and the few signs that have a spoken name, one UTF-16 unit for one, so that places
 * in the result are places in the original. What cannot be spoken (emoji, other scripts, control characters, markup)
 * becomes a space.
 */

const EQUIVALENTS: Readonly<Record<string, string>> = {
  '\u2018': "'",
  '\u2019': "'",
  '\u201b': "'",
  '\u02bc': "'",
  '\u0060': "'",
  '\u00b4': "'",
  '\u201c': '"',
  '\u201d': '"',
  '\u201e': '"',
  '\u00ab': '"',
  '\u00bb': '"',
  '\u2010': '-',
  '\u2011': '-',
  '\u2012': '\u2013',
  '\u2015': '\u2014',
  '\u2212': '-',
  '\u00b5': 'u',
  '\u00df': 's',
  '\u00e6': 'e',
  '\u00c6': 'E',
  '\u0153': 'e',
  '\u0152': 'E',
  '\u00f8': 'o',
  '\u00d8': 'O',
  '\u0142': 'l',
  '\u0141': 'L',
  '\u0111': 'd',
  '\u0110': 'D',
  '\u00f0': 'd',
  '\u00fe': 't',
  '\u0131': 'i',
  '\u2044': '/',
  '\u3002': '.',
  '\uff0c': ',',
  '\u00bf': ' ',
  '\u00a1': ' ',
};
const KEPT = new Set('£€¥°²³½¼¾⅓⅔×÷±–—…¢'.split(''));
const PRINTABLE = /[\x21-\x7e]/;
const LATIN_LETTER = /^[A-Za-z]/;

function foldUnit(unit: string): string {
  if (PRINTABLE.test(unit) && unit !== '`') return unit;
  const equivalent = EQUIVALENTS[unit];
  if (equivalent !== undefined) return equivalent;
  if (KEPT.has(unit)) return unit;
  if (unit === '\n' || unit === '\r') return '\n';
  // Only Latin letters with marks: the compatibility forms of other signs would bring back what is left out.
  const code = unit.charCodeAt(0);
  if ((code >= 0xc0 && code < 0x250) || (code >= 0x1e00 && code < 0x1f00)) {
    const base = unit.normalize('NFD')[0] ?? ' ';
    if (LATIN_LETTER.test(base)) return base;
  }
  return ' ';
}

/** Tags, code fences, headings, emphasis, list bullets, table bars: nothing of these is spoken. */
const MARKUP: readonly (readonly [RegExp, (match: string) => string])[] = [
  [/<\/?[a-zA-Z][^<>\n]{0,200}>/g, blank],
  // [label](address): the label is spoken.
  [/\]\([^()\s]{1,300}\)/g, blank],
  [/^[ \t]*(?:[-*+]|#{1,6}|>)[ \t]/gm, blank],
  [/^[ \t]*(?:[-=_*]{3,}|\|[-:| ]+\|)[ \t]*$/gm, blank],
  [/(?<!\w)[*_~|]{1,3}(?=\S)|(?<=\S)[*_~|]{1,3}(?!\w)/g, blank],
  [/[[\]{}\\^<>]/g, blank],
];

function blank(match: string): string {
  return ' '.repeat(match.length);
}

export function fold(text: string): string {
  let folded = '';
  for (let index = 0; index < text.length; index += 1) folded += foldUnit(text[index] ?? ' ');
  for (const [pattern, replace] of MARKUP) folded = folded.replace(pattern, replace);
  return folded;
}
