/**
 * Prints the phonemes of each line of a text file, blanks between words.
 * Run after `npm run build`: node models/recipe/trunkline_recipe/voice/phonemes.mjs LINES.txt > PHONEMES.txt
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { Pronouncer } = require('../../../../dist/model/text/pronouncer.js');
const { normalise } = require('../../../../dist/model/text/normaliser.js');
const pronouncer = await Pronouncer.open(join(new URL('../../../', import.meta.url).pathname, 'g2p-en'));
for (const line of readFileSync(process.argv[2], 'utf8').split('\n').filter((text) => text.trim() !== '')) {
  // Clause by clause, as espeak-ng reads.
  const clauses = [[]];
  for (const token of normalise(line).tokens) {
    if (token.kind === 'pause') clauses.push([]);
    else clauses.at(-1).push(token);
  }
  let said = '';
  for (const clause of clauses) {
    for (const { phonemes, joined } of await pronouncer.pronounce(clause)) said += phonemes + (joined ? '' : ' ');
  }
  console.log(said.trim());
}
await pronouncer.close();
