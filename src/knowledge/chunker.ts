/**
 * Cuts a document into passages that a small model can answer from: a sentence or a few, never across headings, each
 * with the headings above it. Markdown as of CommonMark, as far as it matters for what is said; any text is accepted.
 */

/** A sentence, or two short ones: a fact of a persona has some 60 characters, and what is quoted must be short to be heard. */
export const MAX_PASSAGE_CHARACTERS = 140;
const MAX_HEADING_CHARACTERS = 120;
/** Of a line that ends with a colon and goes with each item of the list behind it. */
const MAX_INTRO_CHARACTERS = 70;

export interface Passage {
  readonly file: string;
  /** '' for none; `Rooms > Family rooms`. */
  readonly heading: string;
  readonly text: string;
}

/** What belongs together in a document: a paragraph, an item of a list, a row of a table. */
interface Block {
  readonly heading: string;
  readonly text: string;
  /** An item or a row: whatever stands beside it says something else. */
  readonly alone: boolean;
}

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

export function markdownPassages(file: string, source: string): Passage[] {
  return passagesOf(file, markdownBlocks(source));
}

/** Plain text and the text of a PDF: an empty line parts paragraphs, everything else is a line break of the page. */
export function plainPassages(file: string, source: string, heading = ''): Passage[] {
  const blocks = source
    .replace(/\r\n?/g, '\n')
    // A word that was cut at the end of a line.
    .replace(/(\p{Ll})[-\u00ad]\n(?=\p{Ll})/gu, '$1')
    .split(/\n[^\S\n]*\n/)
    .map((text) => ({ heading: clip(heading), text: oneLine(text), alone: false }));
  return passagesOf(file, blocks);
}

function passagesOf(file: string, blocks: readonly Block[]): Passage[] {
  const passages: Passage[] = [];
  for (const { heading, text, alone } of introduced(blocks)) {
    let passage = '';
    const put = () => {
      if (passage !== '') passages.push({ file, heading, text: passage });
      passage = '';
    };
    for (const sentence of alone && text.length <= MAX_PASSAGE_CHARACTERS ? [text] : sentencesOf(text)) {
      const joined = passage === '' ? sentence : `${passage} ${sentence}`;
      if (joined.length > MAX_PASSAGE_CHARACTERS) put();
      passage = passage === '' ? sentence : `${passage} ${sentence}`;
    }
    put();
  }
  return passages;
}

/** "We rent:" says nothing by itself, and neither does "two canoes": the line before a list goes with each of its items. */
function introduced(blocks: readonly Block[]): Block[] {
  const whole: Block[] = [];
  let intro: Block | undefined;
  let used = true;
  const drop = () => {
    if (intro !== undefined && !used) whole.push(intro);
    intro = undefined;
  };
  for (const block of blocks) {
    if (block.text === '') continue;
    if (!block.alone || block.heading !== intro?.heading) drop();
    if (!block.alone && block.text.endsWith(':') && block.text.length <= MAX_INTRO_CHARACTERS) {
      intro = block;
      used = false;
    } else if (block.alone && intro !== undefined) {
      used = true;
      whole.push({ ...block, text: `${intro.text} ${block.text}` });
    } else whole.push(block);
  }
  drop();
  return whole;
}

function sentencesOf(text: string): string[] {
  const found: string[] = [];
  for (const { segment } of sentences.segment(text)) {
    const sentence = segment.trim();
    if (sentence !== '') found.push(...cut(sentence));
  }
  return found;
}

/** A sentence beyond all bounds, between two words where that is possible. */
function cut(sentence: string): string[] {
  const pieces: string[] = [];
  let rest = sentence;
  while (rest.length > MAX_PASSAGE_CHARACTERS) {
    const blank = rest.lastIndexOf(' ', MAX_PASSAGE_CHARACTERS);
    let at = blank > 0 ? blank : MAX_PASSAGE_CHARACTERS;
    // Not between the halves of one character.
    if (blank <= 0 && /[\ud800-\udbff]/.test(rest[at - 1] ?? '')) at -= 1;
    pieces.push(rest.slice(0, at).trim());
    rest = rest.slice(at).trim();
  }
  if (rest !== '') pieces.push(rest);
  return pieces;
}

const FENCE = /^ {0,3}(```+|~~~+)/;
const ATX_HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)$/;
const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
const TABLE_LINE = /^\s*\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*$/;

function markdownBlocks(source: string): Block[] {
  const lines = withoutFrontMatter(source.replace(/\r\n?/g, '\n').replace(/<!--[\s\S]*?(?:-->|$)/g, '')).split('\n');
  const blocks: Block[] = [];
  const headings: string[] = [];
  let open: { lines: string[]; alone: boolean } | undefined;
  const heading = () => clip(headings.filter((text) => text !== undefined && text !== '').join(' > '));
  const put = () => {
    if (open !== undefined)
      blocks.push({ heading: heading(), text: oneLine(open.lines.join('\n')), alone: open.alone });
    open = undefined;
  };
  let fence: string | undefined;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    const fenceHere = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      if (fenceHere?.startsWith(fence) === true) fence = undefined;
      else open?.lines.push(line);
      if (fence === undefined) put();
      continue;
    }
    if (fenceHere !== undefined) {
      put();
      fence = fenceHere;
      open = { lines: [], alone: false };
      continue;
    }
    const atx = ATX_HEADING.exec(line);
    const underlined = /^ {0,3}(=+|-+)[ \t]*$/.exec(line)?.[1];
    const item = ITEM.exec(line);
    if (atx !== null) {
      put();
      headings.length = Math.min(headings.length, atx[1]!.length - 1);
      headings[atx[1]!.length - 1] = plain(atx[2] ?? '');
    } else if (underlined !== undefined && open !== undefined && !open.alone && open.lines.length === 1) {
      const level = underlined.startsWith('=') ? 0 : 1;
      headings.length = Math.min(headings.length, level);
      headings[level] = oneLine(open.lines[0]!);
      open = undefined;
    } else if (line.trim() === '' || RULE.test(line)) put();
    else if (line.includes('|') && TABLE_LINE.test(lines[at + 1] ?? '')) {
      put();
      at = readTable(lines, at, (text) => blocks.push({ heading: heading(), text, alone: true }));
    } else if (item !== null) {
      put();
      open = { lines: [item[1]!], alone: true };
    } else {
      open ??= { lines: [], alone: false };
      open.lines.push(line.replace(/^\s*(?:>[ \t]?)+/, ''));
    }
  }
  put();
  return blocks;
}

/** Each row as it may be said: `Canoe: seats 3 people, price 14 dollars.` Returns the index of its last line. */
function readTable(lines: readonly string[], from: number, put: (text: string) => void): number {
  const cells = (line: string) =>
    line
      .trim()
      .replace(/^\||\|$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => oneLine(cell.replaceAll('\\|', '|')));
  const names = cells(lines[from]!);
  let at = from + 2;
  for (; at < lines.length && lines[at]!.includes('|'); at += 1) {
    const [first = '', ...others] = cells(lines[at]!);
    const said = others.flatMap((cell, column) => {
      const name = names[column + 1] ?? '';
      return cell === '' ? [] : [name === '' ? cell : `${/^\p{Lu}\p{Ll}/u.test(name) ? lowered(name) : name} ${cell}`];
    });
    const row = said.join(', ');
    if (first !== '' || row !== '') put(`${[first, row].filter((part) => part !== '').join(': ')}.`);
  }
  return at - 1;
}

/** "Whole day" inside a sentence. */
function lowered(name: string): string {
  return `${name[0]?.toLowerCase()}${name.slice(1)}`;
}

function withoutFrontMatter(source: string): string {
  return source.replace(/^\ufeff?---\n[\s\S]*?\n---(?:\n|$)/, '');
}

function oneLine(text: string): string {
  return plain(text).replace(/\s+/g, ' ').trim();
}

/** What Markdown writes around words is not said. */
function plain(text: string): string {
  return text
    .replace(/!?\[([^\][]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+"[^"]*")?\)/g, '$1')
    .replace(/!?\[([^\][]+)\]\[[^\][]*\]/g, '$1')
    .replace(/<(https?:[^>\s]+)>/g, '$1')
    .replace(/<\/?[a-zA-Z][^<>]*>/g, ' ')
    .replace(/(\*\*|__|~~)(?=\S)([\s\S]*?\S)\1/g, '$2')
    .replace(/(?<![\p{L}\p{N}*_])([*_])(?=\S)([^*_]*\S)\1(?![\p{L}\p{N}*_])/gu, '$2')
    .replace(/`+([^`]+)`+/g, '$1')
    .replace(/\\([\\`*_{}[\]()#+.!|>~-])/g, '$1')
    .replaceAll('\0', '');
}

function clip(text: string): string {
  return text.length <= MAX_HEADING_CHARACTERS ? text : `${text.slice(0, MAX_HEADING_CHARACTERS - 1).trimEnd()}…`;
}
