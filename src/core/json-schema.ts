/**
 * JSON schemas of tools' arguments (draft 2020-12, by ajv): whether one can be used, and what is wrong with a value, as a
 * sentence that quotes the schema and never the value.
 */
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import type { Tool } from './tool';

export type JsonSchema = NonNullable<Tool['parameters']>;

export type Checked =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly fault: string };

const compiled = new WeakMap<JsonSchema, ValidateFunction>();

/** What is wrong with a schema of arguments, if anything. */
export function schemaFault(schema: JsonSchema): string | undefined {
  if (schema['type'] !== 'object') return 'Expected a JSON schema of type object.';
  try {
    validatorOf(schema);
    return undefined;
  } catch (error) {
    return `Expected a JSON schema: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

/** A copy of the value with the schema's defaults filled in. Throws what ajv does for a schema that has a fault. */
export function checkAgainst(schema: JsonSchema, value: Readonly<Record<string, unknown>>): Checked {
  const validate = validatorOf(schema);
  const copy = structuredClone(value);
  if (validate(copy)) return { ok: true, value: copy };
  const [error] = validate.errors ?? [];
  const place = (error?.instancePath ?? '').replace(/^\//, '').replaceAll('/', '.');
  return { ok: false, fault: `${place === '' ? 'the arguments' : place} ${error?.message ?? 'are wrong'}` };
}

function validatorOf(schema: JsonSchema): ValidateFunction {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  // One instance each: ajv keeps every schema that it has seen, and applications may name new ones with every call.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, useDefaults: true, addUsedSchema: false });
  const { $schema: _, $id: __, ...plain } = schema;
  const validate = ajv.compile(plain);
  compiled.set(schema, validate);
  return validate;
}
