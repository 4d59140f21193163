/** baresip as a softphone that registers and answers (Debian package baresip-core). */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeWav } from '../../src/audio/wav';

export interface BaresipPhoneOptions {
  /** One line of its accounts file. */
  readonly account: string;
  /** More lines of its config file. */
  readonly settings?: readonly string[];
  /** Typed at its start: `/dial sip:…`. */
  readonly command?: string;
}

export class BaresipPhone {
  private log = '';
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.log += chunk.toString();
      });
    }
  }

  static open({ account, settings = [], command }: BaresipPhoneOptions): BaresipPhone {
    const folder = mkdtempSync(join(tmpdir(), 'baresip-phone-'));
    const silence = join(folder, 'silence.wav');
    writeFileSync(silence, writeWav({ sampleRate: 8000, channels: 1, pcm: [new Int16Array(8000 * 20)] }));
    const config = [
      'poll_method epoll',
      'sip_listen 127.0.0.1:0',
      'net_interface 127.0.0.1',
      `audio_source aufile,${silence}`,
      'module_path /usr/lib/baresip/modules',
      'module g711.so',
      'module aufile.so',
      'module_app account.so',
      'module_app menu.so',
      ...settings,
      '',
    ];
    writeFileSync(join(folder, 'config'), config.join('\n'));
    writeFileSync(join(folder, 'accounts'), `${account}\n`);
    const run = ['-f', folder, '-t', '25', ...(command === undefined ? [] : ['-e', command])];
    return new BaresipPhone(spawn('baresip', run, { stdio: ['pipe', 'pipe', 'pipe'] }), folder);
  }

  get output(): string {
    return this.log;
  }

  async close(): Promise<void> {
    const { child } = this;
    if (child.exitCode === null) {
      const over = new Promise((resolve) => child.once('close', resolve));
      const limit = setTimeout(() => child.kill('SIGKILL'), 4000);
      // The first asks it to unregister, and it ends when that is answered.
      child.kill('SIGTERM');
      await over;
      clearTimeout(limit);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
