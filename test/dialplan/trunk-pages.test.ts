/** The pages of dialplans/trunks: what they tell people to write into trunkline.yaml and a dialplan is taken by the agent. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../src/config';
import { loadDialplan } from '../../src/dialplan/load-dialplan';

const dialplans = join(__dirname, '../../dialplans');
const trunks = join(dialplans, 'trunks');

const pages = readdirSync(trunks, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ name, text: readFileSync(join(trunks, name, 'README.md'), 'utf8') }));

function blocksOf(text: string): string[] {
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
}

function isDialplan(block: string): boolean {
  return /^routes:/m.test(block);
}

function configOf(block: string): Config {
  const folder = mkdtempSync(join(tmpdir(), 'trunk-page-'));
  try {
    writeFileSync(join(folder, 'trunkline.yaml'), block);
    return loadConfig({ folder, environment: {} });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const configs = pages.flatMap(({ name, text }) =>
  blocksOf(text)
    .filter((block) => !isDialplan(block))
    .map((block, index) => ({ page: name, title: `${name}, block ${index + 1}`, block })),
);
const plans = pages.flatMap(({ name, text }) =>
  blocksOf(text)
    .filter(isDialplan)
    .map((block, index) => ({ page: name, title: `${name}, block ${index + 1}`, block })),
);

describe('the pages about trunks', () => {
  it('are those that the overview lists', () => {
    const overview = readFileSync(join(trunks, 'README.md'), 'utf8');
    const listed = [...overview.matchAll(/\]\(([a-z0-9]+)\/README\.md\)/g)].map(([, name]) => name);
    expect([...listed].sort()).toEqual(pages.map(({ name }) => name).sort());
  });

  it.each(pages.map(({ name, text }) => [name, text]))('%s has a part of trunkline.yaml', (_name, text) => {
    expect(blocksOf(text).filter((block) => !isDialplan(block))).not.toHaveLength(0);
  });

  it.each(configs.map(({ title, block }) => [title, block]))(
    'the configuration of %s is taken, and names somebody',
    (_title, block) => {
      const { sip } = configOf(block);
      expect(sip.trunks.length + sip.registrations.length).toBeGreaterThan(0);
    },
  );

  it.each(plans.map(({ title, page, block }) => [title, page, block]))(
    'the dialplan of %s is taken, and waits for a trunk of that page',
    (_title, page, block) => {
      const folder = mkdtempSync(join(tmpdir(), 'trunk-page-'));
      try {
        cpSync(join(dialplans, 'personas'), join(folder, 'personas'), { recursive: true });
        writeFileSync(join(folder, 'page.yaml'), block);
        const { routes } = loadDialplan(folder);
        const known = configs
          .filter((config) => config.page === page)
          .flatMap((config) => {
            const { trunks, registrations } = configOf(config.block).sip;
            return [...trunks, ...registrations].map(({ name }) => name);
          });
        const wanted = [...block.matchAll(/\btrunk: ([\w-]+)/g)].map(([, name]) => name);
        expect(routes.length).toBeGreaterThan(0);
        expect(wanted.length).toBeGreaterThan(0);
        expect(wanted.filter((name) => !known.includes(name ?? ''))).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  it.each(pages.map(({ name, text }) => [name, text]))('the files that %s speaks of are there', (name, text) => {
    const files = [...(text ?? '').matchAll(/\]\(((?!https?:)[^)#]+)(?:#[^)]*)?\)/g)].map(([, path]) => path ?? '');
    const missing = files.filter((path) => {
      try {
        return readFileSync(join(trunks, name ?? '', path)).length === 0;
      } catch {
        return true;
      }
    });
    expect(missing).toEqual([]);
  });
});
