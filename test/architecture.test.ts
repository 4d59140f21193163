/** The rules of ARCHITECTURE.md that a compiler does not hold. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const root = join(__dirname, '..');

function filesUnder(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

const sources = filesUnder(join(root, 'src'), /\.ts$/).map((path) => ({
  path: relative(root, path),
  text: readFileSync(path, 'utf8'),
}));

function importsOf(text: string): string[] {
  return [
    ...text.matchAll(/^(?:import|export)\s[^'"]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|^import\s+'([^']+)'/gms),
  ].map(([, from, dynamic, bare]) => from ?? dynamic ?? bare ?? '');
}

describe('every file of src', () => {
  it.each(sources.map(({ path, text }) => [path, text]))(
    '%s opens with a sentence that says what it is for',
    (_path, text) => {
      const comment = /^(?:#![^\n]*\n)?\/\*\*([\s\S]*?)\*\//.exec(text ?? '')?.[1] ?? '';
      const sentence = comment.replace(/^\s*\* ?/gm, ' ').trim();
      expect(sentence.length).toBeGreaterThan(20);
      expect(sentence).toMatch(/[.:]/);
    },
  );

  it('has no folder or file for what has no name', () => {
    const vague = sources.map(({ path }) => path).filter((path) => /(manager|helper|utils?|misc|common)\b/i.test(path));
    expect(vague).toEqual([]);
  });
});

describe('one outside package, one owner', () => {
  const owners: readonly (readonly [string, RegExp])[] = [
    ['onnxruntime-node', /^src\/onnx\//],
    ['werift', /^src\/(webrtc|rtp)\//],
    ['drachtio-srf', /^src\/sip\//],
    ['ws', /^src\/sip\/embedded\//],
    ['prism-media', /^src\/codecs\//],
    ['@evan/opus', /^src\/codecs\//],
    ['express', /^src\/http\//],
    ['prom-client', /^src\/http\//],
    ['standardwebhooks', /^src\/webhooks\//],
    ['ajv', /^src\/core\/json-schema\.ts$/],
    ['@modelcontextprotocol/sdk', /^src\/tools\//],
    ['pino', /^src\/log-pino\.ts$/],
  ];

  it.each(owners)('%s is imported only by %s', (name, owner) => {
    const users = sources.filter(({ text }) =>
      importsOf(text).some((from) => from === name || from.startsWith(`${name}/`)),
    );
    expect(users.filter(({ path }) => !owner.test(path)).map(({ path }) => path)).toEqual([]);
  });

  it('process.env is read by config.ts and by nobody else', () => {
    // Workers get what they need at their start; a child process may be handed the environment whole.
    const readers = sources.filter(({ text }) =>
      /\bprocess\.env\b/.test(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')),
    );
    expect(readers.map(({ path }) => path)).toEqual(['src/config.ts']);
  });
});

describe('time, chance and sockets are passed in', () => {
  // The family table composes engines and hands them their clock.
  const pure = /^src\/(audio|codecs|rtp|turn|model)\/(?!load-model)/;
  const forbidden = /\b(Date\.now|performance\.now|Math\.random|setTimeout|setInterval|new Date\(\))/;

  it.each(sources.filter(({ path }) => pure.test(path)).map(({ path, text }) => [path, text]))(
    '%s reads none by itself',
    (_path, text) => {
      const code = (text ?? '').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      expect(forbidden.exec(code)?.[0]).toBeUndefined();
    },
  );
});

describe('every error code', () => {
  const documented = new Set(
    filesUnder(join(root, 'docs'), /\.md$/)
      .filter((path) => /docs\/errors(\.md$|\/)/.test(path))
      .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/^\|\s*`([a-z0-9-]+\.[a-z0-9-]+)`/gm)])
      .map(([, code]) => code),
  );
  const used = new Set(
    sources.flatMap(({ text }) =>
      [...text.matchAll(/new TrunklineError\(\s*'([^']+)'/g)].map(([, code]) => code ?? ''),
    ),
  );

  it.each([...used].sort())('%s has a row in docs/errors.md', (code) => {
    expect(documented.has(code)).toBe(true);
  });
});

describe('the layer rules', () => {
  const cruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = join(root, '.dependency-cruiser.cjs');

  it('bite: an upward import and a foreign package are found', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-layers-'));
    for (const name of ['core', 'http', 'rtp', 'turn']) mkdirSync(join(folder, 'src', name), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"name":"x","dependencies":{}}');
    writeFileSync(join(folder, 'tsconfig.json'), '{}');
    writeFileSync(join(folder, 'src/http/app.ts'), 'export const app = 1;\n');
    writeFileSync(join(folder, 'src/core/low.ts'), "export { app } from '../http/app';\n");
    writeFileSync(join(folder, 'src/turn/turn.ts'), 'export const turn = 1;\n');
    writeFileSync(
      join(folder, 'src/rtp/packet.ts'),
      "import { turn } from '../turn/turn';\nexport const packet = turn;\n",
    );
    const output = cruiseIn(folder);
    expect(output).toMatch(/core-looks-only-down.*src\/core\/low\.ts/);
    expect(output).toMatch(/rtp-stands-alone.*src\/rtp\/packet\.ts/);
  });

  function cruiseIn(folder: string): string {
    try {
      execFileSync(process.execPath, [cruise, '--config', config, '--no-progress', 'src'], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });
      return 'no violation';
    } catch (error) {
      return typeof error === 'object' && error !== null && 'stdout' in error ? String(error.stdout) : String(error);
    }
  }
});
