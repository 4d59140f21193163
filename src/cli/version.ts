/** The version of this program, from package.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** The folder of package.json, the same from src/cli and from dist/cli. */
export const installFolder = join(__dirname, '..', '..');

export const version = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(installFolder, 'package.json'), 'utf8'))).version;
