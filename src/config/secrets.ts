/**
 * Secrets of the configuration: where they stand, that they may come from files (`passwordFile` beside `password`), and which
 * of them were written into the configuration itself.
 */
import { z } from 'zod';
import { pathText } from '../core/described-issues';
import { TrunklineError } from '../core/errors';

export interface FoundSecret {
  readonly path: readonly PropertyKey[];
  readonly value: string;
}

/** Every secret of `value`, which may not have been checked yet. */
export function secretsIn(schema: z.core.$ZodType, value: unknown, path: readonly PropertyKey[] = []): FoundSecret[] {
  const inner = unwrapped(schema);
  if (isSecret(inner)) return typeof value === 'string' ? [{ path, value }] : [];
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.flatMap((item, index) => secretsIn(inner.element, item, [...path, index]));
  }
  if (!(inner instanceof z.ZodObject)) return [];
  const members = membersOf(value);
  return Object.entries(inner.shape).flatMap(([key, child]) => secretsIn(child, members[key], [...path, key]));
}

/** The key under which a file may be named instead: undefined if that is a key of its own, or there is no secret. */
export function fileKeyOf(schema: z.ZodObject, key: string): string | undefined {
  const inner = unwrapped(schema.shape[key] ?? z.unknown());
  const holds = isSecret(inner) || (inner instanceof z.ZodArray && isSecret(unwrapped(inner.element)));
  return holds && schema.shape[`${key}File`] === undefined ? `${key}File` : undefined;
}

/** Puts what the files hold in the place of their names, in `value` itself. A list has a secret a line. */
export function readSecretFiles(
  schema: z.core.$ZodType,
  value: unknown,
  read: (path: string) => string,
  path: readonly PropertyKey[] = [],
): void {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    for (const [index, item] of value.entries()) readSecretFiles(inner.element, item, read, [...path, index]);
    return;
  }
  if (!(inner instanceof z.ZodObject) || typeof value !== 'object' || value === null) return;
  const members = membersOf(value);
  for (const [key, child] of Object.entries(inner.shape)) {
    const fileKey = fileKeyOf(inner, key);
    const file = fileKey === undefined ? undefined : members[fileKey];
    if (fileKey === undefined || typeof file !== 'string') {
      readSecretFiles(child, members[key], read, [...path, key]);
      continue;
    }
    if (members[key] !== undefined) {
      throw new TrunklineError('config.invalid', `${pathText([...path, key])}: Expected it or ${fileKey}, not both.`, {
        fix: 'Take one of them out.',
      });
    }
    const text = read(file);
    const lines = text.split(/\r?\n/).filter((line) => line !== '');
    Reflect.set(members, key, unwrapped(child) instanceof z.ZodArray ? lines : text.replace(/\r?\n$/, ''));
    Reflect.deleteProperty(members, fileKey);
  }
}

export function isSecret(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodType && schema.meta()?.['secret'] === true;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (isSecret(schema)) return schema;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrapped(schema.unwrap());
  }
  return schema instanceof z.ZodPipe ? unwrapped(schema.out) : schema;
}

/** `webhooks` may be a bare list, which is short for its endpoints. */
function membersOf(value: unknown): Record<string, unknown> {
  if (Array.isArray(value)) return { endpoints: value };
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
