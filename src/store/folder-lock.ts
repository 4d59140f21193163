/** One process at a time in a folder: a file that names its owner, taken over when that process is dead. */
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TrunklineError } from '../core/errors';
import { systemErrorCode } from '../core/system-error';

export class FolderLock {
  private constructor(private readonly path: string) {}

  /** Rejects with `database.folder-in-use`. */
  static async take(folder: string): Promise<FolderLock> {
    const path = join(folder, 'lock');
    for (let attempt = 0; attempt < 2; attempt += 1) {
      if (await created(path)) return new FolderLock(path);
      const owner = Number((await readFile(path, 'utf8').catch(() => '')).trim());
      if (isAlive(owner)) throw inUse(folder, owner);
      // Its owner was killed. Whoever removes it at the same time finds the file of the other one at the next attempt.
      await rm(path, { force: true });
    }
    throw inUse(folder, undefined);
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

async function created(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(`${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Our own number in an old file is that of a process before us: in a container every run is number 1. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

function inUse(folder: string, owner: number | undefined): TrunklineError {
  return new TrunklineError('database.folder-in-use', 'Another process has the database of this data folder open.', {
    fix: 'Give each agent a data folder of its own, or all of them one PostgreSQL by database.url.',
    details: { folder, owner },
  });
}
