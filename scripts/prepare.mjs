/** Makes a fresh clone ready with nothing but Node and npm: installs what the lockfile names, compiles what changed. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const oldestNode = [20, 11];
const installStamp = join(root, 'node_modules', '.trunkline-stamp');
const buildStamp = join(root, 'dist', '.trunkline-stamp');

/** What a person reads goes to stderr: stdout belongs to the program that is being prepared. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

export class PrepareError extends Error {}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const fits = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  if (!fits) {
    throw new PrepareError(
      `Node ${process.versions.node} is too old. Fix: install Node ${oldestNode.join('.')} or later (nodejs.org).`,
    );
  }
}

/**
 * npm drops development dependencies when NODE_ENV or its omit settings say so, wherever they were set; the compiler is
 * one of them, so the child sees none of these.
 */
export function installEnvironment(environment = process.env) {
  const clean = {};
  for (const [name, value] of Object.entries(environment)) {
    const lower = name.toLowerCase();
    if (name === 'NODE_ENV') continue;
    if (['npm_config_omit', 'npm_config_production', 'npm_config_only', 'npm_config_also'].includes(lower)) continue;
    if (['npm_config_dev', 'npm_config_include', 'npm_config_optional'].includes(lower)) continue;
    clean[name] = value;
  }
  return clean;
}

/** Runs a program to its end; a signal meant for us is passed on, so nothing is left behind. */
export function runToEnd(command, commandArguments, { quiet = false, ...options } = {}) {
  return new Promise((resolve) => {
    const output = [];
    const child = spawn(command, commandArguments, {
      cwd: root,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 2, 2],
      ...options,
    });
    const pass = (signal) => child.kill(signal);
    process.on('SIGINT', pass);
    process.on('SIGTERM', pass);
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    const done = (status, signal) => {
      process.off('SIGINT', pass);
      process.off('SIGTERM', pass);
      if (signal === 'SIGINT' || signal === 'SIGTERM') process.exit(signal === 'SIGINT' ? 130 : 143);
      resolve({ status, output: Buffer.concat(output).toString() });
    };
    child.on('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      done(127, null);
    });
    child.on('close', (status, signal) => done(status ?? 1, signal));
  });
}

function wantedInstallStamp() {
  const hash = createHash('sha256');
  hash.update(readFileSync(join(root, 'package-lock.json')));
  hash.update(`${process.version} ${process.platform} ${process.arch}`);
  return hash.digest('hex');
}

/** True when node_modules was filled by hand from this very lockfile: nothing to do but to say so. */
function treeMatchesLockfile() {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const found = JSON.parse(readFileSync(hidden, 'utf8')).packages;
    return Object.entries(wanted).every(([path, entry]) => {
      if (path === '') return true;
      if (found[path] === undefined) return entry.optional === true;
      return found[path].version === entry.version && existsSync(join(root, path));
    });
  } catch {
    return false;
  }
}

export async function ensureInstalled() {
  // A deployed copy has no lockfile of its own to follow.
  if (!existsSync(join(root, 'package-lock.json'))) return;
  const wanted = wantedInstallStamp();
  const found = existsSync(installStamp) ? readFileSync(installStamp, 'utf8') : undefined;
  if (found === wanted) return;
  if (found === undefined && treeMatchesLockfile()) {
    writeFileSync(installStamp, wanted);
    return;
  }
  say('Installing dependencies (npm ci)…');
  const npmScript = process.env.npm_execpath;
  const usable = npmScript?.endsWith('npm-cli.js') && existsSync(npmScript);
  const [command, first] = usable ? [process.execPath, [npmScript]] : ['npm', []];
  const flags = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const result = await runToEnd(command, [...first, ...flags], { env: installEnvironment() });
  if (result.status !== 0) {
    throw new PrepareError(
      `npm ci failed (${result.status}). Fix: see its lines above; the first install needs the package registry.`,
    );
  }
  writeFileSync(installStamp, wanted);
}

function filesUnder(folder) {
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...filesUnder(path));
    else if (entry.isFile()) found.push(path);
  }
  return found.sort();
}

function wantedBuildStamp(sources) {
  const hash = createHash('sha256');
  for (const path of [...sources, join(root, 'tsconfig.json'), join(root, 'package-lock.json')]) {
    hash.update(`${relative(root, path)}\0`);
    hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

export async function ensureBuilt() {
  const sourceFolder = join(root, 'src');
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  // A deployed copy carries dist/ and no sources.
  if (!existsSync(sourceFolder)) return;
  if (isBuilt(sourceFolder)) return;
  const release = await takeBuildLock();
  try {
    // Whoever had the lock before us may have done it.
    if (!isBuilt(sourceFolder)) await build(sourceFolder, compiler);
  } finally {
    release();
  }
}

function isBuilt(sourceFolder) {
  const sources = filesUnder(sourceFolder);
  const stamped = existsSync(buildStamp) && readFileSync(buildStamp, 'utf8') === wantedBuildStamp(sources);
  return stamped && missingOutputs(sources, sourceFolder).length === 0;
}

function outputOf(source, sourceFolder) {
  return join(root, 'dist', relative(sourceFolder, source).replace(/\.tsx?$/, '.js'));
}

function missingOutputs(sources, sourceFolder) {
  return sources.filter((path) => !path.endsWith('.d.ts') && !existsSync(outputOf(path, sourceFolder)));
}

/** Two commands on a stale tree must not compile into one folder at once. The lock holds the owner's process id. */
async function takeBuildLock() {
  const lock = join(root, 'dist', '.building');
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      const release = () => rmSync(lock, { force: true });
      process.once('exit', release);
      return () => {
        process.off('exit', release);
        release();
      };
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isAlive(lock)) rmSync(lock, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isAlive(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    const ageMs = Date.now() - statSync(lock).mtimeMs;
    // The number is written a moment after the file is made; and after ten minutes it may be another process's.
    if (pid === 0) return ageMs < 5_000;
    if (ageMs > 600_000) return false;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM' || error.code === 'ENOENT';
  }
}

async function build(sourceFolder, compiler) {
  say('Building…');
  const sources = filesUnder(sourceFolder);
  const wanted = wantedBuildStamp(sources);
  rmSync(buildStamp, { force: true });
  // The compiler believes its notes: what somebody deleted from dist/ it would not write again.
  if (missingOutputs(sources, sourceFolder).length > 0) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  const result = await runToEnd(process.execPath, [compiler, '-p', 'tsconfig.json']);
  // What is not compiled is carried over: pages, pictures, schemas.
  for (const path of sources.filter((source) => !/\.tsx?$/.test(source))) {
    const target = outputOf(path, sourceFolder);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
  // Listed anew: a file that came while the compiler ran is no orphan.
  removeOrphans(filesUnder(sourceFolder), sourceFolder);
  if (result.status !== 0) throw new PrepareError('The build failed. Fix: the compiler says where, above.');
  writeFileSync(buildStamp, wanted);
}

/** A module that was renamed must not live on in dist/. */
function removeOrphans(sources, sourceFolder) {
  const dist = join(root, 'dist');
  if (!existsSync(dist)) return;
  const kept = new Set(sources.map((path) => relative(sourceFolder, path).replace(/\.tsx?$/, '')));
  for (const path of filesUnder(dist)) {
    const name = relative(dist, path);
    if (name.startsWith('.')) continue;
    if (!kept.has(name.replace(/\.(d\.ts|js)(\.map)?$/, '')) && !kept.has(name) && statSync(path).isFile())
      rmSync(path);
  }
}

/** Installs and builds, or says in one line why not and ends the process. */
export async function prepare({ build = true } = {}) {
  try {
    checkNode();
    await ensureInstalled();
    if (build) await ensureBuilt();
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error;
    say(error.message);
    process.exit(2);
  }
}
