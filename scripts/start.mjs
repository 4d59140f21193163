/**
 * `npm start -- ARGS` is `trunkline up ARGS`, from a clone with nothing but Node and npm. The agent runs in this very
 * process, so that a signal that reaches npm's child reaches the agent and can drain it.
 */
import { prepare } from './prepare.mjs';

await prepare();
const { runCommandLine } = await import('../dist/cli/trunkline.js');
await runCommandLine(['up', ...process.argv.slice(2)]);
