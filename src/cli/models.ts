/** `trunkline models`: which weights are installed, from where, under which licence, and whether they are whole. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfig } from '../config';
import { TrunklineError } from '../core/errors';
import { type ModelFolder, openModelFolder } from '../model/manifest';
import { type Arguments, type Command, configFlag, exitCodes } from './command';

export const modelsList: Command = {
  name: 'models list',
  summary: 'the installed weights with size, licence and origin',
  flags: [{ name: 'json', summary: 'as JSON' }, configFlag],
  positionals: [],
  async run(given, terminal) {
    const folders = await openModels(modelsFolder(given));
    if (given.has('json')) {
      terminal.out(
        JSON.stringify(
          folders.map(({ manifest }) => manifest),
          null,
          2,
        ),
      );
      return exitCodes.fine;
    }
    for (const { manifest } of folders) {
      const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
      terminal.out(`${manifest.name} ${manifest.version}  ${megabytes(bytes)}  ${manifest.licence}`);
      terminal.out(`  ${manifest.description}`);
      for (const source of manifest.sources) {
        terminal.out(`  from ${source.package} ${source.version} (${source.licence})`);
      }
      for (const file of manifest.files) terminal.out(`  ${file.sha256}  ${file.path}`);
    }
    return exitCodes.fine;
  },
};

export const modelsVerify: Command = {
  name: 'models verify',
  summary: 'reads every byte of the weights and compares the sums',
  flags: [configFlag],
  positionals: [],
  async run(given, terminal) {
    let damaged = 0;
    for (const folder of await openModels(modelsFolder(given))) {
      try {
        await folder.verify();
        terminal.out(`whole    ${folder.manifest.name} (${folder.manifest.files.length} files)`);
      } catch (error) {
        damaged += 1;
        const fix = error instanceof TrunklineError && error.fix !== undefined ? ` Fix: ${error.fix}` : '';
        terminal.out(`damaged  ${folder.manifest.name}: ${error instanceof Error ? error.message : error}${fix}`);
      }
    }
    return damaged === 0 ? exitCodes.fine : exitCodes.failed;
  },
};

function modelsFolder(given: Arguments): string {
  return resolve(loadConfig({ file: given.text('config') }).engine.models);
}

/** Every folder that has a manifest, by name. */
export async function openModels(folder: string): Promise<ModelFolder[]> {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('manifest.json'))
      .map((path) => path.slice(0, -'manifest.json'.length))
      .sort();
  } catch (cause) {
    throw new TrunklineError('models.no-folder', `The folder of weights ${folder} cannot be read.`, {
      fix: 'Start in the folder of the checkout, or set engine.models.',
      cause,
    });
  }
  if (names.length === 0) {
    throw new TrunklineError('models.no-folder', `There are no weights in ${folder}.`, {
      fix: 'Check the repository out again: the weights are part of it.',
    });
  }
  return Promise.all(names.map((name) => openModelFolder(join(folder, name))));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
