/**
 * Calls on disk: one file of JSON lines per call, appended event by event, so that what was written survives the death
 * of the process. A line cut short by it is left out when the file is read again.
 */
import { appendFile, mkdir, open, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallEvent, callEventSchema } from '../core/call-event';
import { TrunklineError } from '../core/errors';
import { systemErrorCode } from '../core/system-error';

/** `c_9f2…`: what the call registry makes, and nothing that could leave the folder. */
const safeId = /^[A-Za-z0-9_-]{1,80}$/;

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;
const filePattern = /^[A-Za-z0-9_-]+\.jsonl$/;
/** In the folder of a day whose transcripts have been erased. */
const wordlessMark = '.wordless';

export interface ReadCall {
  readonly callId: string;
  readonly events: readonly CallEvent[];
  /** Lines that were no event: cut short, or written by a later version. */
  readonly skippedLines: number;
}

export class CallJournal {
  /** Each call's last write; the next begins when it is done, so that lines keep their order. */
  private readonly writing = new Map<string, Promise<void>>();
  /** Calls whose file is known to end with a line break. */
  private readonly opened = new Set<string>();

  constructor(private readonly folder: string) {}

  /** Rejects with `store.write-failed`; the call goes on, and later events are tried again. */
  append(event: CallEvent): Promise<void> {
    return this.inTurn(event.callId, async () => {
      await this.write(event);
      if (event.type === 'call.ended') this.opened.delete(event.callId);
    });
  }

  /** The days of which there are calls, newest first. */
  days(): Promise<string[]> {
    return sortedNames(this.folder, dayPattern);
  }

  async idsOf(day: string): Promise<string[]> {
    const names = await sortedNames(join(this.folder, day), filePattern);
    return names.map((name) => name.slice(0, -'.jsonl'.length));
  }

  /** Of a call that has ended, wherever it lies; undefined: there is none. */
  async read(callId: string): Promise<ReadCall | undefined> {
    const path = await this.find(callId);
    return path === undefined ? undefined : parseJournal(callId, await readFile(path, 'utf8'));
  }

  /** Puts what `change` makes of a call's events in their place, whole or not at all. */
  rewrite(callId: string, change: (events: readonly CallEvent[]) => readonly CallEvent[]): Promise<void> {
    return this.inTurn(callId, async () => {
      const path = await this.find(callId);
      if (path === undefined) return;
      const { events } = parseJournal(callId, await readFile(path, 'utf8'));
      const text = change(events).map((event) => `${JSON.stringify(event)}\n`);
      await writeFile(`${path}.new`, text.join(''), { mode: 0o600 });
      await rename(`${path}.new`, path);
    });
  }

  remove(callId: string): Promise<void> {
    return this.inTurn(callId, async () => {
      const path = await this.find(callId);
      if (path !== undefined) await rm(path, { force: true });
    });
  }

  /** Says that a day has been gone through, so that this is not done again; asked by `isMarked`. */
  async mark(day: string): Promise<void> {
    await writeFile(join(this.folder, day, wordlessMark), '', { mode: 0o600 });
  }

  isMarked(day: string): Promise<boolean> {
    return readFile(join(this.folder, day, wordlessMark)).then(
      () => true,
      () => false,
    );
  }

  /** The folder of a day, if no call is left in it. */
  async removeEmptyDay(day: string): Promise<void> {
    if ((await this.idsOf(day)).length > 0) return;
    await rm(join(this.folder, day, wordlessMark), { force: true });
    await rmdir(join(this.folder, day)).catch(() => undefined);
  }

  private inTurn(callId: string, work: () => Promise<void>): Promise<void> {
    const before = this.writing.get(callId) ?? Promise.resolve();
    const done = before.catch(() => {}).then(work);
    const settled = done.catch(() => {});
    this.writing.set(callId, settled);
    void settled.then(() => {
      if (this.writing.get(callId) === settled) this.writing.delete(callId);
    });
    return done;
  }

  private async find(callId: string): Promise<string | undefined> {
    if (!safeId.test(callId)) return undefined;
    for (const day of await this.days()) {
      const path = join(this.folder, day, `${callId}.jsonl`);
      const file = await open(path, 'r').catch(() => undefined);
      await file?.close();
      if (file !== undefined) return path;
    }
    return undefined;
  }

  /** Resolves when everything that was appended so far is written or has failed. */
  async flush(): Promise<void> {
    await Promise.all(this.writing.values());
  }

  /** Newest first, at most `most`. Files that cannot be read are passed over and reported. */
  async readNewest(most: number, onUnreadable: (path: string, error: unknown) => void): Promise<ReadCall[]> {
    const calls: ReadCall[] = [];
    for (const day of await this.days()) {
      const files = await sortedNames(join(this.folder, day), filePattern);
      for (const file of files) {
        const path = join(this.folder, day, file);
        try {
          calls.push(parseJournal(file.slice(0, -'.jsonl'.length), await readFile(path, 'utf8')));
        } catch (error) {
          onUnreadable(path, error);
        }
      }
      // A day is read whole: within it the names say nothing about the time.
      if (calls.length >= most) break;
    }
    return calls;
  }

  private async write(event: CallEvent): Promise<void> {
    try {
      const path = await this.pathOf(event);
      const broken = !this.opened.has(event.callId) && (await endsMidLine(path));
      await appendFile(path, `${broken ? '\n' : ''}${JSON.stringify(event)}\n`, { mode: 0o600 });
      this.opened.add(event.callId);
    } catch (cause) {
      this.opened.delete(event.callId);
      if (cause instanceof TrunklineError) throw cause;
      const full = systemErrorCode(cause) === 'ENOSPC';
      throw new TrunklineError(
        'store.write-failed',
        `The call record could not be written${full ? ': the disk is full' : ''}.`,
        {
          fix: full ? 'Free space in the data folder.' : 'Give the agent permission to write to the data folder.',
          cause,
        },
      );
    }
  }

  /** A call stays in the file of the day on which it was first heard of. */
  private readonly dayOf = new Map<string, string>();

  private async pathOf(event: CallEvent): Promise<string> {
    if (!safeId.test(event.callId)) {
      throw new TrunklineError('store.bad-id', 'The call has an id that cannot name a file.', {
        fix: 'Give calls ids of letters, digits, - and _.',
      });
    }
    const day = this.dayOf.get(event.callId) ?? event.occurredAt.slice(0, 10);
    await mkdir(join(this.folder, day), { recursive: true, mode: 0o700 });
    if (event.type === 'call.ended') this.dayOf.delete(event.callId);
    else this.dayOf.set(event.callId, day);
    return join(this.folder, day, `${event.callId}.jsonl`);
  }

  /** Says where an old call lives, so that its end is written beside its beginning. */
  adopt(call: ReadCall): void {
    const first = call.events[0];
    if (first !== undefined) this.dayOf.set(call.callId, first.occurredAt.slice(0, 10));
  }
}

export function parseJournal(callId: string, text: string): ReadCall {
  const events: CallEvent[] = [];
  let skippedLines = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const event = parseLine(line);
    if (event?.callId === callId) events.push(event);
    else skippedLines += 1;
  }
  return { callId, events, skippedLines };
}

function parseLine(line: string): CallEvent | undefined {
  try {
    const parsed = callEventSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

async function endsMidLine(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { size } = await file.stat();
    if (size === 0) return false;
    const last = Buffer.alloc(1);
    await file.read(last, 0, 1, size - 1);
    return last[0] !== 0x0a;
  } finally {
    await file.close();
  }
}

async function sortedNames(folder: string, pattern: RegExp): Promise<string[]> {
  try {
    return (await readdir(folder))
      .filter((name) => pattern.test(name))
      .sort()
      .reverse();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
