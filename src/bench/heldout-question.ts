/** The held-out questions: about whom, what a right answer holds, and how one is judged. */
import { z } from 'zod';
import type { AnswerAction } from '../core/tool';
import type { Persona } from '../model/omni-model';

export const heldoutSchema = z.object({
  personas: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      instructions: z.string(),
      facts: z.array(z.string()).min(1),
      tools: z
        .array(z.object({ name: z.string(), description: z.string(), timeoutMs: z.number().default(5_000) }))
        .optional(),
    }),
  ),
  questions: z.array(
    z.object({
      id: z.string(),
      persona: z.string(),
      /** known: the facts settle it. absent: they do not. action: the agent must hang up or hand over. tool: call one. */
      kind: z.enum(['known', 'absent', 'action', 'tool']),
      /** Questions asked before in the same conversation. */
      before: z.array(z.string()).default([]),
      text: z.string(),
      /** Patterns that must all be found in the answer. */
      expect: z.array(z.string()),
      /** A pattern that must not. */
      never: z.string().optional(),
      action: z.enum(['hangup', 'handover']).optional(),
      /** The tool to call, and what it then tells, from which `expect` must come. */
      tool: z.string().optional(),
      result: z.string().optional(),
    }),
  ),
});

export type HeldoutQuestion = z.output<typeof heldoutSchema>['questions'][number];

export interface Reply {
  readonly text: string;
  readonly action: AnswerAction | undefined;
  /** The tool that was called for the question, `text` and `action` being those of the answer from its result, if there is one. */
  readonly called?: string;
  /** What was understood, where it was spoken. */
  readonly heard?: string;
}

/** Whoever is asked: `ask` is a call of its own, in which all questions but the last lead up to it. */
export interface Asker {
  ask(persona: Persona, question: HeldoutQuestion): Promise<Reply>;
  close(): Promise<void>;
}

/** Every pattern found and the forbidden one not. To hang up is never an answer, nor is a tool that nobody needed. */
export function isAnswered(question: HeldoutQuestion, reply: Reply): boolean {
  if (question.kind === 'action') return reply.action === question.action;
  if ((reply.called ?? toolOf(reply)) !== question.tool) return false;
  if (question.kind === 'tool' && question.result === undefined) return true;
  if (reply.action === 'hangup') return false;
  const text = reply.text.trim().replace(/(\d),(\d)/g, '$1$2');
  const found = (pattern: string) => new RegExp(pattern, 'i').test(text);
  return question.expect.every(found) && (question.never === undefined || !found(question.never));
}

export function toolOf({ action }: Reply): string | undefined {
  return typeof action === 'object' ? action.name : undefined;
}
