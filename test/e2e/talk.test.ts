/** `trunkline talk` as a person meets it, with a microphone that hums and a loudspeaker that keeps what it plays. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestAgent, type TestAgent } from '../support/agent';

const root = join(__dirname, '../..');
const humHz = 700;

let agent: TestAgent;
beforeAll(async () => {
  agent = await startTestAgent();
}, 120_000);
afterAll(() => agent.stop());

/** A folder for PATH with programs of these names; each is a line of JavaScript. */
function programs(lines: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-talk-'));
  for (const [name, line] of Object.entries(lines)) {
    writeFileSync(join(folder, name), `#!${process.execPath}\n${line}\n`, { mode: 0o755 });
  }
  return folder;
}

function talk(path: string, ...words: string[]) {
  const child = spawn(process.execPath, ['bin/trunkline.mjs', 'talk', ...words], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, ended, text: () => text };
}

/** Share of the energy that lies at `frequencyHz` (Goertzel 1958), of 16 kHz samples. */
function shareAt(frequencyHz: number, samples: readonly number[]): number {
  let [re, im, energy] = [0, 0, 1e-9];
  samples.forEach((sample, i) => {
    re += sample * Math.cos((2 * Math.PI * frequencyHz * i) / 16_000);
    im += sample * Math.sin((2 * Math.PI * frequencyHz * i) / 16_000);
    energy += sample * sample;
  });
  return (2 * (re * re + im * im)) / (samples.length * energy);
}

/**
 * Share of windows of 20 ms that hold little else than `frequencyHz`. Each is judged alone, for a concealed or
 * late packet on a busy machine moves the phase of all that follows without changing what is heard.
 */
function windowsAt(frequencyHz: number, samples: readonly number[]): number {
  const windows = Array.from({ length: Math.floor(samples.length / 320) }, (_, i) =>
    samples.slice(320 * i, 320 * (i + 1)),
  );
  return windows.filter((window) => shareAt(frequencyHz, window) > 0.8).length / windows.length;
}

describe('trunkline talk', () => {
  it('carries the microphone to the far end, and its sound to the loudspeaker', async () => {
    const heard = join(mkdtempSync(join(tmpdir(), 'trunkline-heard-')), 'heard.raw');
    const path = programs({
      parec: `let at = 0; const from = Date.now(); setInterval(() => {
        const to = (Date.now() - from) * 16; const pcm = Buffer.alloc((to - at) * 2);
        for (let i = 0; at < to; i += 2, at += 1) pcm.writeInt16LE(Math.round(8000 * Math.sin(2 * Math.PI * ${humHz} * at / 16000)), i);
        process.stdout.write(pcm); }, 20);`,
      pacat: `process.stdin.pipe(require('fs').createWriteStream(${JSON.stringify(heard)}));`,
    });
    const run = talk(path, `sip:echo@127.0.0.1:${agent.sipPort}`);
    const heardMs = () => {
      try {
        return readFileSync(heard).length / 32;
      } catch {
        return 0;
      }
    };
    while (heardMs() < 4_000) {
      if (run.child.exitCode !== null) throw new Error(run.text());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    run.child.kill('SIGINT');
    expect(await run.ended).toBe(0);
    expect(run.text()).toMatch(/echo@.* answered; sound by PulseAudio or PipeWire/);
    expect(run.text()).toMatch(/you hung up after [\d.]+ s/);
    const bytes = readFileSync(heard);
    const samples = Array.from({ length: 32_000 }, (_, i) => bytes.readInt16LE((i + 2 * 16_000) * 2));
    expect(windowsAt(humHz, samples)).toBeGreaterThan(0.5);
    expect(windowsAt(humHz + 150, samples)).toBeLessThan(0.1);
  }, 60_000);

  it('tells how to use the softphone where there is no microphone', async () => {
    const run = talk(programs({ arecord: 'process.exit(1)' }));
    expect(await run.ended).toBe(1);
    expect(run.text()).toMatch(/no microphone here/);
    expect(run.text()).toMatch(/open http:\/\/localhost:\d+\/ in a browser and press Call/);
  }, 60_000);
});
