/**
 * Asks a whole engine the held-out questions as recordings through G.711 and reads its text; keeps what it said, if wanted,
 * so that its speech can be read back (models/recipe, `omni.evaluate --wavs`).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { joinInt16 } from '../audio/pcm';
import { writeWav } from '../audio/wav';
import { StartTrace } from '../core/start-trace';
import { loadModel } from '../model/load-model';
import type { AnswerInput, OmniSession } from '../model/omni-model';
import { type Asker, type Reply, toolOf } from './heldout-question';
import { heardOnThePhone } from './questions';

export interface SpokenOptions {
  readonly engine: string;
  /** ID.ogg for each question, ID.before0.ogg … for those that lead up to it: models/recipe, `brain.speak_heldout`. */
  readonly folder: string;
  /** Where NNNN.wav of each answer and `lines.txt` with its text go. */
  readonly keep?: string;
}

const RATE = 16_000;
const never = new AbortController().signal;

export async function openSpokenAsker(
  { modelsDir, threads }: { readonly modelsDir: string; readonly threads: number },
  { engine, folder, keep }: SpokenOptions,
): Promise<Asker> {
  const model = await loadModel({ name: engine, modelsDir, threads }, new StartTrace(() => performance.now()));
  const kept: string[] = [];
  if (keep !== undefined) mkdirSync(keep, { recursive: true });
  return {
    async ask(persona, question) {
      const session = await model.openSession(persona);
      let reply: Reply & { readonly pcm: Int16Array } = { text: '', action: undefined, pcm: new Int16Array(0) };
      let at = 0;
      try {
        const names = [...question.before.map((_, i) => `${question.id}.before${i}`), question.id];
        for (const name of names) {
          const speech = await heardOnThePhone(join(folder, `${name}.ogg`));
          session.hear(speech, at);
          reply = await answerTo(session, { kind: 'audio', fromSample: at, toSample: at + speech.length });
          // Three seconds between two questions, so that each is a turn of its own.
          at += speech.length + 3 * RATE;
          session.commit({ userText: reply.heard ?? '', heardText: reply.text, interrupted: false });
        }
        const called = toolOf(reply);
        if (called !== undefined && question.result !== undefined) {
          const { heard = '' } = reply;
          reply = {
            ...(await answerTo(session, { kind: 'tool-result', question: heard, text: question.result })),
            called,
          };
        }
      } finally {
        session.close();
      }
      if (keep !== undefined && reply.pcm.length > 0) {
        const file = join(keep, `${String(kept.length).padStart(4, '0')}.wav`);
        writeFileSync(file, writeWav({ pcm: [reply.pcm], channels: 1, sampleRate: model.outputSampleRate }));
        kept.push(reply.text.trim());
      }
      return reply;
    },
    async close() {
      if (keep !== undefined) writeFileSync(join(keep, 'lines.txt'), kept.map((line) => `${line}\n`).join(''));
      await model.close();
    },
  };
}

async function answerTo(session: OmniSession, input: AnswerInput) {
  let [text, heard] = ['', ''];
  let action: Reply['action'];
  const sound: Int16Array[] = [];
  for await (const event of session.answer(input, never)) {
    if (event.type === 'text') text += event.delta;
    else if (event.type === 'transcript') heard = event.text;
    else if (event.type === 'audio') sound.push(event.pcm);
    else if (event.type === 'end') action = event.action;
  }
  return { text, action, heard, pcm: joinInt16(sound) };
}
