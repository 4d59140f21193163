import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelsImport, recogniseFamily } from '../../src/cli/import-model';

const root = join(__dirname, '../..');
const needs = [
  'lit_model.pth',
  'model_config.yaml',
  'tokenizer.json',
  'small.pt',
  'snac_24khz/config.json',
  'snac_24khz/pytorch_model.bin',
];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-import-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function place(names: readonly string[]): void {
  mkdirSync(join(folder, 'snac_24khz'), { recursive: true });
  for (const name of names) writeFileSync(join(folder, name), 'x');
}

const given = (flags: Record<string, string>) => ({
  text: (flag: string) => flags[flag],
  all: () => [],
  has: (flag: string) => flag in flags,
  positional: () => folder,
});

describe('importing a published model', () => {
  it('knows Mini-Omni by its files', () => {
    place(needs);
    expect(recogniseFamily(folder).name).toBe('mini-omni');
  });

  it.each(['tokenizer.json', 'small.pt', 'snac_24khz/pytorch_model.bin'])('says that %s is missing', (name) => {
    place(needs.filter((other) => other !== name));
    expect(() => recogniseFamily(folder)).toThrow(
      expect.objectContaining({ code: 'models.incomplete', message: expect.stringContaining(name) }),
    );
  });

  it('refuses a folder of anything else', () => {
    place(['readme.txt']);
    expect(() => recogniseFamily(folder)).toThrow(expect.objectContaining({ code: 'models.unknown-family' }));
  });

  it('says that Python is needed where there is none', async () => {
    place(needs);
    const python = join(folder, 'no-such-python');
    await expect(
      modelsImport.run(given({ python }), { out: () => undefined, err: () => undefined }),
    ).rejects.toMatchObject({ code: 'models.no-python', fix: expect.stringContaining('pip install') });
  });

  const python = process.env['RECIPE_PYTHON'] ?? 'python3';
  const able = spawnSync(python, ['-c', 'import torch, onnx, numpy']).status === 0;
  // Without the recipe's packages there is nothing that could convert: then only the refusals above are tested.
  (able ? it : it.skip)(
    'converts a tiny checkpoint in the published layout to the graphs that the tests run',
    async () => {
      const recipe = join(root, 'models/recipe');
      const source = mkdtempSync(join(tmpdir(), 'trunkline-source-'));
      const golden = JSON.parse(readFileSync(join(root, 'test/fixtures/mini-omni/golden.json'), 'utf8'));
      const tiny = ['-m', 'trunkline_recipe.families.mini_omni.tiny', source, '--seed', String(golden.seed)];
      expect(spawnSync(python, tiny, { cwd: recipe }).status).toBe(0);
      const config = join(folder, 'trunkline.yaml');
      writeFileSync(config, `engine:\n  models: ${join(folder, 'models')}\n`);
      const arguments_ = { ...given({ python, bits: '32', config }), positional: () => source };
      expect(await modelsImport.run(arguments_, { out: () => undefined, err: () => undefined })).toBe(0);
      const files = (path: string) => JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')).files;
      expect(files(join(folder, 'models/mini-omni'))).toEqual(files(join(root, 'test/fixtures/mini-omni')));
      rmSync(source, { recursive: true, force: true });
    },
    240_000,
  );
});
