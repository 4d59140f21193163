/**
 * Every engine whose weights ship, from a caller's recording to sound: it hears a question through G.711, answers from the
 * persona's facts, and the recogniser reads the right answer off what it said.
 */
import { join, resolve } from 'node:path';
import { heardOnThePhone, isRight, readQuestions, recordingOf } from '../../src/bench/questions';
import { StartTrace } from '../../src/core/start-trace';
import { loadDialplan } from '../../src/dialplan/load-dialplan';
import { loadModel } from '../../src/model/load-model';
import { closeRecogniser, transcribe } from '../support/recogniser';

const root = join(__dirname, '../..');
const folder = join(root, 'test/fixtures/questions');
const never = new AbortController().signal;

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z']+|\d+/g) ?? [];

afterAll(closeRecogniser);

it.each(['cascade', 'omni', 'mini-omni', 'llama-omni'])(
  '%s hears, answers and is understood',
  async (name) => {
    const question = readQuestions(folder).find(({ id }) => id === 'demo-06')!;
    const { personas } = loadDialplan(resolve(root, 'dialplans'));
    const persona = personas.find(({ id }) => id === question.persona)!;
    const model = await loadModel({ name, modelsDir: join(root, 'models'), threads: 2 }, new StartTrace(() => 0));
    const session = await model.openSession(persona);
    const sound: number[] = [];
    let text = '';
    try {
      const speech = await heardOnThePhone(recordingOf(folder, question));
      session.hear(speech, 0);
      for await (const event of session.answer({ kind: 'audio', fromSample: 0, toSample: speech.length }, never)) {
        if (event.type === 'text') text += event.delta;
        else if (event.type === 'audio') sound.push(...event.pcm);
      }
    } finally {
      session.close();
      await model.close();
    }
    expect([text, isRight(question, text)]).toEqual([text, true]);
    const heard = await transcribe(Int16Array.from(sound), model.outputSampleRate);
    const found = wordsOf(heard);
    const understood = wordsOf(text).filter((word) => found.includes(word));
    expect([heard, isRight(question, heard)]).toEqual([heard, true]);
    expect(understood.length).toBeGreaterThanOrEqual(0.6 * wordsOf(text).length);
  },
  120_000,
);
