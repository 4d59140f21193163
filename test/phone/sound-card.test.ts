/** The computer's own sound, with programs of ours in place of the sound system's. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSoundCard, type SoundPrograms } from '../../src/phone/sound-card';

const folder = mkdtempSync(join(tmpdir(), 'trunkline-sound-'));
const script = (text: string): [string, ...string[]] => [process.execPath, '-e', text];

/** Counts up from 0, three bytes at a time, so that samples come in halves. */
const counting = script(`
  const bytes = Buffer.alloc(600);
  for (let i = 0; i < 300; i += 1) bytes.writeInt16LE(i, i * 2);
  let at = 0;
  setInterval(() => { if (at < 600) process.stdout.write(bytes.subarray(at, at += 3)); }, 1);
`);
const keeping = (path: string) =>
  script(`process.stdin.pipe(require('fs').createWriteStream(${JSON.stringify(path)}))`);
const silent = script('setInterval(() => {}, 1000)');
const missing: SoundPrograms = { system: 'none', record: ['no-such-program-xyz'], play: ['no-such-program-xyz'] };

describe('the sound card', () => {
  it('is the first system with a microphone that gives sound', async () => {
    const played = join(folder, 'played.raw');
    const card = await openSoundCard([
      missing,
      { system: 'ends at once', record: script(''), play: silent },
      { system: 'counts', record: counting, play: keeping(played) },
    ]);
    expect(card?.system).toBe('counts');
    const samples: number[] = [];
    await new Promise<void>((resolve) => {
      card?.onSound((pcm) => {
        samples.push(...pcm);
        if (samples.at(-1) === 299) resolve();
      });
    });
    const first = samples[0] ?? 0;
    expect(samples).toEqual(Array.from({ length: 300 - first }, (_, i) => first + i));
    card?.play(Int16Array.of(1, -2, 32_767));
    while (!written(played, 6)) await new Promise((resolve) => setTimeout(resolve, 20));
    const bytes = readFileSync(played);
    expect([bytes.readInt16LE(0), bytes.readInt16LE(2), bytes.readInt16LE(4)]).toEqual([1, -2, 32_767]);
    await card?.close();
    await card?.ended;
  });

  it('is none where no microphone gives sound', async () => {
    expect(await openSoundCard([missing, { system: 'mute', record: silent, play: silent }])).toBeUndefined();
  });

  it('drops what the loudspeaker does not take, and counts it', async () => {
    const card = await openSoundCard([{ system: 'deaf', record: counting, play: silent }]);
    for (let second = 0; second < 30; second += 1) card?.play(new Int16Array(16_000));
    expect(card?.droppedMs).toBeGreaterThan(20_000);
    await card?.close();
  });

  it('tells when the device goes', async () => {
    const leaving = script('process.stdout.write(Buffer.alloc(640)); setTimeout(() => {}, 100)');
    const card = await openSoundCard([{ system: 'leaves', record: leaving, play: silent }]);
    await card?.ended;
    await card?.close();
  });
});

function written(path: string, bytes: number): boolean {
  try {
    return readFileSync(path).length >= bytes;
  } catch {
    return false;
  }
}
