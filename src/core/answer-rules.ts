/** Who answered a call of ours: the words for it, the waits by which it is told (`amd` in trunkline.yaml), and what is then done. */
import { z } from 'zod';

export const answeredBySchema = z.enum(['human', 'machine', 'unknown']);
export type AnsweredBy = z.output<typeof answeredBySchema>;

export const answerReasonSchema = z.enum([
  /** They said little and waited. */
  'short-greeting',
  'long-greeting',
  'beep',
  /** "Leave a message after the tone". */
  'words',
  /** The three tones of an exchange that cannot put the call through. */
  'intercept',
  'fax',
  /** Nothing was said. */
  'silence',
  'time-limit',
]);
export type AnswerReason = z.output<typeof answerReasonSchema>;

const wait = (ms: number) => z.int().min(100).max(120_000).default(ms);

export const answerRulesSchema = z.strictObject({
  silenceMs: wait(5_000).describe('Nothing was said for so long: unknown.'),
  shortGreetingMs: wait(1_200).describe('A greeting up to this length needs the short pause behind it.'),
  shortPauseMs: wait(600).describe('Silence after a short greeting that makes it a person.'),
  longPauseMs: wait(1_500).describe('Silence after a longer greeting that makes it a person.'),
  longestGreetingMs: wait(6_000).describe('Whoever talks for longer is a machine.'),
  recordsAfterMs: wait(2_500).describe('A machine that has been silent for so long records, beep or not.'),
  lateBeepMs: wait(8_000).describe('For so long after a person was believed in, a beep says that it was a machine.'),
  giveUpMs: wait(60_000).describe('Then whatever is not known stays unknown.'),
});
export type AnswerRules = z.output<typeof answerRulesSchema>;

/** What whoever places a call wants done with machines. */
export const amdSchema = z.union([
  z.boolean(),
  z
    .strictObject({
      onMachine: z
        .enum(['continue', 'hangup', 'message'])
        .optional()
        .describe('continue, as with a person, if left out; message with a message.'),
      message: z.string().trim().min(1).max(2000).optional().describe('Said after the beep; then the call is ended.'),
    })
    .refine(({ onMachine, message }) => (onMachine ?? 'message') === 'message' || message === undefined, {
      error: 'Expected no message with that onMachine.',
      path: ['message'],
    })
    .refine(({ onMachine, message }) => onMachine !== 'message' || message !== undefined, {
      error: 'Expected a message.',
      path: ['message'],
    }),
]);
export type Amd = z.output<typeof amdSchema>;

export const DEFAULT_ANSWER_RULES: AnswerRules = answerRulesSchema.parse({});
