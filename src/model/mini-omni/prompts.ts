/**
 * What stands before Mini-Omni's answer, position by position, eight ids each. There is no system prompt and no history:
 * the model was taught single turns.
 *
 *               audio layers                                   text
 *   A1A2  input_a, pad_a × T (heard), eoa, answer_a    input_t, pad_t × T, eot, answer_t
 *   A1T2  …                                 pad_a      …                        answer_t
 *   A1T1  …                                 pad_a      …                        asr
 *   T1A2  pad_a × (n + 2),             answer_a        input_t, text,      eot, answer_t
 *   T1T2  pad_a × (n + 3)                              …                        answer_t
 */
import type { MiniOmniIds } from './ids';

export type Task = 'A1A2' | 'A1T2' | 'A1T1' | 'T1A2' | 'T1T2';

export type Question =
  /** Vectors of heard speech: they take the place of the audio embeddings at positions 1 … count. */
  { readonly heard: number } | { readonly words: readonly number[] };

export function promptFor(ids: MiniOmniIds, task: Task, question: Question): number[][] {
  return [...promptHead(ids, question), lastPosition(ids, task)];
}

/** The one position in which the tasks on the same question differ. */
export function lastPosition(ids: MiniOmniIds, task: Task): number[] {
  const audio = task === 'A1A2' || task === 'T1A2' ? ids.answerAudio : ids.padAudio;
  return ids.column(audio, task === 'A1T1' ? ids.asr : ids.answerText);
}

/** Everything before it: what all tasks on the same question share. */
export function promptHead(ids: MiniOmniIds, question: Question): number[][] {
  if ('heard' in question) {
    return [
      ids.column(ids.inputAudio, ids.inputText),
      ...Array.from({ length: question.heard }, () => ids.column(ids.padAudio, ids.padText)),
      ids.column(ids.endAudio, ids.eot),
    ];
  }
  return [
    ids.column(ids.padAudio, ids.inputText),
    ...question.words.map((word) => ids.column(ids.padAudio, word)),
    ids.column(ids.padAudio, ids.eot),
  ];
}
