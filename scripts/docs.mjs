/** `npm run docs`: assembles docs/errors.md from the tables of docs/errors/, one row per error code, by area. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const folder = join(root, 'docs', 'errors');

export function assembleErrors() {
  const rows = new Map();
  for (const file of readdirSync(folder).sort()) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const code = /^\|\s*`([a-z0-9-]+\.[a-z0-9-]+)`/.exec(line)?.[1];
      if (code !== undefined) rows.set(code, line);
    }
  }
  const areas = [...new Set([...rows.keys()].map((code) => code.split('.')[0]))].sort();
  const sections = areas.map((area) => {
    const own = [...rows]
      .filter(([code]) => code.startsWith(`${area}.`))
      .sort(([left], [right]) => (left < right ? -1 : 1));
    return `## ${area}\n\n| code | meaning | fix |\n|---|---|---|\n${own.map(([, line]) => line).join('\n')}\n`;
  });
  return `# Errors

Programs compare the code, people read the sentence and the fix. Codes stay; sentences may change. HTTP answers carry the
code in problem documents, log lines and \`error\` events in the field \`code\`. (Assembled from errors/ by \`npm run docs\`.)

${sections.join('\n')}`;
}

if (process.argv[1]?.endsWith('docs.mjs')) {
  writeFileSync(join(root, 'docs', 'errors.md'), assembleErrors());
}
