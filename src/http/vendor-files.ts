/** `/vendor`: the libraries of the console's page, whole and as their packages carry them, so that nothing comes from elsewhere. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Router } from 'express';

/** Name under `/vendor` -> package and file in it. The page's import map says which module is which. */
const files: Readonly<Record<string, readonly [string, string]>> = {
  'preact.js': ['preact', 'dist/preact.mjs'],
  'preact-hooks.js': ['preact', 'hooks/dist/hooks.mjs'],
  'htm.js': ['htm', 'dist/htm.mjs'],
  'uplot.js': ['uplot', 'dist/uPlot.esm.js'],
  'uplot.css': ['uplot', 'dist/uPlot.min.css'],
  'wavesurfer.js': ['wavesurfer.js', 'dist/wavesurfer.esm.js'],
  'wavesurfer-regions.js': ['wavesurfer.js', 'dist/plugins/regions.esm.js'],
};

export function vendorFiles(): Router {
  const router = Router();
  for (const [name, [packageName, file]] of Object.entries(files)) {
    router.get(`/${name}`, (_request, response, next) => {
      const root = packageFolder(packageName);
      response.type(name.endsWith('.css') ? 'css' : 'js').sendFile(file, { root, dotfiles: 'allow' }, (error) => {
        if (error !== undefined) next(error);
      });
    });
  }
  return router;
}

/** What a Content-Security-Policy says of the page's import map, which has to stand in the page itself. */
export function importMapHashes(page: string): readonly string[] {
  const html = readFileSync(page, 'utf8');
  return [...html.matchAll(/<script type="importmap">([\s\S]*?)<\/script>/g)].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
}

/** Packages may keep their package.json to themselves; their folder is where the resolver looks. */
function packageFolder(name: string): string {
  const requires = createRequire(__filename);
  const folders = requires.resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      readFileSync(join(folder, name, 'package.json'));
      return join(folder, name);
    } catch {
      // Not in this one.
    }
  }
  return dirname(requires.resolve(name));
}
