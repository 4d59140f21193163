import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartTrace } from '../../src/core/start-trace';
import { loadModel } from '../../src/model/load-model';

describe('the table of engines', () => {
  const modelsDir = mkdtempSync(join(tmpdir(), 'trunkline-models-'));
  afterAll(() => rmSync(modelsDir, { recursive: true }));

  it('names the engines that there are when asked for another', () => {
    expect(() => loadModel({ name: 'parrot', modelsDir, threads: 1 }, new StartTrace(() => 0))).toThrow(
      expect.objectContaining({ code: 'engine.unknown', fix: expect.stringContaining('llama-omni') }),
    );
  });

  it('needs to know the server of the engine remote', async () => {
    await expect(loadModel({ name: 'remote', modelsDir, threads: 1 }, new StartTrace(() => 0))).rejects.toMatchObject({
      code: 'engine.no-server',
    });
  });

  it('says how to come by the weights of LLaMA-Omni where there are none', async () => {
    await expect(
      loadModel({ name: 'llama-omni', modelsDir, threads: 1 }, new StartTrace(() => 0)),
    ).rejects.toMatchObject({ code: 'engine.no-weights', fix: expect.stringContaining('models import') });
  });
});
