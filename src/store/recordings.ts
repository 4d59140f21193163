/**
 * The folder of recordings: what a call's file is called, in which format it is kept, and when it goes. Calls are recorded
 * as WAV, which a crash cuts short and no more; where Ogg Opus is asked for, a thread makes it afterwards, one file at a
 * time, and what a crash left is made at the next start.
 */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../core/clock';
import type { Logger } from '../core/log';

export interface RecordingsOptions {
  readonly folder: string;
  readonly format: 'wav' | 'ogg';
  readonly retentionDays: number;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly log: Logger;
  /** Makes Ogg Opus at `to` of the WAV at `from`; rejects when it cannot. */
  readonly transcode: (from: string, to: string) => Promise<void>;
}

export interface RecordingFile {
  /** Name within the folder. */
  readonly name: string;
  readonly mediaType: 'audio/wav' | 'audio/ogg';
}

const sweepEveryMs = 3_600_000;
const dayMs = 24 * sweepEveryMs;
/** Files that wait to be made into Ogg; beyond it they stay WAV until the next start. */
const maxWaiting = 1000;

export class Recordings {
  private readonly waiting: string[] = [];
  private working: Promise<void> | undefined;
  /** Which is being made into Ogg. */
  private current: string | undefined;
  private timer: Timer | undefined;
  private closed = false;

  private constructor(private readonly options: RecordingsOptions) {}

  /** Makes the folder, removes what is too old, and takes up what the last run left. */
  static async open(options: RecordingsOptions): Promise<Recordings> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const recordings = new Recordings(options);
    await recordings.sweep();
    for (const name of await readdir(options.folder)) {
      if (name.endsWith('.part')) await rm(join(options.folder, name), { force: true });
      else if (name.endsWith('.wav')) recordings.finished(name.slice(0, -4));
    }
    recordings.schedule();
    return recordings;
  }

  get folder(): string {
    return this.options.folder;
  }

  /** What a message is called that was left in a call, the first or a later one; every other name of it is made as a call's is. */
  messageOf(callId: string, number = 1): string {
    return number === 1 ? `${callId}.message` : `${callId}.message-${number}`;
  }

  /** The same, by the path at which it is fetched. */
  messageAt(callId: string, path: string): string {
    return this.messageOf(callId, Number(/[?]number=(\d+)$/.exec(path)?.[1] ?? 1));
  }

  /** Nothing is kept of it. */
  async discard(callId: string): Promise<void> {
    await rm(this.pathFor(callId), { force: true });
  }

  /** Whatever is kept under that name; false: nothing was. */
  async erase(name: string): Promise<boolean> {
    const at = this.waiting.indexOf(name);
    if (at >= 0) this.waiting.splice(at, 1);
    if (this.current === name) await this.working;
    const found = await this.find(name);
    for (const ending of ['wav', 'ogg', 'ogg.part'])
      await rm(join(this.options.folder, `${name}.${ending}`), { force: true });
    return found !== undefined;
  }

  /** Every message that was left in a call; false: there was none. */
  async eraseMessages(callId: string): Promise<boolean> {
    let erased = false;
    for (let number = 1; await this.erase(this.messageOf(callId, number)); number += 1) erased = true;
    return erased;
  }

  pathFor(callId: string): string {
    return join(this.options.folder, `${callId}.wav`);
  }

  /** The file of a call, undefined when there is none (any more). */
  async find(callId: string): Promise<RecordingFile | undefined> {
    for (const [ending, mediaType] of [
      ['ogg', 'audio/ogg'],
      ['wav', 'audio/wav'],
    ] as const) {
      const name = `${callId}.${ending}`;
      if (await isThere(join(this.options.folder, name))) return { name, mediaType };
    }
    return undefined;
  }

  /** The call's WAV is whole. */
  finished(callId: string): void {
    if (this.options.format !== 'ogg' || this.closed) return;
    if (this.waiting.length >= maxWaiting) {
      this.options.log.warn('too many recordings wait: one stays WAV until the next start', { callId });
      return;
    }
    this.waiting.push(callId);
    this.working ??= this.work();
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    await this.working;
  }

  /** Removes what is older than `retentionDays`, by the time of its last byte. */
  async sweep(): Promise<void> {
    const { folder, retentionDays, now } = this.options;
    const oldest = now().getTime() - retentionDays * dayMs;
    for (const name of await readdir(folder).catch(() => [])) {
      if (!/\.(wav|ogg|part)$/.test(name)) continue;
      const path = join(folder, name);
      const modified = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => undefined,
      );
      if (modified !== undefined && modified < oldest) await rm(path, { force: true });
    }
  }

  /** What is being made is finished first, so that no half of it stays. */
  async close(): Promise<void> {
    this.closed = true;
    this.timer?.cancel();
    this.waiting.length = 0;
    await this.working;
  }

  private schedule(): void {
    this.timer = this.options.clock.after(sweepEveryMs, () => {
      void this.sweep().then(() => {
        if (!this.closed) this.schedule();
      });
    });
  }

  private async work(): Promise<void> {
    for (let callId = this.waiting.shift(); callId !== undefined; callId = this.waiting.shift()) {
      const target = join(this.options.folder, `${callId}.ogg`);
      this.current = callId;
      try {
        await this.options.transcode(this.pathFor(callId), `${target}.part`);
        // In this order a crash leaves two whole files at worst.
        await rename(`${target}.part`, target);
        await rm(this.pathFor(callId), { force: true });
      } catch (error) {
        await rm(`${target}.part`, { force: true });
        this.options.log.warn('a recording stays WAV: it could not be made into Ogg Opus', {
          callId,
          error: String(error),
        });
      }
    }
    this.current = undefined;
    this.working = undefined;
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
