import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { AnswerAction } from '../../../src/core/tool';
import { TrunkBrain } from '../../../src/model/brain/brain';
import type { BrainConversation } from '../../../src/model/brain/conversation-brain';
import { RelevanceTable } from '../../../src/model/brain/relevance';
import { openModelFolder } from '../../../src/model/manifest';
import type { Persona } from '../../../src/model/omni-model';
import { Trunk } from '../../../src/model/trunk/trunk';

const root = join(__dirname, '../../..');
const shipped = (id: string): Persona & { greeting: string } =>
  parse(readFileSync(join(root, `dialplans/personas/${id}.yaml`), 'utf8'));
const hotel = shipped('hotel');
const bakery: Persona = {
  id: 'bakery',
  name: 'Corner Bakery',
  instructions: 'You answer the phone at the Corner Bakery. Keep answers short and friendly.',
  facts: [
    'The bakery is open every day from 7 am to 5 pm.',
    'A loaf of rye bread costs 6 dollars.',
    'You can park in the yard.',
  ],
};

let trunk: Trunk;
let brain: TrunkBrain;
const conversations: BrainConversation[] = [];

beforeAll(async () => {
  const folder = await openModelFolder(join(root, 'models/smollm2-135m'));
  trunk = await Trunk.open(folder);
  brain = new TrunkBrain(trunk, new RelevanceTable(JSON.parse(await folder.readText('relevance.json'))));
}, 120_000);
afterEach(() => {
  for (const one of conversations.splice(0)) one.close();
});
afterAll(() => brain.close());

async function open(persona: Persona, greeting?: string): Promise<BrainConversation> {
  const conversation = await brain.openConversation(persona);
  conversations.push(conversation);
  if (greeting !== undefined) conversation.commit({ userText: undefined, heardText: greeting, interrupted: false });
  return conversation;
}

async function ask(
  conversation: BrainConversation,
  userText: string,
): Promise<{ text: string; action: AnswerAction | undefined }> {
  let text = '';
  let action: AnswerAction | undefined;
  for await (const event of conversation.answer(userText, new AbortController().signal)) {
    if (event.type === 'delta') text += event.text;
    else if (event.type === 'action') action = event.action;
  }
  return { text, action };
}

describe('the built-in brain', () => {
  it.each([
    ['How much is breakfast?', /\b14\b/],
    ['What is the wifi password?', /seagull/i],
    ['How much is a double room per night?', /\b120\b/],
  ])(
    'answers "%s" from the facts of the hotel',
    async (question, expected) => {
      const conversation = await open(hotel, hotel.greeting);
      expect((await ask(conversation, question)).text).toMatch(expected);
    },
    120_000,
  );

  it('offers to connect when the facts do not say it', async () => {
    const conversation = await open(hotel, hotel.greeting);
    expect((await ask(conversation, 'Can you tell me the name of your lawyer?')).text).toMatch(/connect|colleague/i);
  }, 120_000);

  it('refuses what only sounds like one of its facts, although words of that fact are at hand', async () => {
    const { personas, questions } = JSON.parse(readFileSync(join(root, 'test/fixtures/brain/heldout.json'), 'utf8'));
    const answers: string[] = [];
    for (const id of ['florist-17', 'optician-18', 'brewery-18', 'carrental-16', 'plumber-15']) {
      const question = questions.find((one: { id: string }) => one.id === id);
      const persona = personas.find((one: Persona) => one.id === question.persona);
      answers.push((await ask(await open(persona), question.text)).text);
    }
    expect(answers.filter((answer) => /do not have that/i.test(answer)).length).toBeGreaterThanOrEqual(4);
  }, 120_000);

  it('takes a figure from any fact where the related ones have none', async () => {
    const shop = shipped('shop');
    const { text } = await ask(await open(shop, shop.greeting), 'What time do you close?');
    expect(text).toMatch(/\d/);
    expect(text).not.toMatch(/at (and|on)\b|at\s*[.,]/);
  }, 120_000);

  it('calls the tool that the shipped weights were never taught, and answers from what it told', async () => {
    const tool = (name: string, description: string) => ({ name, description, timeoutMs: 5_000 });
    const persona = {
      ...bakery,
      id: 'bakery with tools',
      tools: [tool('tickets', 'reserve tickets'), tool('wake', 'order a wake-up call')],
    };
    const conversation = await open(persona);
    expect(await ask(conversation, 'I need a wake-up call.')).toEqual({
      text: 'One moment, please.',
      action: { type: 'tool', name: 'wake' },
    });
    expect((await ask(await open(persona), 'Please reserve three tickets for Sunday.')).action).toEqual({
      type: 'tool',
      name: 'tickets',
    });
    // What can be said from the facts still is.
    expect((await ask(await open(persona), 'How much is a loaf of rye bread?')).text).toMatch(/\b6\b/);
    let text = '';
    const toolResult = 'The wake-up call is set for 6:45 am.';
    for await (const event of conversation.answer('I need a wake-up call.', new AbortController().signal, {
      toolResult,
    }))
      if (event.type === 'delta') text += event.text;
    expect(text).toMatch(/6:45/);
  }, 120_000);

  it('says goodbye and hangs up', async () => {
    const conversation = await open(hotel, hotel.greeting);
    expect((await ask(conversation, 'Thank you, goodbye.')).action).toBe('hangup');
  }, 120_000);

  it('hands over to a person who is asked for', async () => {
    const conversation = await open(hotel, hotel.greeting);
    expect((await ask(conversation, 'Can I speak to a human, please?')).action).toBe('handover');
  }, 120_000);

  it('answers from the facts of whichever persona the call has', async () => {
    const conversation = await open(bakery);
    expect((await ask(conversation, 'How much is a loaf of rye bread?')).text).toMatch(/\b6\b/);
  }, 120_000);

  it('answers the same whether the cache was kept, cut back by an aborted answer, or never there', async () => {
    const fresh = await ask(await open(hotel, hotel.greeting), 'When is breakfast?');
    const conversation = await open(hotel, hotel.greeting);
    const abort = new AbortController();
    let deltas = 0;
    await expect(async () => {
      for await (const event of conversation.answer('Can I bring my dog?', abort.signal)) {
        if (event.type === 'delta' && ++deltas === 2) abort.abort(new Error('barge-in'));
      }
    }).rejects.toThrow('barge-in');
    expect(deltas).toBe(2);
    expect((await ask(conversation, 'When is breakfast?')).text).toBe(fresh.text);
  }, 120_000);

  it('lets two answers of one call be drawn in turn without mixing them', async () => {
    const alone = await ask(await open(hotel, hotel.greeting), 'How much is the parking?');
    const conversation = await open(hotel, hotel.greeting);
    const signal = new AbortController().signal;
    const guess = conversation.answer('How much is', signal)[Symbol.asyncIterator]();
    await guess.next();
    const real = conversation.answer('How much is the parking?', signal)[Symbol.asyncIterator]();
    let text = '';
    for (let next = await real.next(); next.done !== true; next = await real.next()) {
      if (next.value.type === 'delta') text += next.value.text;
      if (text.length < 12) await guess.next();
    }
    await guess.return?.();
    expect(text).toBe(alone.text);
  }, 120_000);

  it('says to two callers at once what it says to each alone, in fewer runs', async () => {
    const pace = { dueInMs: () => 0, urgency: () => 0 };
    const questions = ['How much is the parking?', 'When is breakfast?'];
    const alone: string[] = [];
    let before = trunk.work.runs;
    for (const question of questions) alone.push((await ask(await open(hotel, hotel.greeting), question)).text);
    const runsAlone = trunk.work.runs - before;
    const calls = await Promise.all(questions.map(() => open(hotel, hotel.greeting)));
    before = trunk.work.runs;
    const signal = new AbortController().signal;
    const events = calls.map((call, i) => call.answer(questions[i]!, signal, { pace })[Symbol.asyncIterator]());
    const texts = questions.map(() => '');
    const going = new Set(events.keys());
    while (going.size > 0) {
      for (const i of [...going]) {
        const next = await events[i]!.next();
        if (next.done === true) going.delete(i);
        else if (next.value.type === 'delta') texts[i] += next.value.text;
      }
    }
    expect(texts).toEqual(alone);
    expect(trunk.work.runs - before).toBeLessThan(runsAlone - 3);
  }, 120_000);

  it('remembers long calls by dropping their oldest turns', async () => {
    const conversation = await open(hotel, hotel.greeting);
    for (let turn = 0; turn < 40; turn += 1) {
      conversation.commit({
        userText: `Question number ${turn}, ${'please '.repeat(20)}`,
        heardText: 'We heard you.',
        interrupted: turn % 3 === 0,
      });
    }
    expect((await ask(conversation, 'How much is breakfast?')).text).toMatch(/\b14\b/);
  }, 120_000);

  it('gives the memory of closed calls back', async () => {
    const before = trunk.contexts;
    const conversation = await brain.openConversation(hotel);
    expect(trunk.contexts).toBe(before + 1);
    conversation.close();
    conversation.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(trunk.contexts).toBe(before);
    await expect(ask(conversation, 'Hello?')).rejects.toMatchObject({ code: 'brain.closed' });
  }, 120_000);
});
