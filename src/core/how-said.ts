/** How something was said, beside its words: what an engine that hears more than words tells, and events carry. */
import { z } from 'zod';

export const howSaidSchema = z.object({
  /** What the caller's sound is. */
  sound: z.enum(['speech', 'cough', 'music', 'noise', 'silence']),
  /** By the tune alone, whatever the words say. Left out: it is not sure. */
  intonation: z.enum(['statement', 'question']).optional(),
  /** Left out: it is not sure. */
  manner: z.enum(['calm', 'hurried', 'loud']).optional(),
});
export type HowSaid = z.output<typeof howSaidSchema>;
