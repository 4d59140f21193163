/** A schema's complaints as sentences for people: where, what was expected, and the valid word that was probably meant. */
import { z } from 'zod';
import { suggestion } from './nearest-word';

export interface DescribedIssue {
  readonly path: readonly PropertyKey[];
  /** A plain sentence: `Expected number; it is missing.` */
  readonly message: string;
}

/** `routes[2].action.status`. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else text += text === '' ? String(key) : `.${String(key)}`;
  }
  return text;
}

export function describeIssues(
  schema: z.core.$ZodType,
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
): DescribedIssue[] {
  return issues.flatMap((issue) => describeIssue(schema, issue, input));
}

function describeIssue(schema: z.core.$ZodType, issue: z.core.$ZodIssue, input: unknown): DescribedIssue[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const valid = keysAt(schema, path, input);
      return issue.keys.map((key) => {
        const name = keyWithoutValue(key);
        return { path: [...path, name], message: `Unknown key.${suggestion(name, valid)}` };
      });
    }
    case 'invalid_key':
      return [{ path, message: closed(issue.issues[0]?.message ?? issue.message) }];
    case 'invalid_value':
      return [{ path, message: expectedWords(issue.values.map(String), valueAt(input, path)) }];
    case 'invalid_union': {
      if (issue.discriminator !== undefined) {
        // Zod leaves the tags out of its types, not out of the issue.
        const tags: unknown = Reflect.get(issue, 'options');
        const words = Array.isArray(tags) ? tags.map(String) : [];
        return [{ path, message: expectedWords(words, valueAt(input, path)) }];
      }
      return describeUnion(schema, issue, input);
    }
    default: {
      const sentence = issue.message.replace(/^Invalid input: expected /, 'Expected ');
      const missing = issue.code === 'invalid_type' && valueAt(input, path) === undefined;
      return [{ path, message: missing ? `${firstClause(sentence)}; it is missing.` : closed(sentence) }];
    }
  }
}

/** `password:hush` lacks its space and is a key as a whole: what stands behind the colon is not for a message. */
function keyWithoutValue(key: string): string {
  return /^[^:=\s]+(?=[:=\s])/.exec(key)?.[0] ?? key;
}

/** A union without a tag says nothing useful as a whole: tell the faults of the form that got farthest. */
function describeUnion(schema: z.core.$ZodType, issue: z.core.$ZodIssueInvalidUnion, input: unknown): DescribedIssue[] {
  const { path } = issue;
  const here = valueAt(input, path);
  const forms = issue.errors
    .map((form) =>
      describeIssues(
        schema,
        form.map((inner) => ({ ...inner, path: [...path, ...inner.path] })),
        input,
      ),
    )
    .filter((form) => form.length > 0);
  const farthest = [...forms].sort((left, right) => depth(right) - depth(left))[0];
  if (farthest !== undefined && depth(farthest) > path.length && typeof here === 'object') return farthest;
  const expectations = forms.flatMap((form) =>
    form.map(({ message }) => firstClause(message).replace(/^Expected /, '')),
  );
  const distinct = [...new Set(expectations)];
  return [{ path, message: distinct.length === 0 ? closed(issue.message) : `Expected ${distinct.join(', or ')}.` }];
}

function expectedWords(words: readonly string[], given: unknown): string {
  const list = words.map((word) => JSON.stringify(word)).join(', ');
  const hint = typeof given === 'string' ? suggestion(given, words) : '';
  return `Expected ${words.length > 1 ? 'one of ' : ''}${list}${given === undefined ? '; it is missing' : ''}.${hint}`;
}

function depth(form: readonly DescribedIssue[]): number {
  return Math.max(...form.map((found) => found.path.length));
}

function firstClause(sentence: string): string {
  return sentence
    .replace(/, received .*$/, '')
    .replace(/; it is missing\.?$/, '')
    .replace(/\.$/, '');
}

function closed(sentence: string): string {
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** The keys that the schema knows at a path; of a tagged union, those of the form that the input chose. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[], input: unknown): string[] {
  let candidates = objectForms(schema, input);
  let value = input;
  for (const key of path) {
    value = valueAt(value, [key]);
    const next = value;
    candidates = candidates.flatMap((candidate) => {
      if (candidate instanceof z.ZodObject) {
        const member = candidate.shape[String(key)];
        return member === undefined ? [] : objectForms(member, next);
      }
      if (candidate instanceof z.ZodArray) return objectForms(candidate.element, next);
      if (candidate instanceof z.ZodRecord) return objectForms(candidate.valueType, next);
      return [];
    });
  }
  return candidates.flatMap((candidate) => (candidate instanceof z.ZodObject ? Object.keys(candidate.shape) : []));
}

/** Looks through optional, default, pipe and union to what has members. */
function objectForms(schema: z.core.$ZodType, input: unknown): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return objectForms(schema.unwrap(), input);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return objectForms(schema.unwrap(), input);
  if (schema instanceof z.ZodLazy) return objectForms(schema.unwrap(), input);
  if (schema instanceof z.ZodPipe) return [...objectForms(schema.in, input), ...objectForms(schema.out, input)];
  if (schema instanceof z.ZodUnion) {
    const forms = schema.options.flatMap((option) => objectForms(option, input));
    const chosen = forms.filter((form) => form instanceof z.ZodObject && tagMatches(form, input));
    return chosen.length > 0 ? chosen : forms;
  }
  return [schema];
}

function tagMatches(form: z.ZodObject, input: unknown): boolean {
  return Object.entries(form.shape).some(
    ([key, member]) => member instanceof z.ZodLiteral && member.values.has(valueAt(input, [key]) as never),
  );
}
