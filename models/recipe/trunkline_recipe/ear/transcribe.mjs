/** Reads WAV paths (16 kHz, mono, 16 bit) from standard input, writes one JSON line each: node transcribe.mjs REPOSITORY MODEL */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [repository, model] = process.argv.slice(2);
const require = createRequire(join(resolve(repository), 'package.json'));
const { openWhisper } = require('./dist/model/whisper/whisper-recogniser.js');

function readPcm(path) {
  const bytes = readFileSync(path);
  const start = bytes.indexOf('data', 12, 'latin1') + 8;
  const samples = (bytes.length - start) >> 1;
  return Float32Array.from({ length: samples }, (_, i) => bytes.readInt16LE(start + 2 * i) / 32768);
}

const recogniser = await openWhisper(resolve(model));
const never = new AbortController().signal;
for (const path of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const began = performance.now();
  const { tokenIds, ...result } = await recogniser.recognise(readPcm(path), never);
  const ms = performance.now() - began;
  process.stdout.write(`${JSON.stringify({ path, ...result, tokens: tokenIds.length, ms })}\n`);
}
await recogniser.close();
