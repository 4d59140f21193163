/** The shipped trunk with passages of documents at hand. */
import { join } from 'node:path';
import type { Citation, FoundPassage } from '../../../src/core/passage';
import type { Brain } from '../../../src/model/brain/conversation-brain';
import { openTrunkBrain } from '../../../src/model/load-model';
import type { Persona } from '../../../src/model/omni-model';

const persona: Persona = {
  id: 'boathouse',
  name: 'Alder Lake Boathouse',
  instructions: 'Receptionist of Alder Lake Boathouse. Short answers, only what the facts say.',
  facts: ['The boathouse is open every day from April to October.'],
  knowledge: '/documents',
};
const passages: Readonly<Record<string, FoundPassage>> = {
  washing: {
    file: 'camping.md',
    heading: 'Laundry',
    passage: 'The washing machine takes four coins of one dollar.',
    score: 0.9,
  },
};
const asked: string[] = [];
let brain: Brain;

beforeAll(async () => {
  const search = async (knowledge: string, question: string): Promise<readonly FoundPassage[]> => {
    asked.push(`${knowledge} ${question}`);
    return Object.entries(passages).flatMap(([word, passage]) => (question.includes(word) ? [passage] : []));
  };
  brain = await openTrunkBrain(join(__dirname, '../../../models'), 1, { search });
}, 120_000);
afterAll(() => brain.close());

async function ask(about: Persona, question: string): Promise<{ text: string; citations: readonly Citation[] }> {
  const conversation = await brain.openConversation(about);
  let text = '';
  let citations: readonly Citation[] = [];
  for await (const event of conversation.answer(question, new AbortController().signal)) {
    if (event.type === 'delta') text += event.text;
    else if (event.type === 'cited') citations = event.citations;
  }
  conversation.close();
  return { text, citations };
}

it('answers from a document what no fact says, and names the passage', async () => {
  const { text, citations } = await ask(persona, 'What does the washing machine take?');
  expect(text).toContain('four coins');
  const { score: _, ...cited } = passages['washing']!;
  expect(citations).toEqual([cited]);
  expect(asked).toEqual(['/documents What does the washing machine take?']);
}, 60_000);

it('names nothing where nothing was found', async () => {
  expect((await ask(persona, 'Do you repair watches?')).citations).toEqual([]);
}, 60_000);

it('looks nothing up for a persona without documents', async () => {
  asked.length = 0;
  const { knowledge: _, ...without } = persona;
  expect((await ask(without, 'What does the washing machine take?')).citations).toEqual([]);
  expect(asked).toEqual([]);
}, 60_000);
