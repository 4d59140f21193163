/**
 * This computer's microphone and loudspeaker, by the programs that come with its sound system: raw 16 kHz mono PCM, signed
 * 16 bits, little-endian, through their pipes. No package has to be compiled for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';

export const SOUND_RATE = 16_000;
const BYTES_PER_SECOND = SOUND_RATE * 2;

/** A recorder writes to its standard output, a player reads its standard input. The first word is the program. */
export interface SoundPrograms {
  readonly system: string;
  readonly record: readonly [string, ...string[]];
  readonly play: readonly [string, ...string[]];
}

const PULSE = ['--raw', '--format=s16le', `--rate=${SOUND_RATE}`, '--channels=1', '--latency-msec=20'];
const ALSA = ['-q', '-t', 'raw', '-f', 'S16_LE', '-r', String(SOUND_RATE), '-c', '1', '--buffer-time=80000'];
const SOX = ['-q', '-t', 'raw', '-e', 'signed', '-b', '16', '-r', String(SOUND_RATE), '-c', '1', '-'];

/** In the order in which they are tried: what shares the device with other programs first. */
export const SOUND_SYSTEMS: readonly SoundPrograms[] = [
  { system: 'PulseAudio or PipeWire', record: ['parec', ...PULSE], play: ['pacat', ...PULSE] },
  { system: 'ALSA', record: ['arecord', ...ALSA], play: ['aplay', ...ALSA] },
  { system: 'SoX', record: ['rec', ...SOX], play: ['play', ...SOX] },
];

/** A recorder that has said nothing by then has no microphone. */
const FIRST_SOUND_WITHIN_MS = 2_000;
/** What may wait for the loudspeaker; beyond it the newest is dropped, so that the far end is not heard ever later. */
const MAX_WAITING_BYTES = BYTES_PER_SECOND / 2;

/** The first system with a microphone that gives sound; undefined: none has. */
export async function openSoundCard(systems: readonly SoundPrograms[] = SOUND_SYSTEMS): Promise<SoundCard | undefined> {
  for (const programs of systems) {
    const card = await SoundCard.open(programs);
    if (card !== undefined) return card;
  }
  return undefined;
}

export class SoundCard {
  private take: (pcm: Int16Array) => void = () => undefined;
  /** Half a sample at the end of a piece waits for the next. */
  private rest: Buffer = Buffer.alloc(0);
  /** Milliseconds that came faster than the loudspeaker plays. */
  droppedMs = 0;
  /** Resolves when a program ended: the device is gone, or `close`. */
  readonly ended: Promise<void>;

  private constructor(
    readonly system: string,
    private readonly recorder: ChildProcess,
    private readonly player: ChildProcess,
  ) {
    this.ended = Promise.race([endOf(recorder), endOf(player)]);
    recorder.stdout?.on('data', (bytes: Buffer) => this.record(bytes));
    // A player that is gone is told by its end, not by a broken pipe.
    player.stdin?.on('error', () => undefined);
  }

  static async open({ system, record, play }: SoundPrograms): Promise<SoundCard | undefined> {
    const recorder = start(record, ['ignore', 'pipe', 'ignore']);
    const heard = new Promise<boolean>((resolve) => {
      recorder.stdout?.once('readable', () => resolve(recorder.stdout?.readableLength !== 0));
      void endOf(recorder).then(() => resolve(false));
      setTimeout(() => resolve(false), FIRST_SOUND_WITHIN_MS).unref();
    });
    if (!(await heard)) {
      recorder.kill();
      return undefined;
    }
    return new SoundCard(system, recorder, start(play, ['pipe', 'ignore', 'ignore']));
  }

  /** The microphone, as it comes: 16 kHz mono. */
  onSound(take: (pcm: Int16Array) => void): void {
    this.take = take;
  }

  /** For the loudspeaker: 16 kHz mono. */
  play(pcm: Int16Array): void {
    const { stdin } = this.player;
    if (stdin === null || !stdin.writable) return;
    if (stdin.writableLength > MAX_WAITING_BYTES) this.droppedMs += (pcm.length * 1_000) / SOUND_RATE;
    else stdin.write(Buffer.from(pcm.slice().buffer));
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.recorder.kill();
    this.player.stdin?.end();
    this.player.kill();
    await Promise.all([endOf(this.recorder), endOf(this.player)]);
  }

  private record(bytes: Buffer): void {
    const all = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    const samples = all.length >> 1;
    const pcm = new Int16Array(samples);
    for (let i = 0; i < samples; i += 1) pcm[i] = all.readInt16LE(i * 2);
    this.rest = all.subarray(samples * 2);
    if (samples > 0) this.take(pcm);
  }
}

function start(words: readonly [string, ...string[]], stdio: ('ignore' | 'pipe')[]): ChildProcess {
  const child = spawn(words[0], words.slice(1), { stdio });
  // A program that is not installed ends at once; `endOf` tells it.
  child.on('error', () => undefined);
  return child;
}

function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
}
