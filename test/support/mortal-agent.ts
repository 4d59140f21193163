/** A whole agent in a process of its own that can be killed, and live again with the same configuration. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '../..');

export class MortalAgent {
  private child: ChildProcess | undefined;
  private output = '';

  constructor(private readonly configPath: string) {}

  get said(): string {
    return this.output;
  }

  async live(said = /kept in the database/): Promise<void> {
    this.output = '';
    const child = spawn(process.execPath, ['bin/trunkline.mjs', 'up', '--config', this.configPath], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: the model process dies with it.
      detached: true,
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    await this.until(() => /ready in \d+ ms/.test(this.output) && said.test(this.output));
  }

  /** Resolves with its exit code when it is gone. */
  async die(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const { child } = this;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
    await gone;
    return child.exitCode;
  }

  private async until(happened: () => boolean): Promise<void> {
    for (let attempt = 0; !happened(); attempt += 1) {
      if (attempt > 1_800 || this.child?.exitCode !== null)
        throw new Error(`the agent did not come up:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
