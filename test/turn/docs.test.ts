/** docs/turn-taking.md follows the code. `UPDATE_DOCS=1 npx jest test/turn/docs` writes its tables anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parameterTable, stateTable } from './state-table';

const page = path.join(__dirname, '../../docs/turn-taking.md');

function withTables(text: string): string {
  let result = text;
  for (const [name, table] of [
    ['states', stateTable()],
    ['parameters', parameterTable()],
  ] as const) {
    const section = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(\n<!-- /${name} -->)`);
    if (!section.test(result)) throw new Error(`docs/turn-taking.md has no section "${name}".`);
    result = result.replace(section, (_, open: string, close: string) => `${open}${table}${close}`);
  }
  return result;
}

it('docs/turn-taking.md has the tables that the turn machine makes', () => {
  const text = readFileSync(page, 'utf8');
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(page, withTables(text));
  expect(readFileSync(page, 'utf8')).toBe(withTables(text));
});
