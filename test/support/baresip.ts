/** baresip as a caller: plays a WAV file as its microphone and keeps what it received (Debian package baresip-core). */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWav, type Wav, writeWav } from '../../src/audio/wav';
import { freeUdpPort } from './sipp';

const MODULES = '/usr/lib/baresip/modules';

export function baresipInstalled(): boolean {
  const found = spawnSync('baresip', ['-h']).error === undefined;
  if (!found) process.stderr.write('skipped: baresip as the caller, because baresip-core is not installed\n');
  return found;
}

export interface BaresipCall {
  readonly uri: string;
  /** 8 kHz mono; baresip hangs up at its end. */
  readonly microphone: Int16Array;
  readonly codec?: 'PCMU/8000/1' | 'PCMA/8000/1' | 'opus/48000/2';
}

export interface BaresipResult {
  /** What it heard and what it said, each from the start of its stream. */
  readonly received: Wav;
  readonly sent: Wav;
  readonly log: string;
}

export async function callWithBaresip(call: BaresipCall): Promise<BaresipResult> {
  const folder = mkdtempSync(join(tmpdir(), 'baresip-'));
  const dumps = join(folder, 'dumps');
  mkdirSync(dumps);
  const codec = call.codec ?? 'PCMU/8000/1';
  const port = await freeUdpPort();
  writeFileSync(join(folder, 'say.wav'), writeWav({ sampleRate: 8_000, channels: 1, pcm: [call.microphone] }));
  writeFileSync(
    join(folder, 'config'),
    [
      'poll_method epoll',
      `sip_listen 127.0.0.1:${port}`,
      'net_interface 127.0.0.1',
      `audio_source aufile,${join(folder, 'say.wav')}`,
      'audio_srate 8000',
      'audio_channels 1',
      'rtp_ports 25000-25999',
      `module_path ${MODULES}`,
      'module g711.so',
      'module aufile.so',
      'module sndfile.so',
      ...(codec.startsWith('opus') ? ['module opus.so'] : []),
      'module_app account.so',
      'module_app menu.so',
      `snd_path ${dumps}`,
      '',
    ].join('\n'),
  );
  writeFileSync(join(folder, 'accounts'), `<sip:tester@127.0.0.1:${port}>;regint=0;audio_codecs=${codec};ptime=20\n`);
  const seconds = Math.ceil(call.microphone.length / 8_000) + 3;
  const child = spawn('baresip', ['-f', folder, '-e', `/dial ${call.uri}`, '-t', String(seconds)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let log = '';
  const collect = (chunk: Buffer) => {
    log += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const limit = setTimeout(() => child.kill('SIGKILL'), (seconds + 15) * 1_000);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(limit);
  try {
    const read = (ending: string): Wav => {
      const name = readdirSync(dumps).find((file) => file.endsWith(ending));
      if (name === undefined) throw new Error(`baresip kept no ${ending}:\n${log}`);
      return readWav(readFileSync(join(dumps, name)));
    };
    return { received: read('-dec.wav'), sent: read('-enc.wav'), log };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
