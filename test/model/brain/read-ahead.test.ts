/** The trunk reads a question run by run, and need not read again what it read while the caller was still speaking. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrunkBrain } from '../../../src/model/brain/brain';
import { RelevanceTable } from '../../../src/model/brain/relevance';
import { openModelFolder } from '../../../src/model/manifest';
import type { ContextItem, LanguageContext } from '../../../src/model/parts';
import { Trunk } from '../../../src/model/trunk/trunk';

const folder = join(__dirname, '../../../models/smollm2-135m');
const never = new AbortController().signal;
const persona = {
  id: 'hotel',
  name: 'Hotel',
  instructions: 'You are the desk of a hotel.',
  facts: ['Breakfast costs 14 dollars per person.', 'Parking costs 12 dollars per night.', 'Check-out is at 11 am.'],
};
const QUESTION = 'How much is the breakfast for one person, please?';

/** Items that the model was given, run by run. */
const runs: number[] = [];
let trunk: Trunk;
let brain: TrunkBrain;

beforeAll(async () => {
  trunk = await Trunk.open(await openModelFolder(folder));
  const counted = (context: LanguageContext): LanguageContext => {
    const append = context.append.bind(context);
    context.append = (items: readonly ContextItem[], signal?: AbortSignal) => {
      runs.push(items.length);
      return append(items, signal);
    };
    const fork = context.fork.bind(context);
    context.fork = () => counted(fork());
    return context;
  };
  const create = trunk.createContext.bind(trunk);
  trunk.createContext = () => counted(create());
  brain = new TrunkBrain(trunk, new RelevanceTable(JSON.parse(readFileSync(join(folder, 'relevance.json'), 'utf8'))));
}, 120_000);
afterAll(() => brain.close());

/** Heard as vectors, as an ear gives them; read ahead up to `ahead` of them. */
async function ask(ahead: number) {
  const heard = trunk.encode(QUESTION).map((token) => trunk.embed([token]));
  const conversation = await brain.openConversation(persona);
  for (let look = 0; look < 3 && ahead > 0; look += 1) await conversation.readAhead!(heard.slice(0, ahead), never);
  runs.length = 0;
  let text = '';
  let items = 0;
  let readings = 0;
  for await (const event of conversation.answer(QUESTION, never, { heard })) {
    if (event.type === 'reading') readings += 1;
    if (event.type !== 'delta') continue;
    if (text === '') items = runs.reduce((sum, run) => sum + run, 0);
    text += event.text;
  }
  conversation.close();
  return { text, items, readings };
}

describe('reading ahead', () => {
  it('leaves the rest of the question to be read, and the answer what it was', async () => {
    const cold = await ask(0);
    const warm = await ask(8);
    expect(cold.text).toMatch(/14/);
    expect(warm.text).toMatch(/14/);
    expect(cold.items - warm.items).toBeGreaterThanOrEqual(8);
  }, 120_000);

  it('happens in runs of at most 16, each a place to stop at', async () => {
    const { readings, items } = await ask(0);
    expect(Math.max(...runs)).toBeLessThanOrEqual(16);
    expect(readings).toBe(Math.ceil(items / 16) - 1);
  }, 120_000);
});
