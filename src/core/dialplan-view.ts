/** The dialplan as people look at it from outside: its rules, which of them a call would take, and whether its files are right. */
import { z } from 'zod';

const placed = { name: z.string(), /** `dialplans/demo.yaml:7`. */ place: z.string() };

export const dialplanRulesSchema = z.object({
  rules: z.array(z.object({ ...placed, match: z.record(z.string(), z.unknown()), action: z.string() })),
  warnings: z.array(z.string()),
});
export type DialplanRules = z.output<typeof dialplanRulesSchema>;

export const dialplanDecisionSchema = z.object({
  /** Left out: none matches, and the call is refused. */
  rule: z.object(placed).optional(),
  /** What the call gets, in a line. */
  action: z.string(),
  actionType: z.string(),
  passedOver: z.array(z.object({ ...placed, because: z.string() })),
});
export type DialplanDecision = z.output<typeof dialplanDecisionSchema>;

export const dialplanCheckSchema = z.object({
  right: z.boolean(),
  rules: z.int(),
  warnings: z.array(z.string()),
  /** File, line and what was expected, a line each. */
  faults: z.array(z.string()),
});
export type DialplanCheck = z.output<typeof dialplanCheckSchema>;

/** Times and zones as in the matcher of src/dialplan/. */
export interface AskedCall {
  readonly number: string;
  readonly caller: string;
  readonly trunk?: string | undefined;
  readonly language?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly at: Date;
}

export interface DialplanView {
  /** As it is in use. */
  rules(): DialplanRules;
  route(call: AskedCall): DialplanDecision;
  /** The files as they lie there now: would the next start take them? */
  check(): DialplanCheck;
}
