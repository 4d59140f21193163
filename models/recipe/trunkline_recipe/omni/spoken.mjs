/**
 * Reads each line of a text file as the agent would: normaliser, pronouncer; writes one JSON object a line:
 * {text, words: [{text, phonemes, joined, pause}], end}, where `text` of a word is the written one, with its place.
 * Run after `npm run build`: node models/recipe/trunkline_recipe/omni/spoken.mjs LINES.txt OUT.jsonl
 */
import { createWriteStream, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { Pronouncer } = require('../../../../dist/model/text/pronouncer.js');
const { normalise } = require('../../../../dist/model/text/normaliser.js');
const [linesPath, outPath] = process.argv.slice(2);
const pronouncer = await Pronouncer.open(join(new URL('../../../', import.meta.url).pathname, 'g2p-en'));
const out = createWriteStream(outPath);
for (const line of readFileSync(linesPath, 'utf8').split('\n').filter((text) => text.trim() !== '')) {
  const spoken = normalise(line);
  const tokens = [];
  const pauses = new Map();
  for (const token of spoken.tokens) {
    if (token.kind !== 'pause') tokens.push(token);
    else if (tokens.length > 0) pauses.set(tokens.at(-1), token.mark);
  }
  const said = await pronouncer.pronounce(tokens);
  const last = said.at(-1);
  if (last === undefined) continue;
  const words = said.map(({ token, phonemes, joined }) => {
    const { start, end } = spoken.written[token.written];
    return { text: token.text, start, end, phonemes, joined, pause: token === last.token ? '' : (pauses.get(token) ?? '') };
  });
  out.write(`${JSON.stringify({ text: line, words, end: pauses.get(last.token) ?? '.' })}\n`);
}
out.end();
await pronouncer.close();
