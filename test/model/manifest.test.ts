import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { hasCode, TrunklineError } from '../../src/core/errors';
import { openModelFolder, parseManifest } from '../../src/model/manifest';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a model folder', () => {
  let folder: string;
  const shards = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5), Uint8Array.of(6)];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-manifest-'));
    const files = shards.map((bytes, i) => {
      const path = `net.onnx.00${i}`;
      writeFileSync(join(folder, path), bytes);
      return { path, bytes: bytes.length, sha256: sha256(bytes) };
    });
    writeFileSync(join(folder, 'words.txt'), 'grüß');
    const words = Buffer.from('grüß');
    // Shards are joined by their number, whatever their order in the manifest.
    files.reverse();
    files.push({ path: 'words.txt', bytes: words.length, sha256: sha256(words) });
    writeFileSync(
      join(folder, 'manifest.json'),
      JSON.stringify({
        name: 'tiny',
        version: '1',
        description: 'three shards',
        licence: 'MIT',
        sources: [{ package: 'none', version: '0', licence: 'MIT' }],
        recipe: 'none',
        files,
        parameters: { sampleRate: 16000 },
      }),
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('joins shards by number and reads whole files as they are', async () => {
    const model = await openModelFolder(folder);
    expect([...(await model.read('net.onnx'))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await model.readText('words.txt')).toBe('grüß');
    expect(model.has('net.onnx')).toBe(true);
    expect(model.has('net')).toBe(false);
    await model.verify();
  });

  it('holds the parameters to the schema of the family', async () => {
    const model = await openModelFolder(folder);
    expect(model.parameters(z.object({ sampleRate: z.number() })).sampleRate).toBe(16000);
    expect(() => model.parameters(z.object({ layers: z.number() }))).toThrow(/parameters: layers/);
  });

  it('calls a changed byte a corrupt file, also when the size is right', async () => {
    writeFileSync(join(folder, 'net.onnx.001'), Uint8Array.of(4, 9));
    const model = await openModelFolder(folder);
    await expect(model.read('net.onnx')).rejects.toMatchObject({ code: 'models.corrupt-file' });
    await expect(model.verify()).rejects.toMatchObject({ code: 'models.corrupt-file' });
  });

  it('calls a cut file corrupt and says by how much', async () => {
    writeFileSync(join(folder, 'net.onnx.000'), Uint8Array.of(1));
    const model = await openModelFolder(folder);
    await expect(model.read('net.onnx')).rejects.toThrow('1 bytes instead of 3');
  });

  it('names a missing file and how to get it back', async () => {
    rmSync(join(folder, 'net.onnx.002'));
    const model = await openModelFolder(folder);
    await expect(model.verify()).rejects.toMatchObject({
      code: 'models.missing-file',
      fix: expect.stringContaining('git checkout'),
      details: { path: join(folder, 'net.onnx.002') },
    });
  });

  it('tells a folder without manifest and a name that the manifest lacks', async () => {
    await expect(openModelFolder(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'models.missing-file' });
    const model = await openModelFolder(folder);
    await expect(model.read('other.onnx')).rejects.toMatchObject({ code: 'models.unknown-file' });
  });
});

describe('parseManifest', () => {
  it('refuses paths that lead out of the folder', () => {
    const file = { bytes: 1, sha256: '0'.repeat(64) };
    for (const path of ['../secret', '/etc/passwd', 'a/../../b', '']) {
      const text = JSON.stringify({
        name: 'x',
        version: '1',
        description: '',
        licence: 'MIT',
        sources: [{ package: 'p', version: '1', licence: 'MIT' }],
        recipe: '',
        files: [{ path, ...file }],
      });
      expect(() => parseManifest(text, 'manifest.json')).toThrow(/files\.0\.path/);
    }
  });

  it('answers any text with a manifest or the one coded error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          parseManifest(text, 'manifest.json');
        } catch (error) {
          expect(error).toBeInstanceOf(TrunklineError);
          expect(hasCode(error, 'models.bad-manifest')).toBe(true);
        }
      }),
    );
  });
});

describe('what is shipped', () => {
  const models = join(__dirname, '../../models');
  const graphs = readdirSync(models, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.onnx'));

  // torch writes the stack trace of its maker beside every node; models/recipe/trunkline_recipe/plain_graph.py takes it out.
  it.each(graphs)('%s tells nothing of the machine on which it was made', (path) => {
    expect(readFileSync(join(models, path)).includes('site-packages')).toBe(false);
  });
});
