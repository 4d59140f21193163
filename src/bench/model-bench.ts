/** `bench model`: each part of the engine by itself, on the processor that is here. */

import { toFloat } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import { openRecogniser, openTrunkBrain, openVoice } from '../model/load-model';
import type { Persona } from '../model/omni-model';
import { benchHow } from './how-bench';
import { readQuestions, spreadOver, utteranceOf } from './questions';
import { type BenchReport, report, spread } from './report';
import { benchTrunk } from './trunk-bench';

const SENTENCES = [
  'The clinic is open Monday to Friday from 8 am to 6 pm.',
  'Parking is behind the building, and it is free for the first two hours.',
  'I do not have that information. Shall I connect you to a colleague?',
  'A first visit costs 60 dollars and takes about 40 minutes.',
];

export interface ModelBenchOptions {
  readonly modelsDir: string;
  readonly threads: number;
  readonly questionsFolder: string;
  readonly persona: Persona;
  readonly count?: number;
}

export async function benchModel(options: ModelBenchOptions): Promise<BenchReport> {
  const { modelsDir, threads, questionsFolder, persona } = options;
  const never = new AbortController().signal;
  const questions = spreadOver(readQuestions(questionsFolder), options.count ?? 24);
  const ear = await openRecogniser(modelsDir, threads);
  const recogniseMs: number[] = [];
  for (const question of questions) {
    const { pcm, sampleRate } = await utteranceOf(questionsFolder, question);
    const wide = new Resampler(sampleRate, 16_000).push(pcm).flatMap((chunk) => Array.from(chunk));
    const startedMs = performance.now();
    await ear.recognise(toFloat(Int16Array.from(wide)), never);
    recogniseMs.push(performance.now() - startedMs);
  }
  await ear.close();
  const how = await benchHow(modelsDir, questionsFolder, questions);

  const brain = await openTrunkBrain(modelsDir, threads);
  for await (const _ of brain.warm(persona));
  const firstTextMs: number[] = [];
  const tokenMs: number[] = [];
  for (const question of questions) {
    const conversation = await brain.openConversation(persona);
    const startedMs = performance.now();
    let deltas = 0;
    let firstMs = 0;
    for await (const event of conversation.answer(question.text, never)) {
      if (event.type !== 'delta') continue;
      if (deltas === 0) firstMs = performance.now() - startedMs;
      deltas += 1;
    }
    if (deltas > 0) firstTextMs.push(firstMs);
    if (deltas > 1) tokenMs.push((performance.now() - startedMs - firstMs) / (deltas - 1));
    conversation.close();
  }
  await brain.close();
  const batched = await benchTrunk(modelsDir, threads);

  const voice = await openVoice(modelsDir, threads);
  const firstAudioMs: number[] = [];
  const realTime: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    for (const sentence of SENTENCES) {
      const startedMs = performance.now();
      let samples = 0;
      for await (const chunk of voice.synthesise(sentence, never)) {
        if (samples === 0) firstAudioMs.push(performance.now() - startedMs);
        samples += chunk.pcm.length;
      }
      realTime.push((performance.now() - startedMs) / ((samples * 1_000) / voice.sampleRate));
    }
  }
  await voice.close();
  return report(`parts of the cascade, ${threads} thread${threads === 1 ? '' : 's'}`, [
    spread('recognise a question', 'ms', recogniseMs),
    how,
    spread('question to first text', 'ms', firstTextMs),
    spread('each further piece of text', 'ms', tokenMs),
    ...batched.map((figure) => ({ ...figure, name: `language model, ${figure.name}` })),
    spread('text to first audio', 'ms', firstAudioMs),
    spread('voice, share of real time', '', realTime),
  ]);
}
