/** Environment variables over the file: `TRUNKLINE_` and the key's path in capitals, lists and objects as JSON. */
import { z } from 'zod';
import { TrunklineError } from '../core/errors';
import { suggestion } from '../core/nearest-word';

export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'TRUNKLINE_';
/** Said by the test runner and by containers, not keys of the configuration. */
const notKeys: ReadonlySet<string> = new Set(['TRUNKLINE_CONFIG', 'TRUNKLINE_TEST_PEERS', 'TRUNKLINE_TOKEN']);

interface Variable {
  readonly path: readonly string[];
  readonly kind: 'string' | 'number' | 'either' | 'boolean' | 'json';
}

/** Every variable that the schema allows, by name. */
export function environmentVariables(schema: z.core.$ZodType): ReadonlyMap<string, Variable> {
  const found = new Map<string, Variable>();
  const visit = (member: z.core.$ZodType, path: readonly string[]): void => {
    const inner = innermost(member);
    const name = prefix + path.map(shout).join('_');
    if (path.length > 0) found.set(name, { path, kind: kindOf(inner) });
    if (inner instanceof z.ZodObject) {
      for (const [key, child] of Object.entries(inner.shape)) visit(child, [...path, key]);
    }
  };
  visit(schema, []);
  return found;
}

export interface Overlaid {
  readonly values: unknown;
  /** Which variable a path's value came from, for messages; by the path joined with dots. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * Returns `fileValues` with the environment's laid over them. `readSecret` reads the file that a `…_FILE` variable
 * names; its last line break is not part of the secret.
 */
export function overlayEnvironment(
  schema: z.core.$ZodType,
  fileValues: unknown,
  environment: Environment,
  readSecret: (path: string) => string,
): Overlaid {
  const variables = environmentVariables(schema);
  const values: unknown = structuredClone(fileValues ?? {});
  const origins = new Map<string, string>();
  // Short names first, so that TRUNKLINE_SIP_PORT refines what TRUNKLINE_SIP has set as a whole.
  const names = Object.keys(environment)
    .filter((name) => name.startsWith(prefix) && !notKeys.has(name))
    .sort();
  for (const name of names) {
    const text = environment[name];
    if (text === undefined) continue;
    const fromFile = !variables.has(name) && name.endsWith('_FILE');
    const variable = variables.get(fromFile ? name.slice(0, -'_FILE'.length) : name);
    if (variable === undefined) {
      throw new TrunklineError(
        'config.unknown-variable',
        `The environment variable ${name} is not known.${suggestion(name, variables.keys())}`,
        { fix: 'Correct or unset it; docs/operations.md lists the keys.' },
      );
    }
    const value = fromFile ? readSecret(text).replace(/\r?\n$/, '') : text;
    setAt(values, variable.path, parseValue(name, variable.kind, value));
    origins.set(variable.path.join('.'), name);
  }
  return { values, origins };
}

/** The variable that set the value at a path, or the whole that it lies in. */
export function originOf(origins: ReadonlyMap<string, string>, path: readonly PropertyKey[]): string | undefined {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join('.'));
    if (origin !== undefined) return origin;
  }
  return undefined;
}

function parseValue(name: string, kind: Variable['kind'], text: string): unknown {
  const expected = (what: string): TrunklineError =>
    new TrunklineError('config.bad-variable', `The environment variable ${name} must be ${what}.`, {
      fix: `Set ${name} to ${what}.`,
    });
  switch (kind) {
    case 'string':
      return text;
    case 'number': {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value)) throw expected('a number');
      return value;
    }
    // A number or a word, such as off: the schema knows which.
    case 'either':
      return text.trim() === '' || !Number.isFinite(Number(text)) ? text : Number(text);
    case 'boolean':
      if (text === 'true' || text === '1') return true;
      if (text === 'false' || text === '0') return false;
      throw expected('true or false');
    case 'json':
      try {
        return JSON.parse(text);
      } catch {
        // What the parser says quotes the text, which may be a secret.
        throw expected('JSON');
      }
  }
}

function kindOf(schema: z.core.$ZodType): Variable['kind'] {
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodArray || schema instanceof z.ZodObject) return 'json';
  const choices = schema instanceof z.ZodUnion ? schema.options : [];
  return choices.some((choice) => choice instanceof z.ZodNumber) ? 'either' : 'string';
}

function innermost(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return innermost(schema.unwrap());
  }
  return schema instanceof z.ZodPipe ? innermost(schema.out) : schema;
}

/** `drachtioSecret` -> `DRACHTIO_SECRET`. */
function shout(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function setAt(target: unknown, path: readonly string[], value: unknown): void {
  let place = target;
  for (const [index, key] of path.entries()) {
    if (typeof place !== 'object' || place === null) return;
    if (index === path.length - 1) {
      Reflect.set(place, key, value);
      return;
    }
    const next: unknown = Reflect.get(place, key);
    // `webhooks` may be a bare list in the file: naming a member of it needs the long form.
    if (Array.isArray(next)) Reflect.set(place, key, { endpoints: next });
    else if (typeof next !== 'object' || next === null) Reflect.set(place, key, {});
    place = Reflect.get(place, key);
  }
}
