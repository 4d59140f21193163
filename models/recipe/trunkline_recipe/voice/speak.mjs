/**
 * Speaks each line of a text file with the built voice into numbered 22,050 Hz WAV files, and prints what it cost.
 * Run after `npm run build`: node models/recipe/trunkline_recipe/voice/speak.mjs LINES.txt OUT_DIR
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { PiperVoice } = require('../../../../dist/model/piper/piper-voice.js');
const [linesPath, outDir] = process.argv.slice(2);
const models = new URL('../../../', import.meta.url).pathname;

function wav(pcm, rate) {
  const bytes = Buffer.alloc(44 + 2 * pcm.length);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + 2 * pcm.length, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(2 * rate, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(2 * pcm.length, 40);
  pcm.forEach((sample, index) => {
    bytes.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32767), 44 + 2 * index);
  });
  return bytes;
}

/** Processor time of this process: what one thread would take on an idle machine, whatever else runs. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const opening = cpuMs();
const voice = await PiperVoice.open({
  voiceFolder: join(models, 'piper-joe'),
  pronunciationFolder: join(models, 'g2p-en'),
});
const openMs = cpuMs() - opening;
mkdirSync(outDir, { recursive: true });
const lines = readFileSync(linesPath, 'utf8').split('\n').filter((line) => line.trim() !== '');
const firstChunkMs = [];
let spentMs = 0;
let audioMs = 0;
for await (const _ of voice.synthesise('One sentence to warm up.', new AbortController().signal));
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
  writeFileSync(join(outDir, `${String(index).padStart(4, '0')}.wav`), wav(pcm, voice.sampleRate));
}
firstChunkMs.sort((a, b) => a - b);
const at = (share) => Math.round(firstChunkMs[Math.min(firstChunkMs.length - 1, Math.floor(share * firstChunkMs.length))]);
console.log(
  JSON.stringify({
    lines: lines.length,
    openCpuMs: Math.round(openMs),
    firstChunkCpuMs: { p50: at(0.5), p95: at(0.95) },
    audioSeconds: Math.round(audioMs / 100) / 10,
    realTimeFactor: Math.round((1000 * spentMs) / audioMs) / 1000,
  }),
);
await voice.close();
