/** YAML 1.2 read against a schema: every fault is told with its file, line, path, and what was expected there. */
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { describeIssues, pathText } from './described-issues';
import { type ErrorCode, TrunklineError } from './errors';

export interface YamlFault {
  readonly file: string;
  readonly line: number;
  /** `routes[2].action.status`; '' for the document itself. */
  readonly path: string;
  readonly message: string;
}

export type CheckedYaml<T> =
  | { readonly ok: true; readonly value: T; lineOf(path: readonly PropertyKey[]): number }
  | { readonly ok: false; readonly faults: readonly YamlFault[] };

const largestDocumentCharacters = 1_048_576;
/** An alias bomb ("billion laughs") multiplies each of these; honest files need a handful. */
const mostAliases = 50;

export function readCheckedYaml<T>(text: string, file: string, schema: z.ZodType<T>): CheckedYaml<T> {
  const oneFault = (message: string, line = 1): CheckedYaml<T> => ({
    ok: false,
    faults: [{ file, line, path: '', message }],
  });
  if (text.length > largestDocumentCharacters) return oneFault('Expected a file of at most 1 MiB.');
  const lines = new LineCounter();
  let document: Document.Parsed;
  let raw: unknown;
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'error',
      uniqueKeys: true,
      merge: false,
    });
    const first = document.errors[0];
    if (first !== undefined) return oneFault(`${unquoted(first.message)}.`, lines.linePos(first.pos[0]).line);
    raw = document.toJS({ maxAliasCount: mostAliases });
  } catch (error) {
    // The parser throws for what it cannot resolve: too many aliases, an alias of itself.
    return oneFault(`${unquoted(error instanceof Error ? error.message : String(error))}.`);
  }
  const lineOf = (path: readonly PropertyKey[]): number => lineOfPath(document, lines, path);
  const parsed = schema.safeParse(raw ?? {});
  if (parsed.success) return { ok: true, value: parsed.data, lineOf };
  const faults = describeIssues(schema, parsed.error.issues, raw).map(({ path, message }) => ({
    file,
    line: lineOf(path),
    path: pathText(path),
    message,
  }));
  return { ok: false, faults };
}

/** What the parser says, without the piece of the file that it quotes: it may be of a secret. */
function unquoted(message: string): string {
  return message.replace(/\s*"[\s\S]*$/, '').replace(/: ?\S*$/, '');
}

/** One line per fault: `dialplans/demo.yaml:7: routes[0].action.status: Expected …`. */
export function faultLine(fault: YamlFault): string {
  const where = fault.path === '' ? '' : `${fault.path}: `;
  return `${fault.file}:${fault.line}: ${where}${fault.message}`;
}

export function faultsError(code: ErrorCode, faults: readonly YamlFault[], fix: string): TrunklineError {
  return new TrunklineError(code, faults.map(faultLine).join('\n'), { fix, details: { faults } });
}

/** The line of the deepest node on the path that is there: a missing key is told at the map that lacks it. */
function lineOfPath(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const part = path.slice(0, length);
    const parent = length > 0 ? document.getIn(part.slice(0, -1), true) : undefined;
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isNode(item.key) && item.key.toJSON() === part[length - 1]);
      if (pair !== undefined && isNode(pair.key) && pair.key.range) return lines.linePos(pair.key.range[0]).line;
    }
    const node = length === 0 ? document.contents : document.getIn(part, true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
