/**
 * `npm test`: everything that judges a change, from a clone with nothing but Node and npm. Lint, types and layers count
 * as one test each; the last line says how many passed and failed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkNode, ensureBuilt, ensureInstalled, PrepareError, root, runToEnd, say } from './prepare.mjs';
import { ensureInfraPython, ensureRestPython } from './test-checkers.mjs';
import { ensureInferencePython } from './test-inference.mjs';
import { ensurePeers } from './test-peers.mjs';
import { ensureRecipePython, runRecipeTests } from './test-recipe.mjs';

const MOST_FILES_TRIED_AGAIN = 3;
const total = { passed: 0, failed: 0, skipped: 0 };
const problems = [];
/** What failed once and passed when its file was run again. */
const passedAgain = [];
const patterns = process.argv.slice(2);

function count(name, passed, output = '') {
  if (passed) total.passed += 1;
  else {
    total.failed += 1;
    problems.push(name);
  }
  say(`${passed ? 'pass' : 'FAIL'}  ${name}`);
  if (!passed && output.trim() !== '') say(output.trimEnd());
}

const tool = (name, path) => join(root, 'node_modules', name, path);

async function check(name, script, toolArguments) {
  const result = await runToEnd(process.execPath, [script, ...toolArguments], { quiet: true, env: plainEnvironment() });
  count(name, result.status === 0, result.output);
}

function plainEnvironment() {
  const environment = { ...process.env };
  // A developer's own settings of the agent must not leak into its tests.
  for (const name of Object.keys(environment)) if (name.startsWith('TRUNKLINE_')) delete environment[name];
  if (!process.stderr.isTTY) {
    environment.NO_COLOR = '1';
    environment.FORCE_COLOR = '0';
    // Node warns when both are set, and FORCE_COLOR=0 is what jest's chalk obeys.
    environment.NODE_NO_WARNINGS = '1';
  }
  return environment;
}

/**
 * Runs jest and counts what it says. Many suites ring in real time, and a machine that stands still for a second spoils a
 * call: files that failed are run once more, alone, and what passed only then is named at the end. What fails twice, or
 * in more than a few files, is a fault.
 */
async function jest(name, jestArguments, { secondTry = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-jest-'));
  const resultFile = join(folder, 'result.json');
  say(`\n${name}`);
  try {
    const run = await runToEnd(
      process.execPath,
      [
        '--experimental-vm-modules',
        tool('jest', 'bin/jest.js'),
        '--json',
        `--outputFile=${resultFile}`,
        process.stderr.isTTY ? '--colors' : '--no-colors',
        ...jestArguments,
      ],
      // jest prints its JSON on stdout as well; only the file is wanted.
      { env: plainEnvironment(), stdio: ['ignore', 'ignore', 2] },
    );
    if (!existsSync(resultFile)) {
      count(`${name}: the run`, false, `jest left no result (exit ${run.status})`);
      return;
    }
    const result = JSON.parse(readFileSync(resultFile, 'utf8'));
    const failed = result.testResults.filter((suite) => suite.status === 'failed').map((suite) => suite.name);
    if (!secondTry || failed.length === 0 || failed.length > MOST_FILES_TRIED_AGAIN) {
      addResult(name, result, run.status);
      return;
    }
    const passed = result.testResults.filter((suite) => suite.status !== 'failed');
    addResult(name, onlyOf(passed), 0);
    const before = problems.length;
    await jest(
      `${name}: ${failed.length} again`,
      [...jestArguments.filter(isKept), '--runInBand', '--runTestsByPath', ...failed],
      { secondTry: false },
    );
    if (problems.length > before) return;
    for (const suite of result.testResults.filter((suite) => suite.status === 'failed')) {
      const tests = suite.assertionResults.filter(({ status }) => status === 'failed');
      passedAgain.push(...(tests.length === 0 ? [suite.name] : tests.map((test) => test.fullName)));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of jest's arguments, those that the second try has as well: no pattern, and one file at a time. */
const isKept = (argument) => argument.startsWith('--') && !/^--(maxWorkers|runInBand)/.test(argument);

/** jest's result as if it had run no other files than `suites` (entries of its `testResults`). */
function onlyOf(suites) {
  const tests = suites.flatMap((suite) => suite.assertionResults);
  const having = (...states) => tests.filter(({ status }) => states.includes(status)).length;
  return {
    numPassedTests: having('passed'),
    numFailedTests: having('failed'),
    numPendingTests: having('pending', 'skipped', 'disabled'),
    numTodoTests: having('todo'),
    numTotalTests: Math.max(tests.length, 1),
    numRuntimeErrorTestSuites: 0,
    testResults: suites,
  };
}

function addResult(name, result, status) {
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests;
  total.skipped += result.numPendingTests + result.numTodoTests;
  for (const suite of result.testResults) {
    const failed = suite.assertionResults.filter((test) => test.status === 'failed');
    for (const test of failed) problems.push(test.fullName);
    const label = suite.name.replace(`${root}/`, '');
    // A file that did not compile, or that held no test, proves nothing: it is a failure of its own.
    if (failed.length === 0 && suite.status === 'failed') count(`${label}: did not run`, false);
    else if (suite.assertionResults.length === 0) count(`${label}: ran no test`, false);
  }
  if (result.numTotalTests === 0) count(`${name}: ran no test`, false);
  else if (status !== 0 && result.numFailedTests === 0 && result.numRuntimeErrorTestSuites === 0)
    count(`${name}: jest ended with ${status}`, false);
}

try {
  checkNode();
  await ensureInstalled();
} catch (error) {
  if (!(error instanceof PrepareError)) throw error;
  say(error.message);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

for (const line of await ensurePeers(say)) say(line);

// A pattern of its own folder, or none, asks for the recipe's tests; the suite that imports models uses the same Python.
const recipe =
  patterns.length === 0 || patterns.some((pattern) => pattern.startsWith('models/recipe'))
    ? await ensureRecipePython(say)
    : {};
if (recipe.reason !== undefined)
  say(`skip  the recipe's tests and the import of models: ${recipe.reason}. Fix: models/recipe/README.md`);
if (recipe.python !== undefined) process.env.RECIPE_PYTHON = recipe.python;

const checkers =
  patterns.length === 0 || patterns.some((pattern) => pattern.startsWith('test/infra'))
    ? await ensureInfraPython(say)
    : {};
if (checkers.reason !== undefined)
  say(`skip  some checks of infra/: ${checkers.reason}. Fix: install Python 3.11 with venv and pip`);
if (checkers.python !== undefined) process.env.INFRA_PYTHON = checkers.python;

const rest =
  patterns.length === 0 || patterns.some((pattern) => 'test/e2e/rest.test.ts'.startsWith(pattern))
    ? await ensureRestPython(say)
    : {};
if (rest.reason !== undefined)
  say(`skip  the REST interface by Schemathesis: ${rest.reason}. Fix: install Python 3.11 with venv and pip`);
if (rest.python !== undefined) process.env.REST_PYTHON = rest.python;
const inference =
  patterns.length === 0 || patterns.some((pattern) => /^test\/(onnx|model)/.test(pattern))
    ? await ensureInferencePython(say)
    : {};
if (inference.reason !== undefined)
  say(`skip  models on a server: ${inference.reason}. Fix: install Python 3.11 with venv and pip`);
if (inference.python !== undefined) process.env.INFERENCE_PYTHON = inference.python;

try {
  await ensureBuilt();
  count('build', true);
} catch (error) {
  if (!(error instanceof PrepareError)) throw error;
  count('build', false, error.message);
}

if (patterns.length === 0) {
  const typescript = tool('typescript', 'bin/tsc');
  await check('lint', tool('@biomejs/biome', 'bin/biome'), ['check', '--max-diagnostics=50', '.']);
  await check('types of src', typescript, ['--noEmit', '-p', 'tsconfig.json', '--pretty', 'false']);
  await check('types of tests', typescript, ['-p', 'tsconfig.test.json', '--pretty', 'false']);
  await check('layers', tool('dependency-cruiser', 'bin/dependency-cruise.mjs'), [
    '--config',
    '.dependency-cruiser.cjs',
    '--no-progress',
    'src',
  ]);
}

const isEndToEnd = (pattern) => pattern.includes('e2e');
const isRecipe = (pattern) => pattern.startsWith('models/recipe');
const unitPatterns = patterns.filter((pattern) => !isEndToEnd(pattern) && !isRecipe(pattern));
const endToEndPatterns = patterns.filter(isEndToEnd);

if (patterns.length === 0 || unitPatterns.length > 0) {
  await jest('unit, protocol, media and model suites', [
    // Before the options: one that takes a list would take the patterns as well.
    ...unitPatterns,
    '--maxWorkers=2',
    '--testPathIgnorePatterns=/node_modules/',
    '--testPathIgnorePatterns=/test/e2e/',
  ]);
}
// One after the other: each rings a whole agent, and two would take each other's processor time and ports.
if (patterns.length === 0 || endToEndPatterns.length > 0) {
  await jest('end-to-end suites', ['--runInBand', ...(patterns.length === 0 ? ['/test/e2e/'] : endToEndPatterns)]);
}

if (recipe.python !== undefined) {
  say('\nrecipe suites (Python)');
  const result = await runRecipeTests(recipe.python);
  for (const count of ['passed', 'failed', 'skipped']) total[count] += result[count];
  problems.push(...result.problems);
  if (result.output !== '') say(result.output.trimEnd());
  say(
    `${result.failed === 0 ? 'pass' : 'FAIL'}  ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`,
  );
}

if (passedAgain.length > 0) say(`\nPassed only when run again:\n${passedAgain.map((name) => `  ${name}`).join('\n')}`);
if (problems.length > 0) say(`\nFailed:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 ? 1 : 0;
