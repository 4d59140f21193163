/** The scanners of sipvicious, run as a stranger would run them (Debian package sipvicious). */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Scanner = 'svmap' | 'svwar' | 'svcrack';

/** Whether they are installed; if not, says so once: a skipped suite must not look like a passed one. */
export function sipviciousInstalled(): boolean {
  const found = spawnSync('svmap', ['--version']).error === undefined;
  if (!found) process.stderr.write('skipped: scans by sipvicious, because it is not installed\n');
  return found;
}

/** Resolves with all that it said when it has ended. `words`: its dictionary, one a line. */
export async function scan(tool: Scanner, args: readonly string[], words?: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sipvicious-'));
  const dictionary = join(folder, 'words');
  if (words !== undefined) writeFileSync(dictionary, `${words.join('\n')}\n`);
  const given = words === undefined ? [] : ['-d', dictionary];
  // They keep their sessions in the home folder.
  const child = spawn(tool, [...given, ...args], { cwd: folder, env: { ...process.env, HOME: folder } });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await new Promise((ended) => child.once('close', ended));
  rmSync(folder, { recursive: true, force: true });
  return said;
}
