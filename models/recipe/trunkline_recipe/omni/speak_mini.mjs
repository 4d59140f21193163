/**
 * Reads each line of a text file out in the Mini-Omni layout (T1-A2) into numbered WAV files, as the agent would, and prints
 * what it cost. Run after `npm run build`:
 * node models/recipe/trunkline_recipe/omni/speak_mini.mjs LINES.txt OUT_DIR [FOLDER]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const program = '../../../../dist';
const { writeWav } = require(`${program}/audio/wav.js`);
const { openModelFolder } = require(`${program}/model/manifest.js`);
const { Trunk } = require(`${program}/model/trunk/trunk.js`);
const { openRowVoice } = require(`${program}/model/mini-omni/open-row-voice.js`);
const [linesPath, outDir, folder] = process.argv.slice(2);
const models = new URL('../../../', import.meta.url).pathname;

/** Processor time of this process: what one thread would take on an idle machine, whatever else runs. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const trunk = await Trunk.open(await openModelFolder(join(models, 'smollm2-135m')));
const voice = await openRowVoice({
  folder: folder ?? join(models, 'mini-omni-135m'),
  generatorFolder: join(models, 'piper-joe'),
  pronunciationFolder: join(models, 'g2p-en'),
  trunk,
});
mkdirSync(outDir, { recursive: true });
const lines = readFileSync(linesPath, 'utf8').split('\n').filter((line) => line.trim() !== '');
const firstChunkMs = [];
let spentMs = 0;
let audioMs = 0;
for (const [index, line] of lines.entries()) {
  const chunks = [];
  const from = cpuMs();
  for await (const { pcm } of voice.synthesise(line, new AbortController().signal)) {
    if (chunks.length === 0) firstChunkMs.push(cpuMs() - from);
    chunks.push(pcm);
  }
  spentMs += cpuMs() - from;
  const pcm = Float32Array.from(chunks.flatMap((chunk) => [...chunk]));
  audioMs += (1000 * pcm.length) / voice.sampleRate;
  const samples = Int16Array.from(pcm, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767));
  writeFileSync(join(outDir, `${String(index).padStart(4, '0')}.wav`), writeWav({ sampleRate: voice.sampleRate, channels: 1, pcm: [samples] }));
}
firstChunkMs.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    lines: lines.length,
    firstChunkCpuMs: Math.round(firstChunkMs[Math.floor(firstChunkMs.length / 2)]),
    audioSeconds: Math.round(audioMs / 100) / 10,
    realTimeFactor: Math.round((1000 * spentMs) / audioMs) / 1000,
  }),
);
await voice.close();
await trunk.close();
