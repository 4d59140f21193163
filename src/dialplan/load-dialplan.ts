/** Reads a folder of dialplans and its personas; a wrong file never starts, and the error says file, line, path, expected value. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { faultsError, readCheckedYaml, type YamlFault } from '../core/checked-yaml';
import { pathText } from '../core/described-issues';
import { type ErrorCode, TrunklineError } from '../core/errors';
import { systemErrorCode } from '../core/system-error';
import { type ActionSurroundings, compileAction, compileDirectAction } from './compile-action';
import { type Dialplan, type DialplanPersona, type DirectAction, type Route, reachableActions } from './dialplan';
import { dialplanFileSchema, personaSchema, type WrittenPersona } from './schema';

const yamlName = /\.ya?ml$/;

export interface LoadedDialplan extends Dialplan {
  /** What an application's answer is compiled against. */
  readonly surroundings: ActionSurroundings;
}

/** Files are read in the order of their names. `shownFrom`: the folder that paths in messages are relative to. */
export function loadDialplan(folder: string, shownFrom = process.cwd()): LoadedDialplan {
  const show = (path: string): string => {
    const short = relative(shownFrom, path);
    return short.startsWith('..') ? path : short;
  };
  const files = yamlFiles(folder);
  if (files.length === 0) {
    throw new TrunklineError('dialplan.empty', `There is no dialplan in ${show(folder)}.`, {
      fix: 'Put a YAML file with routes there, or name another folder with `dialplans`.',
    });
  }
  const personas = loadPersonas(join(folder, 'personas'), show);
  const surroundings: ActionSurroundings = { folder, personas, confined: false };
  const faults: (YamlFault & { code: ErrorCode })[] = [];
  const routes: Route[] = [];
  for (const file of files) routes.push(...loadFile(file, show(file), surroundings, faults));
  if (faults.length > 0) {
    const fix = 'Correct the dialplan there; `trunkline dialplan check` tells when it is right.';
    throw faultsError('dialplan.invalid', faults, fix);
  }
  return {
    folder,
    routes,
    personas: distinctPersonas(routes),
    warnings: unreachable(routes),
    surroundings: { ...surroundings, confined: true },
  };
}

function loadFile(
  path: string,
  shown: string,
  surroundings: ActionSurroundings,
  faults: (YamlFault & { code: ErrorCode })[],
): Route[] {
  const read = readCheckedYaml(readText(path, shown), shown, dialplanFileSchema);
  if (!read.ok) {
    faults.push(...read.faults.map((fault) => ({ ...fault, code: 'dialplan.invalid' as const })));
    return [];
  }
  const routes: Route[] = [];
  for (const [index, written] of read.value.routes.entries()) {
    const action = compileAction(written.action, surroundings);
    if (action.ok) {
      const place = `${shown}:${read.lineOf(['routes', index])}`;
      routes.push({ name: written.name ?? place, place, match: written.match, action: action.value });
      continue;
    }
    for (const fault of action.faults) {
      const at = ['routes', index, 'action', ...fault.path];
      const { code, message } = fault;
      faults.push({ file: shown, line: read.lineOf(at), path: pathText(at), message, code });
    }
  }
  return routes;
}

function loadPersonas(folder: string, show: (path: string) => string): ReadonlyMap<string, WrittenPersona> {
  const personas = new Map<string, WrittenPersona>();
  for (const path of yamlFiles(folder, true)) {
    const read = readCheckedYaml(readText(path, show(path)), show(path), personaSchema);
    if (!read.ok) throw faultsError('dialplan.invalid', read.faults, 'Correct the persona there.');
    personas.set(basename(path).replace(yamlName, ''), read.value);
  }
  return personas;
}

function yamlFiles(folder: string, mayBeAbsent = false): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && yamlName.test(entry.name) && !entry.name.startsWith('.'))
      .map((entry) => join(folder, entry.name))
      .sort();
  } catch (error) {
    const absent = systemErrorCode(error) === 'ENOENT';
    if (absent && mayBeAbsent) return [];
    throw unreadable(folder, absent ? 'Create it, or name another folder with `dialplans`.' : undefined, error);
  }
}

function readText(path: string, shown: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(shown, undefined, error);
  }
}

function unreadable(path: string, fix: string | undefined, cause: unknown): TrunklineError {
  return new TrunklineError('dialplan.unreadable', `The dialplan ${path} cannot be read.`, {
    fix: fix ?? 'Give the agent permission to read it.',
    cause,
  });
}

function distinctPersonas(routes: readonly Route[]): DialplanPersona[] {
  const found = new Map<string, DialplanPersona>();
  for (const { action } of routes) {
    for (const one of reachableActions(action)) if (one.type === 'agent') found.set(one.persona.id, one.persona);
  }
  return [...found.values()];
}

/** Whatever stands behind a route that takes every call is dead. */
function unreachable(routes: readonly Route[]): string[] {
  const takesAll = routes.findIndex((route) => Object.values(route.match).every((rule) => rule === undefined));
  if (takesAll < 0) return [];
  const all = routes[takesAll]!;
  return routes
    .slice(takesAll + 1)
    .map((route) => `${route.place}: never reached, ${all.place} before it takes every call.`);
}

/** The agent action of a persona by its name; undefined: there is no such persona. */
export function agentNamed(plan: LoadedDialplan, persona: string): DirectAction | undefined {
  const compiled = compileDirectAction({ type: 'agent', persona }, plan.surroundings);
  return compiled.ok ? compiled.value : undefined;
}
