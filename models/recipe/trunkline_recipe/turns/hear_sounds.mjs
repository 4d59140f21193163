/**
 * What the shipped recogniser's encoder makes of each row of sound_states.py: node hear_sounds.mjs REPOSITORY FOLDER [COUNT]
 *
 * Writes states.bf16 ([frames, width] of one row after the other; the upper half of each float) and frames.u16 (how many
 * states each row has). Goes on where it stopped.
 */
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const WIDTH = 512;
const [repository, folder, limit = '1e9'] = process.argv.slice(2);
const require = createRequire(join(resolve(repository), 'package.json'));
const { openWhisper } = require('./dist/model/whisper/whisper-recogniser.js');

const states = join(folder, 'states.bf16');
const counts = join(folder, 'frames.u16');
const lines = readFileSync(join(folder, 'rows.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const sound = readFileSync(join(folder, 'speech.pcm'));
for (const file of [states, counts]) if (!existsSync(file)) writeFileSync(file, '');
const done = Math.floor(statSync(counts).size / 2);
const before = readFileSync(counts);
let frames = 0;
for (let at = 0; at < done; at += 1) frames += before.readUInt16LE(2 * at);
truncateSync(states, frames * WIDTH * 2);
const recogniser = await openWhisper(join(resolve(repository), 'models/whisper-base'));
let start = lines.slice(0, done).reduce((sum, { samples }) => sum + samples, 0);
for (let at = done; at < Math.min(lines.length, Number(limit)); at += 1) {
  const { samples } = lines[at];
  const pcm = Float32Array.from({ length: samples }, (_, i) => sound.readInt16LE(2 * (start + i)) / 32_768);
  start += samples;
  const { data } = (await recogniser.encode(pcm)).tensors.hidden;
  const bits = new Uint32Array(Float32Array.from(data).buffer);
  appendFileSync(states, Uint16Array.from(bits, (word) => (word + 0x8000) >>> 16));
  const count = Buffer.alloc(2);
  count.writeUInt16LE(data.length / WIDTH);
  appendFileSync(counts, count);
  if (at % 500 === 0) console.log(at, process.cpuUsage().user / 1e6);
}
await recogniser.close();
