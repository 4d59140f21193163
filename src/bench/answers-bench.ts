/**
 * `bench answers`: the recorded questions as typed text, so that only the brain is judged: with all facts in the prompt and
 * those that fit once more beside the question, as shipped, and with the latter alone.
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
  const shipped = await shareOfRight(options, questions, true);
  const unlisted = await shareOfRight(options, questions, false);
  return report('right answers to typed questions on the shipped facts', [
    single('all facts in the prompt, related ones beside the question (shipped)', '%', shipped),
    single('related facts beside the question alone', '%', unlisted),
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
      else progress(`${listFacts ? 'shipped' : 'unlisted'}: “${question.text}” → “${answer.trim()}”`);
    }
  } finally {
    await brain.close();
  }
  return (100 * right) / Math.max(1, questions.length);
}
