/** A ladder diagram in text from a capture (the form of RFC 3665): one column a party, one arrow a message, copies left out. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMessage } from '../../src/sip/embedded/parser';
import type { SipCapture } from './sip-capture';

export interface LadderMessage {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly transport: string;
  readonly text: string;
}

export interface StoredLadder {
  readonly title: string;
  readonly about: string;
  readonly clause: string;
  /** The test whose capture it is. */
  readonly test: string;
  /** In the order of their columns. */
  readonly parties: readonly string[];
  readonly messages: readonly LadderMessage[];
}

export type LadderFacts = Omit<StoredLadder, 'messages'>;

export const ladderFolder = join(__dirname, '../sip/ladders');
export const ladderPage = join(__dirname, '../../docs/sip-ladders.md');
export const writing = process.env['UPDATE_LADDERS'] === '1';

/** In the order of the page. */
export const ladderNames = [
  'answered',
  'digest',
  'reliable-ringing',
  'cancelled',
  'cancel-race',
  'hold-resume',
  'session-refresh',
  'blind-transfer',
  'attended-transfer',
  'warm-hand-over',
  'websocket',
] as const;
export type LadderName = (typeof ladderNames)[number];

/** Who is at which port; `us` is the end that was overheard. */
export function ladderOf(
  facts: LadderFacts,
  capture: SipCapture,
  us: string,
  whoIs: (port: number) => string,
): StoredLadder {
  const messages = capture.messages.map(({ atMs, sent, transport, port, text }) => {
    const far = whoIs(port);
    return { atMs, from: sent ? us : far, to: sent ? far : us, transport, text };
  });
  return { ...facts, messages };
}

/**
 * With UPDATE_LADDERS=1 the capture is kept; else the ladder that it gives must be the stored one, each party's messages in
 * their order: those of two parties may pass one another.
 */
export function keepLadder(name: LadderName, live: StoredLadder): void {
  if (writing) {
    mkdirSync(ladderFolder, { recursive: true });
    writeFileSync(join(ladderFolder, `${name}.json`), `${JSON.stringify(live, null, 2)}\n`);
    return;
  }
  const stored = readLadder(name);
  for (const party of stored.parties) expect(arrowsOf(live, party)).toEqual(arrowsOf(stored, party));
}

export function readLadder(name: LadderName): StoredLadder {
  const file = join(ladderFolder, `${name}.json`);
  if (!existsSync(file)) throw new Error(`There is no ${file}: npm run sip:ladders makes it.`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

function arrowsOf(ladder: StoredLadder, party: string): readonly string[] {
  const own = withoutCopies(ladder.messages).filter(({ from, to }) => from === party || to === party);
  return own.map((message) => `${message.from} to ${message.to}: ${labelOf(message.text)}`);
}

export function withoutCopies(messages: readonly LadderMessage[]): readonly LadderMessage[] {
  const seen = new Set<string>();
  return messages.filter(({ from, text }) => {
    const known = seen.has(`${from}\n${text}`);
    seen.add(`${from}\n${text}`);
    return !known;
  });
}

/** What stands on an arrow: method or status, and what of the message this call turns on. */
export function labelOf(text: string): string {
  const parsed = parseMessage(Buffer.from(text, 'utf8'));
  if (parsed.kind !== 'message') return 'unreadable';
  const { message } = parsed;
  const header = (name: string): string => message.headers.get(name) ?? '';
  const method = header('cseq').split(' ')[1] ?? '';
  const head = message.kind === 'request' ? message.method : `${message.status} ${message.reason} (${method})`;
  const body = message.body.toString('utf8');
  const notes: string[] = [];
  if (header('content-type').startsWith('application/sdp')) notes.push(`SDP ${directionOf(body)}`);
  if (header('content-type').startsWith('message/sipfrag')) notes.push(body.split('\r\n')[0]?.trim() ?? '');
  // Session timers are agreed on in every call: they are shown where one runs.
  if (!['', 'timer'].includes(header('require'))) notes.push(`Require: ${header('require')}`);
  if (header('rack') !== '' && message.kind === 'request') notes.push('RAck');
  if (method === 'UPDATE' && header('session-expires') !== '')
    notes.push(`Session-Expires: ${header('session-expires')}`);
  if (header('www-authenticate') !== '') notes.push('WWW-Authenticate');
  if (header('authorization') !== '') notes.push('Authorization');
  if (header('refer-to') !== '')
    notes.push(header('refer-to').includes('Replaces') ? 'Refer-To with Replaces' : 'Refer-To');
  if (header('replaces') !== '') notes.push('Replaces');
  if (message.kind === 'request' && header('subscription-state').startsWith('terminated')) notes.push('terminated');
  return [head, ...notes].join(', ');
}

function directionOf(sdp: string): string {
  if (/^c=IN IP4 0\.0\.0\.0/m.test(sdp)) return 'c=0.0.0.0';
  return /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(sdp)?.[1] ?? 'sendrecv';
}

const CLOCK = 9;

export function drawLadder({ parties, messages }: StoredLadder): string {
  const arrows = withoutCopies(messages);
  const longest = Math.max(...arrows.map(({ text }) => labelOf(text).length));
  const gap = Math.max(28, longest + 8);
  const columns = parties.map((_, at) => CLOCK + 2 + at * gap);
  const width = (columns.at(-1) ?? 0) + 1;
  const rails = (): string[] => {
    const line = Array.from({ length: width }, () => ' ');
    for (const column of columns) line[column] = '|';
    return line;
  };
  const put = (line: string[], at: number, text: string): void => {
    for (const [index, character] of [...text].entries()) line[at + index] = character;
  };
  const heads = Array.from({ length: width + 20 }, () => ' ');
  for (const [at, party] of parties.entries()) {
    put(heads, Math.max(0, (columns[at] ?? 0) - Math.floor(party.length / 2)), party);
  }
  const lines = [heads.join('').trimEnd(), rails().join('')];
  for (const { atMs, from, to, text } of arrows) {
    const [start, end] = [columns[parties.indexOf(from)] ?? 0, columns[parties.indexOf(to)] ?? 0];
    const [left, right] = [Math.min(start, end), Math.max(start, end)];
    const line = rails();
    const label = ` ${labelOf(text)} `;
    for (let column = left + 1; column < right; column++) line[column] = '-';
    if (end > start) line[right - 1] = '>';
    else line[left + 1] = '<';
    put(line, left + 1 + Math.floor((right - left - 1 - label.length) / 2), label);
    put(line, 0, `${String(atMs).padStart(CLOCK - 3)} ms`);
    lines.push(line.join(''));
  }
  lines.push(rails().join(''));
  return lines.join('\n');
}

export function drawPage(ladders: readonly StoredLadder[]): string {
  const drawn = ladders.map((ladder) => {
    const transports = [...new Set(ladder.messages.map(({ transport }) => transport.toUpperCase()))].join(', ');
    return `## ${ladder.title}

${ladder.about} (${ladder.clause}; ${transports}; \`${ladder.test}\`)

\`\`\`
${drawLadder(ladder)}
\`\`\`
`;
  });
  return `# Ladders

What passes on the wire in the calls that people ask about, drawn from what the tests captured at our own transports (\`test/sip/ladders\`) by
\`npm run sip:ladders\`. Each time the tests run, what they capture must give the same ladder. Milliseconds are of the run that was kept; copies
of a message are left out.

${drawn.join('\n')}`;
}
