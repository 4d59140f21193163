/** Nothing about a run leaves the machine, or is kept for somebody else, unasked. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../..');

/** Opens a model as a part of the program, in a home folder of its own; returns what lies in that folder afterwards. */
function homeAfter(beginning: string): string[] {
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  const script = `
    process.exit = () => undefined;
    ${beginning}.then(async () => {
      const { InferenceSession } = require('onnxruntime-node');
      const session = await InferenceSession.create('models/silero-vad/silero-vad.onnx');
      console.log(session.inputNames.length > 0 ? 'opened' : 'empty');
    });`;
  const { ORT_DISABLE_TELEMETRY: _, ...inherited } = process.env;
  try {
    const child = spawnSync(process.execPath, ['-e', script], {
      cwd: root,
      encoding: 'utf8',
      env: { ...inherited, HOME: home, XDG_CACHE_HOME: '' },
    });
    expect(child.stdout).toContain('opened');
    return readdirSync(home);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

describe('the inference library', () => {
  it('writes nothing into the home folder of whoever runs Trunkline', () => {
    expect(homeAfter("require('./dist/cli/trunkline.js').runCommandLine(['--version'])")).toEqual([]);
  }, 60_000);
});
