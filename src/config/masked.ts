/** A copy of values in which everything that the schema marks secret is masked, for `--print-config` and for logs. */
import { z } from 'zod';
import { hiddenUrl, mask } from '../core/hidden';
import { isSecret } from './secrets';

export function masked(schema: z.core.$ZodType, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  if (isSecret(schema)) return mask;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return masked(schema.unwrap(), value);
  }
  if (schema instanceof z.ZodPipe) return masked(schema.out, value);
  if (schema instanceof z.ZodArray && Array.isArray(value)) return value.map((item) => masked(schema.element, item));
  if (schema instanceof z.ZodObject && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]: [string, unknown]) => {
        const inner = schema.shape[key];
        return [key, inner === undefined ? member : masked(inner, member)];
      }),
    );
  }
  return typeof value === 'string' ? hiddenUrl(value) : value;
}
