/** The spoken tasks as they are written (test/fixtures/tasks): what a caller wants, says when asked, and what the tables must hold then. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { faultsError, readCheckedYaml } from '../../core/checked-yaml';

/**
 * A day and a time: `+1 14:30` in so many days, `friday 14:30` the next one (never today), `03-23 14:30` the next such day.
 * `resolveMoment` makes a date of it.
 */
const momentPattern = /^(\+\d{1,3}|(?:sun|mon|tues|wednes|thurs|fri|satur)day|\d\d-\d\d) [0-2]\d:[0-5]\d$/;
const moment = z.string().regex(momentPattern);
const line = z.string().min(1).max(300);

/** The tables of the desk; a row's values are text. */
export const rowsSchema = z.strictObject({
  appointments: z.array(z.strictObject({ name: z.string(), at: moment })).optional(),
  orders: z.array(z.strictObject({ number: z.string(), state: z.string() })).optional(),
  /** An order that was asked for, whether there is one or not. */
  enquiries: z.array(z.strictObject({ number: z.string(), found: z.enum(['true', 'false']) })).optional(),
  callbacks: z.array(z.strictObject({ phone: z.string() })).optional(),
});
export type WrittenRows = z.output<typeof rowsSchema>;
export type TableName = keyof WrittenRows;
export const tableNames: readonly TableName[] = ['appointments', 'orders', 'enquiries', 'callbacks'];

const errandSchema = z.strictObject({
  /** The tool of the dialplan that does it: by its questions the caller knows what is asked. */
  tool: z.string(),
  /** Said first; the next one where nothing came of it. `…` is a pause for breath. */
  wish: z.array(line).min(1),
  /** By slot: what is said to its question, and to the same question again. */
  answers: z.record(z.string(), z.array(line).min(1)).default({}),
  /** By slot: what the caller listens for when it is read back; a time is written as a moment. */
  wants: z.record(z.string(), z.string()).default({}),
  /** At the first read-back the caller thinks better of one slot; `wants` is what it is to be then. */
  changes: z.strictObject({ slot: z.string(), line, answers: z.array(line).min(1) }).optional(),
  /** A question of the caller's own in place of the first answer to the question for `slot`. */
  asks: z.strictObject({ slot: z.string(), line }).optional(),
  /** The caller drops the errand: at the question for a slot, or at `read-back`. */
  refuses: z.strictObject({ at: z.string(), line }).optional(),
  /** What the caller talks over: the greeting with the wish, the first question with its answer, the read-back with the change. */
  interrupts: z.enum(['greeting', 'question', 'read-back']).optional(),
});
export type Errand = z.output<typeof errandSchema>;

const taskSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  /** What is hard about it, in a sentence. */
  about: z.string(),
  /** `flite-NAME` or `espeak-NAME`. */
  voice: z.string().regex(/^(flite|espeak)-[a-z0-9+-]+$/),
  /** The number that is rung. */
  route: z.string(),
  /** What the tables hold before. */
  given: rowsSchema.default({}),
  /** What they must hold afterwards; a table that is left out must be unchanged. */
  expect: rowsSchema.default({}),
  /** One after the other in the same call. */
  errands: z.array(errandSchema).min(1),
});
export type Task = z.output<typeof taskSchema>;

const tasksSchema = z.strictObject({ tasks: z.array(taskSchema).min(1) }).superRefine(({ tasks }, context) => {
  tasks.forEach(({ id, errands }, place) => {
    if (tasks.findIndex((other) => other.id === id) !== place) {
      context.addIssue({ code: 'custom', path: ['tasks', place, 'id'], message: `Two tasks have the id ${id}.` });
    }
    errands.forEach(({ interrupts, changes }, at) => {
      if (interrupts !== 'read-back' || changes !== undefined) return;
      const path = ['tasks', place, 'errands', at, 'interrupts'];
      context.addIssue({ code: 'custom', path, message: 'Whoever talks over the read-back needs `changes` to say.' });
    });
  });
});

/** Throws `bench.bad-tasks` with file, line and what was expected there. */
export function readTasks(file: string): readonly Task[] {
  return tasksIn(readFileSync(file, 'utf8'), file);
}

export function tasksIn(text: string, file: string): readonly Task[] {
  const read = readCheckedYaml(text, file, tasksSchema);
  if (read.ok) return read.value.tasks;
  throw faultsError('bench.bad-tasks', read.faults, 'Correct the tasks there.');
}
