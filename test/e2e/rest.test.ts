/** Every route of a running agent, tried by Schemathesis with requests made from the OpenAPI document; `npm run rest` tries longer. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const python = process.env['REST_PYTHON'] ?? join(root, '.cache/rest-python/bin/python');
const withSchemathesis = existsSync(python) ? it : it.skip;

describe('the REST interface', () => {
  withSchemathesis(
    'answers well-formed requests and others as its OpenAPI document says',
    async () => {
      const child = spawn(
        process.execPath,
        ['scripts/try-rest.mjs', '--phases', 'fuzzing', '--max-examples', '5', '--seed', '20'],
        { cwd: root, env: { ...process.env, REST_PYTHON: python }, stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
        });
      }
      const status = await new Promise((resolve) => child.once('exit', resolve));
      expect(output).toContain('passed');
      expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' });
    },
    300_000,
  );
});
