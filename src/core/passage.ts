/** A piece of what an agent may look up in its persona's documents, and how an answer names the ones that it rests on. */
import { z } from 'zod';

export const citationSchema = z.object({
  /** Of the knowledge folder, with `/` between folders. */
  file: z.string(),
  /** The headings above it, the nearest last: `Rooms > Family rooms`. Left out where there is none. */
  heading: z.string().optional(),
  passage: z.string(),
});
export type Citation = z.output<typeof citationSchema>;

export interface FoundPassage extends Citation {
  /** How near it is to the question: cosine of meaning and share of the words together, 0 to about 1.5. */
  readonly score: number;
}

/** Best first; none when nothing is near. `knowledge`: the folder. Rejects only when aborted. */
export type SearchKnowledge = (knowledge: string, question: string) => Promise<readonly FoundPassage[]>;
