/**
 * How a conversation takes turns, as operators may set it: for all calls in trunkline.yaml, for one persona in its file.
 * What is left out stays as the turn machine has it (docs/turn-taking.md gives the figures), so no default lives twice.
 */
import { z } from 'zod';

const milliseconds = (most: number) => z.int().min(0).max(most).optional();

export const turnSettingsSchema = z.strictObject({
  speculateAfterMs: milliseconds(5000).describe('Pause after which an answer is begun on trial.'),
  turnLimitMs: milliseconds(600_000).describe('A caller who speaks longer without a pause is answered nevertheless.'),
  endOfTurn: z
    .strictObject({
      unknownMs: milliseconds(10_000).describe('Silence that ends a turn while its words are not known.'),
      questionMs: milliseconds(10_000).describe('… after a question.'),
      answerMs: milliseconds(10_000).describe('… after one to three words.'),
      statementMs: milliseconds(10_000).describe('… after a whole sentence.'),
      unpunctuatedMs: milliseconds(10_000),
      digitsMs: milliseconds(10_000).describe('… after digits or letters that may not be all.'),
      goesOnMs: milliseconds(10_000).describe('… after "and", "because" and the like.'),
      hesitatesMs: milliseconds(10_000).describe('… after "um".'),
      longestMs: milliseconds(20_000).describe('Silence that ends any turn.'),
    })
    .optional(),
  interruptions: z
    .strictObject({
      enabled: z.boolean().optional().describe('False: the agent cannot be interrupted by speech.'),
      duckAfterMs: milliseconds(5000).describe('Speech this long pauses the agent.'),
      dipMs: milliseconds(5000).describe('Longest pause of the agent when nothing speaks for an interruption.'),
      longSpeechMs: milliseconds(10_000).describe('Speech this long interrupts, its words known or not.'),
      backchannelMs: milliseconds(10_000).describe('"Mm-hmm" may last this long before it counts as talking.'),
    })
    .optional(),
  idle: z
    .strictObject({
      afterMs: milliseconds(600_000).describe('Silence of the caller after which the agent asks.'),
      prompts: z.array(z.string().min(1)).max(10).optional(),
      goodbye: z.string().min(1).optional(),
    })
    .optional(),
  fillerText: z.string().min(1).optional().describe('Said when an answer is late.'),
  fallbackText: z.string().min(1).optional().describe('Said when an answer failed.'),
});

export type TurnSettings = z.output<typeof turnSettingsSchema>;
