/**
 * A JSON schema of arguments as the grammar of the JSON texts that fit it, compact and with the properties in the schema's order. With the
 * caller's words at hand, strings and numbers are those that were said, and nothing else: a small model copies poorly and invents well.
 */
import { checkAgainst, type JsonSchema } from '../../../core/json-schema';
import { choice, type Grammar, Machine, repeat, sequence, text } from './grammar';
import { integerGrammar, numberGrammar } from './number-grammar';
import { patternGrammar, plainCharacter } from './pattern-grammar';

/** `missing`: a required argument for which nothing that was said will do; `unsupported`: a keyword that has no grammar here. */
export type Compiled =
  | { readonly ok: true; readonly machine: Machine }
  | { readonly ok: false; readonly missing?: string; readonly unsupported?: string };

const MOST_CHARACTERS = 60;
const MOST_ITEMS = 4;
const MOST_DEPTH = 4;
const ANNOTATIONS =
  /^(title|description|default|examples|format|deprecated|readOnly|writeOnly|\$comment|\$schema|\$id|x-.*)$/;
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ['type', 'properties', 'required', 'additionalProperties'],
  string: ['type', 'enum', 'const', 'pattern', 'minLength', 'maxLength'],
  integer: ['type', 'enum', 'const', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  number: ['type', 'enum', 'const', 'minimum', 'maximum'],
  boolean: ['type', 'enum', 'const'],
  null: ['type'],
  array: ['type', 'items', 'minItems', 'maxItems'],
};

/** Schemas of single arguments by their text, for a call brings its own copy: under each its check is kept. */
const alone = new Map<string, JsonSchema>();
const MOST_KEPT = 200;

class Unsupported extends Error {}
class Missing extends Error {}

/** `said`: values that the caller's words may stand for; undefined: any will do. */
export function schemaMachine(schema: JsonSchema, said?: readonly (string | number)[]): Compiled {
  try {
    return { ok: true, machine: new Machine(valueGrammar(schema, said, 'the arguments', 0)) };
  } catch (reason) {
    if (reason instanceof Missing) return { ok: false, missing: reason.message };
    if (reason instanceof Unsupported || reason instanceof RangeError)
      return { ok: false, unsupported: reason.message };
    throw reason;
  }
}

function valueGrammar(
  schema: JsonSchema,
  said: readonly (string | number)[] | undefined,
  name: string,
  depth: number,
): Grammar {
  const { type } = schema;
  if (depth > MOST_DEPTH) throw new Unsupported('too deep');
  const known = KEYWORDS[typeof type === 'string' ? type : ''];
  const listed = 'enum' in schema || 'const' in schema;
  if (known === undefined && !(listed && type === undefined)) throw new Unsupported('type');
  const allowed = known ?? ['enum', 'const'];
  const strange = Object.keys(schema).find((key) => !allowed.includes(key) && !ANNOTATIONS.test(key));
  if (strange !== undefined) throw new Unsupported(strange);
  if (listed) return oneOfThese(listOf(schema), schema, name);
  switch (type) {
    case 'object':
      return objectGrammar(schema, said, depth);
    case 'array': {
      const item = valueGrammar(schemaAt(schema['items']), said, name, depth + 1);
      const least = numberAt(schema, 'minItems') ?? 0;
      const most = Math.min(numberAt(schema, 'maxItems') ?? MOST_ITEMS, Math.max(least, MOST_ITEMS));
      if (most < least) throw new Unsupported('maxItems');
      const items =
        most === 0 ? text('') : sequence(item, repeat(sequence(text(','), item), Math.max(0, least - 1), most - 1));
      return sequence(text('['), least === 0 ? choice(text(''), items) : items, text(']'));
    }
    case 'boolean':
      return choice(text('true'), text('false'));
    case 'null':
      return text('null');
    case 'string':
      return said === undefined
        ? stringGrammar(schema)
        : oneOfThese(
            said.filter((value) => typeof value === 'string'),
            schema,
            name,
          );
    default: {
      if (said !== undefined)
        return oneOfThese(
          said.filter((value) => typeof value === 'number'),
          schema,
          name,
        );
      const [least, most] = ['minimum', 'maximum'].map((key) => numberAt(schema, key));
      if (type === 'number') return numberGrammar(least, most);
      const above = numberAt(schema, 'exclusiveMinimum');
      const below = numberAt(schema, 'exclusiveMaximum');
      const from = Math.max(
        Math.ceil(least ?? Number.NEGATIVE_INFINITY),
        above === undefined ? Number.NEGATIVE_INFINITY : Math.floor(above) + 1,
      );
      const to = Math.min(
        Math.floor(most ?? Number.POSITIVE_INFINITY),
        below === undefined ? Number.POSITIVE_INFINITY : Math.ceil(below) - 1,
      );
      return integerGrammar(from, to) ?? unsupported('minimum');
    }
  }
}

/** Each once, in the schema's order; what need not be there may be left out. */
function objectGrammar(schema: JsonSchema, said: readonly (string | number)[] | undefined, depth: number): Grammar {
  const properties = Object.entries(schemaAt(schema['properties'] ?? {}));
  const written = schema['required'];
  const required = new Set(Array.isArray(written) ? written.map(String) : []);
  for (const name of required) if (!properties.some(([known]) => known === name)) throw new Unsupported('required');
  const members = properties.flatMap(([name, property]): { readonly needed: boolean; readonly member: Grammar }[] => {
    const needed = required.has(name);
    try {
      const value = valueGrammar(schemaAt(property), said, name, depth + 1);
      return [{ needed, member: sequence(text(`${JSON.stringify(name)}:`), value) }];
    } catch (reason) {
      if (needed || !(reason instanceof Missing)) throw reason;
      return [];
    }
  });
  return sequence(text('{'), membersFrom(members, 0, true), text('}'));
}

function membersFrom(
  members: readonly { readonly needed: boolean; readonly member: Grammar }[],
  at: number,
  first: boolean,
): Grammar {
  const [here] = members.slice(at);
  if (here === undefined) return text('');
  const { needed, member } = here;
  const comma = text(first ? '' : ',');
  if (needed) return sequence(comma, member, membersFrom(members, at + 1, false));
  if (!first) return sequence(repeat(sequence(comma, member), 0, 1), membersFrom(members, at + 1, false));
  return choice(sequence(member, membersFrom(members, at + 1, false)), membersFrom(members, at + 1, true));
}

function stringGrammar(schema: JsonSchema): Grammar {
  const { pattern } = schema;
  const least = numberAt(schema, 'minLength') ?? 0;
  const most = Math.min(numberAt(schema, 'maxLength') ?? MOST_CHARACTERS, Math.max(least, MOST_CHARACTERS));
  if (most < least) throw new Unsupported('maxLength');
  const content = typeof pattern === 'string' ? patternGrammar(pattern) : repeat(plainCharacter, least, most);
  if (content === undefined) throw new Unsupported('pattern');
  if (typeof pattern === 'string') {
    const [shortest, longest] = lengths(content);
    const limit = numberAt(schema, 'maxLength') ?? Number.POSITIVE_INFINITY;
    if (shortest < least || longest > limit) throw new Unsupported('pattern with other lengths');
  }
  return sequence(text('"'), content, text('"'));
}

/** Characters of the shortest and the longest text; an escape counts as two, which is on the safe side above only. */
function lengths(grammar: Grammar): readonly [number, number] {
  switch (grammar.kind) {
    case 'text': {
      const value: unknown = JSON.parse(`"${grammar.text}"`);
      const { length } = [...String(value)];
      return [length, length];
    }
    case 'one-of':
      return [1, 1];
    case 'sequence':
      return grammar.parts.map(lengths).reduce((sum, part) => [sum[0] + part[0], sum[1] + part[1]], [0, 0]);
    case 'choice': {
      const parts = grammar.parts.map(lengths);
      return [Math.min(...parts.map(([least]) => least)), Math.max(...parts.map(([, most]) => most))];
    }
    case 'repeat': {
      const [least, most] = lengths(grammar.part);
      return [least * grammar.min, most * grammar.max];
    }
  }
}

function oneOfThese(values: readonly unknown[], schema: JsonSchema, name: string): Grammar {
  const key = JSON.stringify(schema);
  const one = alone.get(key) ?? { type: 'object', properties: { value: schema } };
  if (alone.size >= MOST_KEPT) alone.clear();
  alone.set(key, one);
  const fitting = [
    ...new Set(values.filter((value) => checkAgainst(one, { value }).ok).map((value) => JSON.stringify(value))),
  ];
  if (fitting.length === 0) throw new Missing(name);
  return choice(...fitting.map(text));
}

function listOf(schema: JsonSchema): unknown[] {
  if ('const' in schema) return [schema['const']];
  return Array.isArray(schema['enum']) ? schema['enum'] : [];
}

function schemaAt(value: unknown): JsonSchema {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Unsupported('a schema that is none');
  return value as JsonSchema;
}

function numberAt(schema: JsonSchema, key: string): number | undefined {
  const value = schema[key];
  return typeof value === 'number' ? value : undefined;
}

function unsupported(what: string): never {
  throw new Unsupported(what);
}
