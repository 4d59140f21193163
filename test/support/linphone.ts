/** linphonec (Debian package linphone-cli) as a caller: speaks from one WAV file and keeps what it heard in another. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWav, type Wav, writeWav } from '../../src/audio/wav';
import { freePort } from './sipp';

/** Says once why the tests that need it are skipped. */
export function linphoneInstalled(): boolean {
  const found = spawnSync('linphonec', ['--version']).error === undefined;
  if (!found) process.stderr.write('skipped: linphone as the caller, because linphone-cli is not installed\n');
  return found;
}

export interface LinphoneCall {
  readonly uri: string;
  /** 8 kHz mono; linphone hangs up at its end. */
  readonly microphone: Int16Array;
}

/** Settings without which it would ask for a sound card, a camera and the network's own address. */
const settings = [
  '[sip]',
  'sip_tcp_port=0',
  'sip_tls_port=0',
  'use_ipv6=0',
  'guess_hostname=0',
  'media_encryption=none',
  '[rtp]',
  'audio_rtp_port=27000-27999',
  '[sound]',
  'echocancellation=0',
  '[video]',
  'enabled=0',
  'automatically_initiate=0',
  'automatically_accept=0',
  '',
].join('\n');

/** Resolves with what it heard. Rejects with its own lines when it kept nothing. */
export async function callWithLinphone(call: LinphoneCall): Promise<Wav> {
  const folder = mkdtempSync(join(tmpdir(), 'linphone-'));
  const [microphone, heard] = [join(folder, 'say.wav'), join(folder, 'heard.wav')];
  writeFileSync(join(folder, 'linphonerc'), settings);
  writeFileSync(microphone, writeWav({ sampleRate: 8_000, channels: 1, pcm: [call.microphone] }));
  const child = spawn('linphonec', ['-c', join(folder, 'linphonerc'), '-d', '0'], {
    env: { ...process.env, HOME: folder },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const order = (line: string) => child.stdin.write(`${line}\n`);
  const saying = async (text: string) => {
    for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt += 1) {
      if (log.includes(text)) return;
      await pause(50);
    }
    child.kill('SIGKILL');
    throw new Error(`linphone did not say "${text}":\n${log}`);
  };
  try {
    await saying('linphonec>');
    // The port in its settings is not heeded.
    order(`ports sip ${await freePort()}`);
    order('soundcard use files');
    order(`play ${microphone}`);
    order(`record ${heard}`);
    order(`call ${call.uri}`);
    await saying('Media streams established');
    await pause(call.microphone.length / 8);
    order('terminate');
    await saying('ended');
    order('quit');
    await ended;
    if (!existsSync(heard)) throw new Error(`linphone kept nothing of its call:\n${log}`);

    return readWav(readFileSync(heard));
  } finally {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
