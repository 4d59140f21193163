/**
 * baresip as a caller (Debian package baresip-core): plays a WAV file as its microphone and keeps what it said and what it
 * heard. A phone of somebody else, so that nothing is measured by our own media code alone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Resampler } from '../audio/resampler';
import { readWav, type Wav, writeWav } from '../audio/wav';
import { TrunklineError } from '../core/errors';
import { freeUdpPort } from './own-agent';

const MODULES = '/usr/lib/baresip/modules';
/** Its file source takes no other rate and no other channels than those of the codec. */
const SOURCES = {
  'PCMU/8000/1': { sampleRate: 8_000, channels: 1, modules: [] },
  'PCMA/8000/1': { sampleRate: 8_000, channels: 1, modules: [] },
  // Its own rate is 16,000, as in SDP it must not be (RFC 3551 §4.5.2).
  'G722/16000/1': { sampleRate: 16_000, channels: 1, modules: ['module g722.so'] },
  'opus/48000/2': { sampleRate: 48_000, channels: 2, modules: ['module opus.so'] },
} as const;
/** To be answered in, and what it may take to end after the microphone's. */
const SPARE_SECONDS = 3;
const KILL_AFTER_SECONDS = 15;

export type BaresipCodec = keyof typeof SOURCES;

export function baresipInstalled(): boolean {
  return spawnSync('baresip', ['-h']).error === undefined;
}

export interface BaresipCall {
  readonly uri: string;
  /** 8 kHz mono; baresip hangs up at its end. */
  readonly microphone: Int16Array;
  readonly codec?: BaresipCodec;
  /** Its `mediaenc`: keys in SDP or by DTLS, and no call without; plain if left out. */
  readonly mediaEncryption?: 'srtp-mand' | 'srtp-mandf' | 'dtls_srtp';
  /** Further parameters of its account, as `;name=value`. */
  readonly account?: string;
}

export interface BaresipResult {
  /** What it heard and what it said, each from the start of its stream. Both end when the call does. */
  readonly received: Wav;
  readonly sent: Wav;
  readonly log: string;
}

export async function callWithBaresip(call: BaresipCall): Promise<BaresipResult> {
  const folder = mkdtempSync(join(tmpdir(), 'baresip-'));
  try {
    const dumps = join(folder, 'dumps');
    mkdirSync(dumps);
    await writeSettings(folder, dumps, call);
    const log = await run(folder, call);
    const read = (ending: string): Wav => {
      const name = readdirSync(dumps).find((file) => file.endsWith(ending));
      if (name === undefined) throw noCall(log);
      return readWav(readFileSync(join(dumps, name)));
    };
    return { received: read('-dec.wav'), sent: read('-enc.wav'), log };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeSettings(folder: string, dumps: string, call: BaresipCall): Promise<void> {
  const codec = call.codec ?? 'PCMU/8000/1';
  const { sampleRate, channels, modules } = SOURCES[codec];
  const port = await freeUdpPort();
  const pcm = new Resampler(8_000, sampleRate).push(call.microphone)[0] ?? new Int16Array();
  const microphone = join(folder, 'say.wav');
  writeFileSync(microphone, writeWav({ sampleRate, channels, pcm: Array.from({ length: channels }, () => pcm) }));
  const config = [
    'poll_method epoll',
    `sip_listen 127.0.0.1:${port}`,
    'net_interface 127.0.0.1',
    `audio_source aufile,${microphone}`,
    'rtp_ports 25000-25999',
    // In packets: what it heard is kept as it came, not a tenth of a second later.
    'jitter_buffer_delay 0-1',
    `module_path ${MODULES}`,
    'module g711.so',
    'module aufile.so',
    'module sndfile.so',
    ...modules,
    ...(call.mediaEncryption === undefined
      ? []
      : [call.mediaEncryption === 'dtls_srtp' ? 'module dtls_srtp.so' : 'module srtp.so']),
    'module_app account.so',
    'module_app menu.so',
    `snd_path ${dumps}`,
    '',
  ];
  writeFileSync(join(folder, 'config'), config.join('\n'));
  const security = call.mediaEncryption === undefined ? '' : `;mediaenc=${call.mediaEncryption}`;
  const parameters = `;regint=0;audio_codecs=${codec};ptime=20${security}${call.account ?? ''}`;
  writeFileSync(join(folder, 'accounts'), `<sip:tester@127.0.0.1:${port}>${parameters}\n`);
}

/** Resolves with what it printed when it has ended, by itself or not. */
async function run(folder: string, call: BaresipCall): Promise<string> {
  const seconds = Math.ceil(call.microphone.length / 8_000) + SPARE_SECONDS;
  const child = spawn('baresip', ['-f', folder, '-e', `/dial ${call.uri}`, '-t', String(seconds)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let log = '';
  const collect = (chunk: Buffer) => {
    log += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const limit = setTimeout(() => child.kill('SIGKILL'), (seconds + KILL_AFTER_SECONDS) * 1_000);
  try {
    await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
  } catch (cause) {
    throw new TrunklineError('bench.no-baresip', 'baresip could not be started.', {
      cause,
      fix: 'Install it (Debian and Ubuntu: apt-get install baresip-core).',
    });
  } finally {
    clearTimeout(limit);
  }
  return log;
}

function noCall(log: string): TrunklineError {
  return new TrunklineError('bench.no-baresip-call', `baresip kept no recording of its call:\n${log}`, {
    fix: 'Its own lines say why; it needs the modules g711, aufile and sndfile (and opus for Opus).',
  });
}
