/**
 * `bench answers`: the recorded questions as typed text, so that only the brain is judged: with the facts that fit put beside
 * the question, as shipped, and with all facts listed in the prompt as well.
 */
import { openTrunkBrain } from '../model/load-model';
import type { Persona } from '../model/omni-model';
import { isRight, readQuestions, spreadOver } from './questions';
import { type BenchReport, report, single } from './report';

export interface AnswersBenchOptions {
  readonly modelsDir: string;
  readonly threads: number;
  readonly questionsFolder: string;
  readonly personas: readonly Persona[];
  readonly count?: number;
  readonly progress: (line: string) => void;
}

export async function benchAnswers(options: AnswersBenchOptions): Promise<BenchReport> {
  const questions = spreadOver(readQuestions(options.questionsFolder), options.count);
  const shipped = await shareOfRight(options, questions, false);
  const listed = await shareOfRight(options, questions, true);
  return report('right answers to typed questions on the shipped facts', [
    single('related facts beside the question (shipped)', '%', shipped),
    single('the same, and all facts in the prompt', '%', listed),
    single('questions', '', questions.length),
  ]);
}

async function shareOfRight(
  { modelsDir, threads, personas, progress }: AnswersBenchOptions,
  questions: ReturnType<typeof readQuestions>,
  listFacts: boolean,
): Promise<number> {
  const brain = await openTrunkBrain(modelsDir, threads, { listFacts });
  let right = 0;
  try {
    for (const question of questions) {
      const persona = personas.find(({ id }) => id === question.persona);
      if (persona === undefined) continue;
      const conversation = await brain.openConversation(persona);
      let answer = '';
      for await (const event of conversation.answer(question.text, new AbortController().signal)) {
        if (event.type === 'delta') answer += event.text;
      }
      conversation.close();
      if (isRight(question, answer)) right += 1;
      else progress(`${listFacts ? 'listed' : 'shipped'}: “${question.text}” → “${answer.trim()}”`);
    }
  } finally {
    await brain.close();
  }
  return (100 * right) / Math.max(1, questions.length);
}
