/** The operator's token on disk. */

import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureApiToken } from '../../src/http/api-token-file';

const newFolder = (): string => join(mkdtempSync(join(tmpdir(), 'trunkline-token-')), 'var');

describe('ensureApiToken', () => {
  it('makes a token that only its owner can read, and keeps it', () => {
    const folder = newFolder();
    const made = ensureApiToken(folder, randomBytes);
    expect(made).toMatchObject({ created: true, path: join(folder, 'token') });
    expect(made.token.length).toBeGreaterThan(40);
    expect(statSync(made.path).mode & 0o777).toBe(0o600);
    expect(ensureApiToken(folder, randomBytes)).toEqual({ ...made, created: false });
    expect(readFileSync(made.path, 'utf8').trim()).toBe(made.token);
  });

  it('closes a file that others could read', () => {
    const folder = newFolder();
    const { path } = ensureApiToken(folder, randomBytes);
    chmodSync(path, 0o644);
    ensureApiToken(folder, randomBytes);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('refuses a token that is too short, and a folder that is none', () => {
    const folder = newFolder();
    const { path } = ensureApiToken(folder, randomBytes);
    writeFileSync(path, 'short\n');
    expect(() => ensureApiToken(folder, randomBytes)).toThrow(expect.objectContaining({ code: 'http.token-file' }));
    expect(() => ensureApiToken(path, randomBytes)).toThrow(expect.objectContaining({ code: 'http.token-file' }));
  });
});
