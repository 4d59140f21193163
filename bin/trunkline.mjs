#!/usr/bin/env node
/** `npx trunkline …`: the command line, built first if the sources are newer. */
import { prepare } from '../scripts/prepare.mjs';

await prepare();
const { runCommandLine } = await import('../dist/cli/trunkline.js');
await runCommandLine(process.argv.slice(2));
