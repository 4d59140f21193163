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
  for (const part of ['snac_24khz', 'vocoder']) mkdirSync(join(folder, part), { recursive: true });
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

  const llamaNeeds = ['config.json', 'tokenizer.json', 'large-v3.pt', 'vocoder/config.json', 'vocoder/g_00500000'];

  it('knows LLaMA-Omni by its files, and says which is missing', () => {
    place(llamaNeeds);
    expect(recogniseFamily(folder).name).toBe('llama-omni');
    rmSync(join(folder, 'vocoder/g_00500000'));
    expect(() => recogniseFamily(folder)).toThrow(
      expect.objectContaining({ code: 'models.incomplete', message: expect.stringContaining('vocoder/g_00500000') }),
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
  const families = ['mini-omni', 'llama-omni'];
  const convert = async (family: string, spoil: (source: string) => void, bits = '32') => {
    const recipe = join(root, 'models/recipe');
    const source = mkdtempSync(join(tmpdir(), 'trunkline-source-'));
    const golden = JSON.parse(readFileSync(join(root, `test/fixtures/${family}/golden.json`), 'utf8'));
    const module = `trunkline_recipe.families.${family.replace('-', '_')}.tiny`;
    expect(spawnSync(python, ['-m', module, source, '--seed', String(golden.seed)], { cwd: recipe }).status).toBe(0);
    spoil(source);
    const config = join(folder, 'trunkline.yaml');
    writeFileSync(config, `engine:\n  models: ${join(folder, 'models')}\n`);
    const arguments_ = { ...given({ python, bits, config }), positional: () => source };
    const told: string[] = [];
    try {
      return {
        code: await modelsImport.run(arguments_, { out: () => undefined, err: (line) => told.push(line) }),
        told,
      };
    } catch (error) {
      return { error, told };
    } finally {
      rmSync(source, { recursive: true, force: true });
    }
  };

  (able ? it.each(families) : it.skip.each(families))(
    'converts a tiny checkpoint of %s in the published layout to the graphs that the tests run',
    async (family) => {
      expect(await convert(family, () => undefined)).toMatchObject({ code: 0 });
      const files = (path: string) => JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')).files;
      expect(files(join(folder, 'models', family))).toEqual(files(join(root, 'test/fixtures', family)));
    },
    240_000,
  );

  const faults: [string, string, string][] = [
    ['of another family', 'config.json', '{"model_type": "llama"}'],
    ['that was cut short', 'model-00001-of-00002.safetensors', 'x'],
    [
      'without control tokens',
      'tokenizer.json',
      '{"model": {"type": "BPE", "vocab": {}, "merges": []}, "added_tokens": []}',
    ],
    ['that holds no weights', 'vocoder/g_00500000', 'x'],
  ];
  (able ? it.each(faults) : it.skip.each(faults))(
    'refuses a checkpoint %s (%s), and says why',
    async (_, file, content) => {
      const { error, told } = await convert('llama-omni', (source) => writeFileSync(join(source, file), content));
      expect(error).toMatchObject({ code: 'models.import-failed' });
      expect(told.join(' ')).toMatch(/omni_speech2s_llama|cannot be read|control tokens/);
    },
    240_000,
  );
});
