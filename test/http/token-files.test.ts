import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { silentLogger } from '../../src/core/log';
import type { AccessToken } from '../../src/http/ports';
import { TokenFiles, tokensIn } from '../../src/http/token-files';
import { type AgentApp, startAgentApp } from './agent-app';

const first = 'first-0123456789abcdef';
const second = 'second-0123456789abcdef';
const fixed: AccessToken = { token: 'fixed-0123456789abcdef', name: 'fixed', scopes: ['read'] };

let path: string;
let nowMs: number;
let files: TokenFiles;
let agent: AgentApp;

beforeEach(async () => {
  path = join(mkdtempSync(join(tmpdir(), 'trunkline-tokens-')), 'token');
  nowMs = 0;
  writeFileSync(path, `${first}\n`);
  files = new TokenFiles([fixed], [{ path, name: 'app', scopes: ['control'] }], () => nowMs, silentLogger);
  agent = await startAgentApp({ tokens: files.current });
});
afterEach(() => agent.close());

const statusWith = async (token: string) => (await agent.request('/v1/calls', { token })).status;

describe('tokens in files', () => {
  it('are rotated without a restart: the new one beside the old one, then without it', async () => {
    expect([await statusWith(first), await statusWith(second)]).toEqual([200, 401]);
    writeFileSync(path, `# since today\n${second}\n\n${first}\n`);
    nowMs += 1_000;
    expect([await statusWith(first), await statusWith(second)]).toEqual([200, 200]);
    writeFileSync(`${path}.new`, `${second}\n`);
    renameSync(`${path}.new`, path);
    nowMs += 1_000;
    expect([await statusWith(first), await statusWith(second)]).toEqual([401, 200]);
    expect(await statusWith(fixed.token)).toBe(200);
  });

  it('let nobody in once their file is gone, and again when it is back', async () => {
    rmSync(path);
    nowMs += 1_000;
    expect([await statusWith(first), await statusWith(fixed.token)]).toEqual([401, 200]);
    writeFileSync(path, first);
    nowMs += 1_000;
    expect(await statusWith(first)).toBe(200);
  });

  it('have the scopes of their file', async () => {
    const order = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
    const wide = await agent.request('/v1/calls', { ...order, token: first });
    const narrow = await agent.request('/v1/calls', { ...order, token: fixed.token });
    expect([wide.status, narrow.status]).toEqual([422, 403]);
  });

  it('are never shorter than sixteen characters, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const token of tokensIn(text)) {
          expect(token.length).toBeGreaterThanOrEqual(16);
          expect(token).toBe(token.trim());
        }
      }),
    );
  });
});
