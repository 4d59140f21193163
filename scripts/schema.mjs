/** `npm run schema`: writes trunkline.schema.json anew, after a key of the configuration has changed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

await prepare();
const { configJsonSchema } = await import('../dist/config.js');
writeFileSync(join(root, 'trunkline.schema.json'), configJsonSchema());
