/** The text of a PDF, page by page, in the order in which it is drawn (pdf.js, by the package unpdf: no pictures, no scripts). */
import { TrunklineError } from '../core/errors';

const MAX_PAGES = 1_000;
/** Two lines further apart than this many line heights are two paragraphs. */
const PARAGRAPH_GAP = 1.7;

/** Rejects with `knowledge.bad-pdf`. */
export async function pdfPages(bytes: Uint8Array): Promise<string[]> {
  // Loaded when there is one: it takes a quarter of a second and a dozen megabytes.
  const { getDocumentProxy } = await import('unpdf');
  try {
    // A copy: pdf.js takes the buffer for itself.
    const document = await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0 });
    try {
      const pages: string[] = [];
      for (let number = 1; number <= Math.min(document.numPages, MAX_PAGES); number += 1) {
        const page = await document.getPage(number);
        const { items } = await page.getTextContent();
        pages.push(joined(items as readonly Item[]));
        page.cleanup();
      }
      return pages;
    } finally {
      await document.loadingTask.destroy();
    }
  } catch (cause) {
    throw new TrunklineError('knowledge.bad-pdf', 'The PDF cannot be read.', {
      fix: 'Open it and save it anew, without a password; the agent goes on without it.',
      cause,
    });
  }
}

interface Item {
  readonly str?: string;
  readonly hasEOL?: boolean;
  readonly height?: number;
  /** A matrix; its last two are the place. */
  readonly transform?: readonly number[];
}

/** Lines as they are printed, an empty one between paragraphs. */
function joined(items: readonly Item[]): string {
  let text = '';
  let lineAt: number | undefined;
  let height = 0;
  for (const { str, hasEOL, height: tall = 0, transform } of items) {
    if (str === undefined) continue;
    const at = transform?.[5];
    if (str.trim() !== '' && at !== undefined) {
      if (lineAt !== undefined && Math.abs(lineAt - at) > PARAGRAPH_GAP * Math.max(height, tall, 1)) text += '\n\n';
      lineAt = at;
      height = tall;
    }
    text += str;
    if (hasEOL === true) text += '\n';
  }
  return text;
}
