/** A voice that is a row of the language model itself begins where the brain has read the question. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrunkBrain } from '../../../src/model/brain/brain';
import { RelevanceTable } from '../../../src/model/brain/relevance';
import { spellingTrunk } from '../mini-omni/one-line-trunk';

const table = readFileSync(join(__dirname, '../../../models/smollm2-135m/relevance.json'), 'utf8');
const persona = { id: 'desk', name: 'Desk', instructions: 'Be short.', facts: [] };
const never = new AbortController().signal;

it('hands out a copy of the sequence that has read the question, once and before the first word', async () => {
  const trunk = spellingTrunk();
  const brain = new TrunkBrain(trunk, new RelevanceTable(JSON.parse(table)));
  const conversation = await brain.openConversation(persona);
  const told: (number | string)[] = [];
  const onPrompt = (context: { readonly length: number; dispose(): void }) => {
    told.push(context.length);
    context.dispose();
  };
  for await (const event of conversation.answer('when?', never, { onPrompt })) {
    if (event.type !== 'reading') told.push(event.type);
  }
  const prompt = ['system\nBe short.', 'user\nwhen?', 'assistant\n'];
  // Each block has its start; the first two their end and a line break.
  expect(told[0]).toBe(prompt.join('').length + 3 + 2 * 2);
  expect(told.filter((one) => typeof one === 'number')).toHaveLength(1);
  conversation.close();
  await brain.close();
  await new Promise(setImmediate);
  expect(trunk.live).toBe(0);
});
