/**
 * `npm run rest -- [--max-examples N] [--phases …]`: Schemathesis tries every route of a running agent with requests made from its
 * OpenAPI document, well-formed and not, and holds each answer against it. Ends with the status of Schemathesis; needs `npm run build`.
 */
import { join } from 'node:path';
import { root, runToEnd, say } from './prepare.mjs';
import { ensureRestPython } from './test-checkers.mjs';

const given = process.argv.slice(2);
const { python, reason } = await ensureRestPython(say);
if (python === undefined) {
  say(`Schemathesis is not here: ${reason}`);
  process.exit(2);
}
const { startOwnAgent } = await import(new URL('../dist/bench/own-agent.js', import.meta.url).href);
// All of it comes from one source, and as fast as it can.
const limits = { callsPerSourcePerSecond: 100_000, httpRequestsPerSourcePerSecond: 100_000 };
const agent = await startOwnAgent({ root, config: { limits } });
try {
  // Nobody is there: a call with a record, in which every optional part of a refused call shows.
  const { id } = await agent.request('POST', '/v1/calls', { to: 'sip:nobody@127.0.0.1:9', agent: 'demo' });
  const folder = join(root, 'test', 'rest');
  const result = await runToEnd(
    python,
    [
      ...['-m', 'schemathesis.cli', '--config-file', join(folder, 'schemathesis.toml'), 'run'],
      ...[`${agent.httpUrl}/openapi.json`, '--header', `Authorization: Bearer ${agent.token}`],
      ...[
        '--request-timeout',
        '30',
        '--warnings',
        'off',
        '--generation-database',
        'none',
        '--continue-on-failure',
        ...given,
      ],
    ],
    {
      stdio: 'inherit',
      cwd: folder,
      env: {
        ...process.env,
        TRIED_CALL_ID: id,
        SCHEMATHESIS_HOOKS: 'sdp_bodies',
        PYTHONPATH: folder,
        PYTHONDONTWRITEBYTECODE: '1',
      },
    },
  );
  process.exitCode = result.status ?? 1;
} finally {
  await agent.stop();
}
