/** baresip as a softphone that registers and answers (Debian package baresip-core). */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWav, type Wav, writeWav } from '../../src/audio/wav';

export interface BaresipPhoneOptions {
  /** One line of its accounts file. */
  readonly account: string;
  /** More lines of its config file. */
  readonly settings?: readonly string[];
  /** Typed at its start: `/dial sip:…`. */
  readonly command?: string;
  /** What it says, 8 kHz mono; 20 s of silence if left out. */
  readonly microphone?: Int16Array;
  /** Where it listens; any port if left out. */
  readonly port?: number;
  /** A free TCP port, for `press`. */
  readonly controlPort?: number;
  /** It ends by itself then. */
  readonly seconds?: number;
}

export class BaresipPhone {
  private log = '';
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly controlPort: number | undefined,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.log += chunk.toString();
      });
    }
  }

  static open({ account, settings = [], command, ...more }: BaresipPhoneOptions): BaresipPhone {
    const { microphone = new Int16Array(8000 * 20), port = 0, controlPort, seconds = 25 } = more;
    const folder = mkdtempSync(join(tmpdir(), 'baresip-phone-'));
    const said = join(folder, 'said.wav');
    writeFileSync(said, writeWav({ sampleRate: 8000, channels: 1, pcm: [microphone] }));
    mkdirSync(join(folder, 'heard'));
    const config = [
      'poll_method epoll',
      `sip_listen 127.0.0.1:${port}`,
      'net_interface 127.0.0.1',
      `audio_source aufile,${said}`,
      'module_path /usr/lib/baresip/modules',
      'module g711.so',
      'module aufile.so',
      'module sndfile.so',
      `snd_path ${join(folder, 'heard')}`,
      'module_app account.so',
      'module_app menu.so',
      ...(controlPort === undefined ? [] : ['module_app ctrl_tcp.so', `ctrl_tcp_listen 127.0.0.1:${controlPort}`]),
      ...settings,
      '',
    ];
    writeFileSync(join(folder, 'config'), config.join('\n'));
    writeFileSync(join(folder, 'accounts'), `${account}\n`);
    const run = ['-f', folder, '-t', String(seconds), ...(command === undefined ? [] : ['-e', command])];
    const child = spawn('baresip', run, { stdio: ['pipe', 'pipe', 'pipe'] });
    return new BaresipPhone(child, folder, controlPort);
  }

  /** A key, while it is in a call. */
  press(digit: string): Promise<void> {
    return this.order('sndcode', digit);
  }

  /** A command of its menu: `hangup`, `hold`. */
  async order(command: string, params = ''): Promise<void> {
    const order = JSON.stringify({ command, params });
    const socket = connect({ host: '127.0.0.1', port: this.controlPort ?? 0 });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      // It answers when it has obeyed.
      socket.once('data', () => resolve());
      socket.write(`${order.length}:${order},`);
    });
    socket.destroy();
  }

  /** All that it has heard in its call; undefined before it was in one. */
  get heard(): Wav | undefined {
    const heard = join(this.folder, 'heard');
    const file = readdirSync(heard).find((name) => name.endsWith('-dec.wav'));
    return file === undefined ? undefined : readWav(readFileSync(join(heard, file)));
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
