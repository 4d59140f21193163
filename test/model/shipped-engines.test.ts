/**
 * Every engine whose weights ship, from a caller's recording to sound: it hears a question through G.711, answers from the
 * persona's facts, and the recogniser reads the right answer off what it said.
 */
import { join, resolve } from 'node:path';
import { heardOnThePhone, isRight, readQuestions, recordingOf } from '../../src/bench/questions';
import { StartTrace } from '../../src/core/start-trace';
import { loadDialplan } from '../../src/dialplan/load-dialplan';
import { loadModel, remoteGraphs } from '../../src/model/load-model';
import { inferenceServerInstalled, startInferenceServer, type TestInferenceServer } from '../support/inference-server';
import { closeRecogniser, transcribe } from '../support/recogniser';

const root = join(__dirname, '../..');
const folder = join(root, 'test/fixtures/questions');
const never = new AbortController().signal;

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z']+|\d+/g) ?? [];

afterAll(closeRecogniser);

/** Of the engine `remote`: everything that it runs on a server unless it is told otherwise. */
const onServer = Object.fromEntries(Object.entries(remoteGraphs).map(([graph, name]) => [name, graph]));
let server: TestInferenceServer | undefined;
afterAll(() => server?.stop());

it.each(['cascade', 'omni', 'mini-omni', 'llama-omni', ...(inferenceServerInstalled() ? ['remote'] : [])])(
  '%s hears, answers and is understood',
  async (name) => {
    if (name === 'remote') server = await startInferenceServer(onServer);
    const question = readQuestions(folder).find(({ id }) => id === 'demo-06')!;
    const { personas } = loadDialplan(resolve(root, 'dialplans'));
    const persona = personas.find(({ id }) => id === question.persona)!;
    const remote = server && { url: server.url, timeoutMs: 60_000 };
    const model = await loadModel(
      { name, modelsDir: join(root, 'models'), threads: 2, remote },
      new StartTrace(() => 0),
    );
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
  240_000,
);

(inferenceServerInstalled() ? it : it.skip)(
  'remote answers with a code while its server is gone, and takes it up again',
  async () => {
    const mortal = await startInferenceServer(onServer);
    const remote = { url: mortal.url, timeoutMs: 60_000 };
    const options = { name: 'remote', modelsDir: join(root, 'models'), threads: 2, remote };
    const model = await loadModel(options, new StartTrace(() => 0));
    const session = await model.openSession({ id: 'p', name: 'Desk', instructions: 'Be short.', facts: [] });
    const say = async (): Promise<number> => {
      let samples = 0;
      for await (const event of session.answer({ kind: 'say', text: 'Good morning.' }, never)) {
        if (event.type === 'audio') samples += event.pcm.length;
      }
      return samples;
    };
    expect(await say()).toBeGreaterThan(4_000);
    await mortal.stop();
    await expect(say()).rejects.toMatchObject({ code: 'remote.unreachable' });
    const back = await startInferenceServer(onServer, mortal.port);
    expect(await say()).toBeGreaterThan(4_000);
    session.close();
    await model.close();
    await back.stop();
    await expect(loadModel(options, new StartTrace(() => 0))).rejects.toMatchObject({ code: 'remote.unreachable' });
  },
  240_000,
);
