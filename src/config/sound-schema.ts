/** The keys of the configuration for what callers hear beside the agent: files, and how loud they are. */
import { z } from 'zod';

export const audioSchema = z
  .strictObject({
    promptLoudness: z
      .union([z.literal('off'), z.number().min(-40).max(-10)])
      .default(-22)
      .describe(
        'In LKFS (ITU-R BS.1770): what files and hold music are brought to, the voice’s own; off: as they are.',
      ),
  })
  .prefault({});

export const holdSchema = z
  .strictObject({
    music: z
      .string()
      .optional()
      .describe('A WAV or Ogg Opus file that callers on hold hear, over and over; a quiet line if left out.'),
  })
  .prefault({});
