/**
 * What the shipped recogniser computes for each utterance of endings.py: node hear_endings.mjs REPOSITORY FOLDER [COUNT]
 *
 * Writes states.bf16 ([count, FRAMES + 2, width], the encoder's last states, then the decoder's for the last token and the
 * end; the upper half of each float) and heard.jsonl (one line each: its place in endings.jsonl, text). In an order drawn by
 * lot, so that what there is when it is stopped is a fair sample; goes on where it stopped.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const FRAMES = 75;
const WIDTH = 512;
const [repository, folder, limit = '1e9'] = process.argv.slice(2);
const require = createRequire(join(resolve(repository), 'package.json'));
const { openWhisper } = require('./dist/model/whisper/whisper-recogniser.js');
const { lastFrames } = require('./dist/model/whisper/turn-end.js');
const { Resampler } = require('./dist/audio/resampler.js');

const states = join(folder, 'states.bf16');
const heard = join(folder, 'heard.jsonl');
const lines = readFileSync(join(folder, 'endings.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const sound = readFileSync(join(folder, 'speech.pcm'));
const rowBytes = (FRAMES + 2) * WIDTH * 2;
if (!existsSync(heard)) writeFileSync(heard, '');
const before = readFileSync(heard, 'utf8').split('\n').filter(Boolean);
if (existsSync(states)) truncateSync(states, before.length * rowBytes);
const starts = lines.map(
  (
    (at) =>
    ({ samples }) =>
      (at += samples) - samples
  )(0),
);
const lot = (place) => createHash('sha256').update(`${place}`).digest('hex');
const order = lines.map((_, place) => place).sort((a, b) => (lot(a) < lot(b) ? -1 : 1));
let next = before.length > 0 ? order.indexOf(JSON.parse(before.at(-1)).place) + 1 : 0;

const recogniser = await openWhisper(join(resolve(repository), 'models/whisper-base'), { states: true });
const never = new AbortController().signal;
for (; next < Math.min(lines.length, Number(limit)); next += 1) {
  const place = order[next];
  const narrow = Int16Array.from({ length: lines[place].samples }, (_, i) => sound.readInt16LE(2 * (starts[place] + i)));
  const wide = new Resampler(8_000, 16_000).push(narrow).flatMap((chunk) => [...chunk]);
  const speech = await recogniser.encode(Float32Array.from(wide, (sample) => sample / 32_768));
  const { text, speech: spoken, written, endState } = await recogniser.decode(speech, never);
  if (!spoken || written.length === 0 || endState === undefined) continue;
  const row = new Float32Array((FRAMES + 2) * WIDTH);
  row.set(lastFrames(speech.tensors.hidden.data, FRAMES, WIDTH));
  row.set(written.at(-1).state, FRAMES * WIDTH);
  row.set(endState, (FRAMES + 1) * WIDTH);
  const bits = new Uint32Array(row.buffer);
  appendFileSync(states, Uint16Array.from(bits, (word) => (word + 0x8000) >>> 16));
  appendFileSync(heard, `${JSON.stringify({ place, text })}\n`);
  if (next % 250 === 0) console.log(next, process.cpuUsage().user / 1e6);
}
await recogniser.close();
console.log('heard', next);
