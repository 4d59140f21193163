/**
 * The mark that a tune puts behind words: "You are open on Sunday." with a surely rising end is a question, whatever the
 * recogniser wrote, which goes by the words. Captions, records and the trunk get it as one.
 */
import type { HowSaid } from '../../core/how-said';
import type { WhisperRecognition } from '../whisper/whisper-recogniser';

/** A tune also rises where more is to come; only who is rather done than not has asked. */
const RATHER_DONE = 0.5;
/** What the recogniser writes behind a statement, or leaves out. */
const STATED = /[\p{L}\p{N}]\.?$/u;

/** `questionMark`: the recogniser's token for it. The same recognition where the tune is not surely that of a question. */
export function asked(recognition: WhisperRecognition, said: HowSaid, questionMark: number): WhisperRecognition {
  const { text, written, doneProbability } = recognition;
  const last = written?.at(-1);
  if (said.intonation !== 'question' || last === undefined || written === undefined) return recognition;
  if (doneProbability === undefined || doneProbability < RATHER_DONE || !STATED.test(text)) return recognition;
  const mark = { token: questionMark, state: last.state, candidates: [{ token: questionMark, logit: 0 }] };
  const stated = text.endsWith('.');
  return {
    ...recognition,
    text: `${stated ? text.slice(0, -1) : text}?`,
    written: [...(stated ? written.slice(0, -1) : written), mark],
  };
}
