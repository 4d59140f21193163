/** A caller that is libwebrtc itself (`@roamhq/wrtc`), driven from a test: calls a number by WHIP, speaks, listens. */
import { type ChildProcess, fork } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import path from 'node:path';

export const LIBWEBRTC_SAMPLE_RATE = 48_000;

/** Says once why tests are skipped: no build for this platform, or no network but the loopback, which libwebrtc ignores. */
export function libwebrtcToTestWith(): boolean {
  const isBuilt = canResolve(`@roamhq/wrtc-${process.platform}-${process.arch}`);
  const hasNetwork = Object.values(networkInterfaces()).some((all) => all?.some(({ internal }) => !internal));
  if (!isBuilt) process.stderr.write('skipped: libwebrtc as the caller, because there is no build for this platform\n');
  else if (!hasNetwork) process.stderr.write('skipped: libwebrtc as the caller, because there is only the loopback\n');
  return isBuilt && hasNetwork;
}

function canResolve(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

interface Answer {
  readonly id: number;
  readonly error?: string;
}

export class LibwebrtcCaller {
  private readonly process: ChildProcess;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private orders = 0;

  constructor() {
    this.process = fork(path.join(__dirname, 'libwebrtc-caller.cjs'), [], { serialization: 'advanced', execArgv: [] });
    this.process.on('message', (answer: Answer) => this.waiting.get(answer.id)?.(answer));
    this.process.on('exit', (code) => {
      for (const settle of this.waiting.values()) settle({ id: 0, error: `libwebrtc's process ended with ${code}.` });
    });
  }

  /** Resolves when media flows. `pcm`: 48 kHz mono, said once from then on. */
  async call(options: { readonly url: string; readonly token: string; readonly pcm: Int16Array }): Promise<void> {
    await this.order('call', options);
  }

  /** All that came since the call stood. */
  heard(): Promise<{ readonly pcm: Int16Array; readonly sampleRate: number }> {
    return this.order('heard');
  }

  /** ICE with new credentials on the live call; true when the agent's were new as well, and so was the ETag. */
  async restart(): Promise<boolean> {
    const { isAnother } = await this.order<{ isAnother: boolean }>('restart');
    return isAnother;
  }

  /** What came on the data channel. */
  async events(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { texts } = await this.order<{ texts: string[] }>('events');
    return texts.map((text) => JSON.parse(text));
  }

  async hangUp(): Promise<void> {
    await this.order('hangUp');
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.process.exitCode !== null) resolve();
      else {
        this.process.once('exit', () => resolve());
        this.process.kill('SIGKILL');
      }
    });
  }

  private order<T>(order: string, details: object = {}): Promise<T> {
    this.orders += 1;
    const id = this.orders;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (answer) => {
        this.waiting.delete(id);
        if (answer.error === undefined) resolve(answer as T);
        else reject(new Error(answer.error));
      });
      this.process.send({ id, do: order, ...details });
    });
  }
}
