/** The documents of a knowledge folder as passages. A file that cannot be read is a coded fault beside the others, never an end. */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { TrunklineError } from '../core/errors';
import { markdownPassages, type Passage, plainPassages } from './chunker';
import { pdfPages } from './pdf-text';

export const MAX_FILES = 2_000;
export const MAX_FILE_BYTES = 20 * 1024 * 1024;
export const MAX_PASSAGES = 50_000;

export interface KnowledgeFault {
  /** '' for the folder itself. */
  readonly file: string;
  readonly code: string;
  readonly message: string;
  readonly fix: string | undefined;
}

export interface FolderContent {
  readonly files: number;
  readonly passages: readonly Passage[];
  readonly faults: readonly KnowledgeFault[];
}

type Reader = (file: string, bytes: Uint8Array) => Promise<Passage[]>;

const readers: Readonly<Record<string, Reader>> = {
  '.md': async (file, bytes) => markdownPassages(file, textOf(bytes)),
  '.markdown': async (file, bytes) => markdownPassages(file, textOf(bytes)),
  '.txt': async (file, bytes) => plainPassages(file, textOf(bytes)),
  '.pdf': async (file, bytes) => {
    const pages = await pdfPages(bytes);
    return pages.flatMap((text, at) => plainPassages(file, text, pages.length > 1 ? `page ${at + 1}` : ''));
  },
};

export const knowledgeEndings: readonly string[] = Object.keys(readers);

/** Subfolders too; hidden files and other endings are passed over. In the order of the names. */
export async function readKnowledgeFolder(folder: string): Promise<FolderContent> {
  const faults: KnowledgeFault[] = [];
  const passages: Passage[] = [];
  let files = 0;
  for await (const path of documentsIn(folder, faults)) {
    const file = relative(folder, path).split(sep).join('/');
    if (files >= MAX_FILES || passages.length >= MAX_PASSAGES) {
      const fix = 'Split the folder by persona, or leave out what nobody asks for.';
      faults.push(faultOf('', new TrunklineError('knowledge.too-much', `${folder} holds more than is read.`, { fix })));
      break;
    }
    files += 1;
    try {
      const found = await readDocument(path, file);
      if (found.length === 0) throw noText(file);
      passages.push(...found.slice(0, MAX_PASSAGES - passages.length));
    } catch (error) {
      faults.push(faultOf(file, error));
    }
  }
  if (files === 0 && faults.length === 0) {
    const fix = `Put ${knowledgeEndings.join(', ')} files there; until then the agent knows its facts alone.`;
    faults.push(faultOf('', new TrunklineError('knowledge.empty', `${folder} holds no document.`, { fix })));
  }
  return { files, passages: withoutRepeats(passages), faults };
}

/** What a passage is, wherever it stands: kept vectors are found by it. */
export function passageHash({ file, heading, text }: Passage): string {
  return createHash('sha256').update([file, heading, text].join('\0')).digest('hex');
}

async function* documentsIn(folder: string, faults: KnowledgeFault[]): AsyncGenerator<string> {
  let entries: Awaited<ReturnType<typeof entriesOf>>;
  try {
    entries = await entriesOf(folder);
  } catch (cause) {
    faults.push(faultOf('', unreadable(folder, cause)));
    return;
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* documentsIn(path, faults);
    else if (entry.isFile() && readers[extname(entry.name).toLowerCase()] !== undefined) yield path;
  }
}

async function entriesOf(folder: string) {
  return (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readDocument(path: string, file: string): Promise<Passage[]> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  if (size > MAX_FILE_BYTES) {
    throw new TrunklineError('knowledge.too-large', `${file} is larger than ${MAX_FILE_BYTES / 1024 / 1024} MB.`, {
      fix: 'Split it; pictures in a PDF say nothing on the telephone.',
    });
  }
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  return readers[extname(path).toLowerCase()]!(file, bytes);
}

/** UTF-8, or UTF-16 that says so. */
function textOf(bytes: Uint8Array): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  const text = new TextDecoder(encoding).decode(bytes);
  if (!text.includes('\0')) return text;
  throw new TrunklineError('knowledge.no-text', 'It holds bytes that no text has.', {
    fix: 'Save it as UTF-8 text.',
  });
}

/** The same sentence on every page is one passage. */
function withoutRepeats(passages: readonly Passage[]): Passage[] {
  const seen = new Set<string>();
  return passages.filter((passage) => {
    const hash = passageHash(passage);
    return seen.has(hash) ? false : Boolean(seen.add(hash));
  });
}

function noText(file: string): TrunklineError {
  return new TrunklineError('knowledge.no-text', `${file} holds no text.`, {
    fix: 'A scanned PDF is a picture: recognise its text first.',
  });
}

function unreadable(path: string, cause: unknown): TrunklineError {
  return new TrunklineError('knowledge.unreadable', `${path} cannot be read.`, {
    fix: 'Give the agent permission to read it.',
    cause,
  });
}

function faultOf(file: string, error: unknown): KnowledgeFault {
  if (error instanceof TrunklineError) return { file, code: error.code, message: error.message, fix: error.fix };
  return { file, code: 'knowledge.unreadable', message: String(error), fix: undefined };
}
