/** How a conversation takes turns, as operators may set it: for all calls in trunkline.yaml, for one persona in its file. */
import { z } from 'zod';

export const turnSettingsSchema = z.strictObject({
  speculateMs: z.int().min(0).max(5000).default(200).describe('Pause after which an answer is begun in advance.'),
  endMs: z.int().min(100).max(10_000).default(500).describe('Silence that ends a turn which sounds complete.'),
  maxEndMs: z.int().min(100).max(20_000).default(1600).describe('Silence that ends any turn.'),
  interruptions: z.enum(['words', 'speech', 'never']).default('words').describe('What stops the agent.'),
  idleSeconds: z.number().min(1).default(12).describe('Silence of the caller after which the agent asks.'),
  idleReminders: z.int().min(0).max(10).default(2).describe('How often it asks before it says goodbye.'),
});

export type TurnSettings = z.output<typeof turnSettingsSchema>;

/** The same keys, all optional and without defaults: what one persona overrides. */
export const turnOverridesSchema = z.strictObject({
  speculateMs: turnSettingsSchema.shape.speculateMs.unwrap().optional(),
  endMs: turnSettingsSchema.shape.endMs.unwrap().optional(),
  maxEndMs: turnSettingsSchema.shape.maxEndMs.unwrap().optional(),
  interruptions: turnSettingsSchema.shape.interruptions.unwrap().optional(),
  idleSeconds: turnSettingsSchema.shape.idleSeconds.unwrap().optional(),
  idleReminders: turnSettingsSchema.shape.idleReminders.unwrap().optional(),
});

export type TurnOverrides = z.output<typeof turnOverridesSchema>;
