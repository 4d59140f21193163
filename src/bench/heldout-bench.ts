/**
 * `bench heldout`: questions about twelve businesses that no weight was tuned on and no number was chosen on, typed to the
 * brain or spoken to a whole engine: how many answers are right, and how often something is stated that the facts do not say.
 */
import { readFileSync } from 'node:fs';
import type { AnswerManner, Brain } from '../model/brain/conversation-brain';
import { openTrunkBrain } from '../model/load-model';
import type { Persona } from '../model/omni-model';
import { type Asker, type HeldoutQuestion, heldoutSchema, isAnswered, type Reply, toolOf } from './heldout-question';
import { spreadOver } from './questions';
import { type BenchReport, report, single } from './report';
import { openSpokenAsker, type SpokenOptions } from './spoken-asker';

export interface HeldoutBenchOptions {
  readonly modelsDir: string;
  readonly threads: number;
  /** test/fixtures/brain/heldout.json, or another of its form. */
  readonly file: string;
  readonly count?: number;
  /** Left out: the questions are typed to the built-in brain alone. */
  readonly spoken?: SpokenOptions;
  readonly progress: (line: string) => void;
}

export async function benchHeldout(options: HeldoutBenchOptions): Promise<BenchReport> {
  const { spoken } = options;
  const set = heldoutSchema.parse(JSON.parse(readFileSync(options.file, 'utf8')));
  const questions = spreadOver(set.questions, options.count);
  const asker = spoken === undefined ? await openTypedAsker(options) : await openSpokenAsker(options, spoken);
  const right = new Map<HeldoutQuestion, boolean>();
  try {
    for (const question of questions) {
      const persona = set.personas.find(({ id }) => id === question.persona);
      if (persona === undefined) throw new RangeError(`${question.id} names no persona of the set.`);
      const reply = await asker.ask(persona, question);
      right.set(question, isAnswered(question, reply));
      if (right.get(question) !== true) {
        const heard = reply.heard === undefined ? '' : ` heard as “${reply.heard}”`;
        options.progress(`${question.id} ${question.kind}: “${question.text}”${heard} → “${reply.text.trim()}”`);
      }
    }
  } finally {
    await asker.close();
  }
  const share = (kind?: HeldoutQuestion['kind']) => {
    const asked = questions.filter((question) => kind === undefined || question.kind === kind);
    return (100 * asked.filter((question) => right.get(question)).length) / Math.max(1, asked.length);
  };
  const how = spoken === undefined ? 'typed questions' : `questions spoken to ${spoken.engine} through G.711`;
  return report(`right answers to ${how} about businesses held out`, [
    single('right, all questions', '%', share()),
    single('right, the facts settle it', '%', share('known')),
    single('something stated that the facts do not say', '%', 100 - share('absent')),
    ...(questions.some(({ kind }) => kind === 'action')
      ? [single('hung up or handed over when asked', '%', share('action'))]
      : []),
    ...(questions.some(({ kind }) => kind === 'tool')
      ? [single('called the right tool and answered from its result', '%', share('tool'))]
      : []),
    single('questions', '', questions.length),
  ]);
}

async function openTypedAsker({ modelsDir, threads }: HeldoutBenchOptions): Promise<Asker> {
  const brain = await openTrunkBrain(modelsDir, threads);
  return {
    ask: (persona, question) => askAll(brain, persona, question),
    close: () => brain.close(),
  };
}

async function askAll(brain: Brain, persona: Persona, question: HeldoutQuestion): Promise<Reply> {
  const conversation = await brain.openConversation(persona);
  let reply: Reply = { text: '', action: undefined };
  const askOne = async (userText: string, how: AnswerManner = {}): Promise<Reply> => {
    let one: Reply = { text: '', action: undefined };
    for await (const event of conversation.answer(userText, new AbortController().signal, how)) {
      if (event.type === 'delta') one = { ...one, text: one.text + event.text };
      else if (event.type === 'action') one = { ...one, action: event.action };
    }
    conversation.commit({ userText, heardText: one.text, interrupted: false });
    return one;
  };
  try {
    for (const userText of [...question.before, question.text]) reply = await askOne(userText);
    const called = toolOf(reply);
    if (called !== undefined && question.result !== undefined) {
      reply = { ...(await askOne(question.text, { toolResult: question.result })), called };
    }
  } finally {
    conversation.close();
  }
  return reply;
}
