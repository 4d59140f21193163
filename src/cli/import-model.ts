/**
 * `trunkline models import FOLDER`: recognises the files of a published model by their names and runs the recipe's
 * converter on them. Only this command needs Python; what it makes runs without.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfig } from '../config';
import { TrunklineError } from '../core/errors';
import { openModelFolder } from '../model/manifest';
import { type Command, configFlag, exitCodes } from './command';

interface PublishedFamily {
  readonly name: string;
  /** Files whose presence tells the family; the converter asks for the rest. */
  readonly marks: readonly string[];
  /** All that must lie in the folder. */
  readonly needs: readonly string[];
  /** Module of the recipe. */
  readonly converter: string;
}

const FAMILIES: readonly PublishedFamily[] = [
  {
    name: 'mini-omni',
    marks: ['lit_model.pth', 'model_config.yaml'],
    needs: [
      'lit_model.pth',
      'model_config.yaml',
      'tokenizer.json',
      'small.pt',
      'snac_24khz/config.json',
      'snac_24khz/pytorch_model.bin',
    ],
    converter: 'trunkline_recipe.families.mini_omni.convert',
  },
  {
    name: 'llama-omni',
    marks: ['config.json', 'large-v3.pt'],
    needs: ['config.json', 'tokenizer.json', 'large-v3.pt', 'vocoder/config.json', 'vocoder/g_00500000'],
    converter: 'trunkline_recipe.families.llama_omni.convert',
  },
];

const root = join(__dirname, '../..');
/** What the converter imports; asked for before a long conversion starts. */
const PACKAGES = 'import torch, onnx, numpy';

/** The family that the files in `folder` belong to; throws what is missing. */
export function recogniseFamily(folder: string): PublishedFamily {
  const family = FAMILIES.find(({ marks }) => marks.every((name) => existsSync(join(folder, name))));
  if (family === undefined) {
    const known = FAMILIES.map(({ name, marks }) => `${name} (${marks.join(', ')})`).join('; ');
    throw new TrunklineError('models.unknown-family', `${folder} holds no model that can be imported.`, {
      fix: `Known by their files: ${known}.`,
    });
  }
  const missing = family.needs.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) {
    throw new TrunklineError('models.incomplete', `${folder} lacks ${missing.join(', ')} of ${family.name}.`, {
      fix: 'Download what is missing into the same folder; docs/models.md says from where.',
    });
  }
  return family;
}

export const modelsImport: Command = {
  name: 'models import',
  summary: 'converts an official checkpoint that you have downloaded (needs Python)',
  flags: [
    { name: 'python', value: 'PATH', summary: 'the interpreter that has the recipe’s packages (default python3)' },
    { name: 'bits', value: 'N', summary: '8 (default), or 32: exact, four times as large' },
    configFlag,
  ],
  positionals: [{ name: 'folder', required: true }],
  async run(given, terminal) {
    const source = resolve(given.positional('folder') ?? '');
    const family = recogniseFamily(source);
    const python = given.text('python') ?? 'python3';
    const out = join(resolve(loadConfig({ file: given.text('config') }).engine.models), family.name);
    if ((await run(python, ['-c', PACKAGES], () => undefined)) !== 0) {
      throw new TrunklineError(
        'models.no-python',
        `${python} cannot convert models: it is missing, or lacks packages.`,
        {
          fix: 'Importing needs Python 3.11 or newer with the recipe’s packages: `python3 -m venv .venv && .venv/bin/pip install ./models/recipe`, then again with --python .venv/bin/python. Running an imported model needs none of it.',
        },
      );
    }
    terminal.out(`${family.name} in ${source}: converting to ${out}`);
    const code = await run(python, ['-m', family.converter, source, out, '--bits', given.text('bits') ?? '8'], (line) =>
      terminal.err(line),
    );
    if (code !== 0) {
      throw new TrunklineError('models.import-failed', `The converter of ${family.name} ended with code ${code}.`, {
        fix: 'Its own words stand above; files that were cut short while downloading are the usual reason.',
      });
    }
    await (await openModelFolder(out)).verify();
    terminal.out(`imported. Use it with engine.name ${family.name}.`);
    return exitCodes.fine;
  },
};

/** Resolves with the exit code; a program that does not exist ends with 127. */
function run(program: string, args: readonly string[], tell: (line: string) => void): Promise<number> {
  return new Promise((done) => {
    // The recipe is found where it lies; nothing has to be installed of it.
    const child = spawn(program, [...args], { cwd: join(root, 'models/recipe'), stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        for (const line of text.split('\n')) if (line.trim() !== '') tell(line);
      });
    }
    child.on('error', () => done(127));
    child.on('close', (code) => done(code ?? 1));
  });
}
