/**
 * Calls on disk: one file of JSON lines per call, appended event by event, so that what was written survives the death
 * of the process. A line cut short by it is left out when the file is read again.
 */
import { appendFile, mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CallEvent, callEventSchema } from '../core/call-event';
import { TrunklineError } from '../core/errors';
import { systemErrorCode } from '../core/system-error';

/** `c_9f2…`: what the call registry makes, and nothing that could leave the folder. */
const safeId = /^[A-Za-z0-9_-]{1,80}$/;

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
    const before = this.writing.get(event.callId) ?? Promise.resolve();
    const written = before.catch(() => {}).then(() => this.write(event));
    const settled = written.catch(() => {});
    this.writing.set(event.callId, settled);
    void settled.then(() => {
      if (this.writing.get(event.callId) !== settled) return;
      this.writing.delete(event.callId);
      if (event.type === 'call.ended') this.opened.delete(event.callId);
    });
    return written;
  }

  /** Resolves when everything that was appended so far is written or has failed. */
  async flush(): Promise<void> {
    await Promise.all(this.writing.values());
  }

  /** Newest first, at most `most`. Files that cannot be read are passed over and reported. */
  async readNewest(most: number, onUnreadable: (path: string, error: unknown) => void): Promise<ReadCall[]> {
    const calls: ReadCall[] = [];
    for (const day of await sortedNames(this.folder, /^\d{4}-\d{2}-\d{2}$/)) {
      const files = await sortedNames(join(this.folder, day), /^[A-Za-z0-9_-]+\.jsonl$/);
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
  private readonly days = new Map<string, string>();

  private async pathOf(event: CallEvent): Promise<string> {
    if (!safeId.test(event.callId)) {
      throw new TrunklineError('store.bad-id', 'The call has an id that cannot name a file.', {
        fix: 'Give calls ids of letters, digits, - and _.',
      });
    }
    const day = this.days.get(event.callId) ?? event.occurredAt.slice(0, 10);
    await mkdir(join(this.folder, day), { recursive: true, mode: 0o700 });
    if (event.type === 'call.ended') this.days.delete(event.callId);
    else this.days.set(event.callId, day);
    return join(this.folder, day, `${event.callId}.jsonl`);
  }

  /** Says where an old call lives, so that its end is written beside its beginning. */
  adopt(call: ReadCall): void {
    const first = call.events[0];
    if (first !== undefined) this.days.set(call.callId, first.occurredAt.slice(0, 10));
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
