/** The recorded questions: who asks what, and what a right answer has to hold. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { joinInt16 } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import { linearFromMuLaw, muLawFromLinear } from '../codecs/g711';
import { decodeOggOpus } from '../codecs/ogg-opus';
import type { Utterance } from '../phone/script';

const questionsSchema = z.array(
  z.object({
    id: z.string(),
    persona: z.string(),
    text: z.string(),
    expect: z.array(z.string()).min(1),
    voice: z.string(),
  }),
);

export type Question = z.output<typeof questionsSchema>[number];

export function readQuestions(folder: string): readonly Question[] {
  return questionsSchema.parse(JSON.parse(readFileSync(join(folder, 'questions.json'), 'utf8')));
}

/** `count` of them, spread over all: fewer questions must not mean fewer personas and voices. */
export function spreadOver<T>(items: readonly T[], count: number = items.length): T[] {
  const kept = Math.min(count, items.length);
  return Array.from({ length: kept }, (_, place) => items[Math.floor((place * items.length) / kept)]!);
}

export function recordingOf(folder: string, question: Question): string {
  return join(folder, `${question.id}.ogg`);
}

export async function utteranceOf(folder: string, question: Question): Promise<Utterance> {
  return { label: question.text, ...(await decodeOggOpus(readFileSync(recordingOf(folder, question)))) };
}

/** A recording as a telephone brings it: 8 kHz and µ-law, widened to 16 kHz again. */
export async function heardOnThePhone(file: string): Promise<Int16Array> {
  const { pcm, sampleRate } = await decodeOggOpus(readFileSync(file));
  const narrow = joinInt16(new Resampler(sampleRate, 8_000).push(pcm)).map((sample) =>
    linearFromMuLaw(muLawFromLinear(sample)),
  );
  return joinInt16(new Resampler(8_000, 16_000).push(narrow));
}

/** Every pattern must be found; digits may be spoken with or without a comma. */
export function isRight(question: Question, answer: string): boolean {
  const plain = answer.replace(/(\d),(\d)/g, '$1$2');
  return question.expect.every((pattern) => new RegExp(pattern, 'i').test(plain));
}
