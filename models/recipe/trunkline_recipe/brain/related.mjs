/**
 * Adds to each turn of personas with branches the facts that the program puts beside its question (`hints`), found by the
 * program's own code: node related.mjs DIST relevance.json IN.jsonl OUT.jsonl
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [dist, table, input, output] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { FactIndex, RelevanceTable } = require(resolve(dist, 'model/brain/relevance.js'));
const { OpeningDays } = require(resolve(dist, 'model/brain/opening-days.js'));
const { RelatedFacts } = require(resolve(dist, 'model/brain/related-facts.js'));

const relevance = new RelevanceTable(JSON.parse(readFileSync(table, 'utf8')));
const lines = readFileSync(input, 'utf8').trim().split('\n').map((line) => {
  const persona = JSON.parse(line);
  const lines = new Set((persona.tools ?? []).map((tool) => `I can ${tool}.`));
  for (const turns of persona.branches) {
    const related = new RelatedFacts(new FactIndex(relevance, persona.facts), new OpeningDays(persona.facts), (line) => lines.has(line));
    for (const turn of turns) {
      // What a tool found is there already, and stands alone.
      turn.hints ??= related.to(turn.user);
      related.answered(turn.user);
    }
  }
  // The program lets a tool be called only when its line stands beside the question.
  const callable = ({ action, hints }) => action !== 'tool' || hints.some((hint) => lines.has(hint));
  return JSON.stringify({ ...persona, branches: persona.branches.filter((turns) => turns.every(callable)) });
});
writeFileSync(output, `${lines.join('\n')}\n`);
