/**
 * `bench history`: does the record say what the caller heard? The agent is cut off at random places; the tape is cut at
 * its last audible sample and given to the recogniser, and the words found there are compared with those of the record.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toFloat, toInt16 } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import { openRecogniser } from '../model/load-model';
import { loudSpans } from '../phone/tape';
import { readTapeFile } from '../phone/tape-file';
import { liveCallId, MONOLOGUE, ringMonologue } from './barge-in-bench';
import type { OwnAgent } from './own-agent';
import { type BenchReport, report, single, spread } from './report';
import { lastCall, openPhones } from './tape-bench';

const EARLIEST_MS = 400;
const LATEST_MS = 9_000;

export interface HistoryBenchOptions {
  readonly agent: OwnAgent;
  readonly modelsDir: string;
  readonly mediaEntry: string;
  readonly count: number;
  /** 0…1; the places of the cuts are drawn from it. */
  readonly random: () => number;
  readonly progress: (line: string) => void;
}

export async function benchHistory(options: HistoryBenchOptions): Promise<BenchReport> {
  const { agent, random, count, progress } = options;
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
  const stack = await openPhones(options.mediaEntry);
  const recogniser = await openRecogniser(options.modelsDir, 1);
  const whole = wordsOf(MONOLOGUE);
  const differenceMs: number[] = [];
  const wordsWrong: number[] = [];
  const differing: string[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      const tapePath = join(folder, 'cut.wav');
      const phone = await ringMonologue(stack, agent, tapePath);
      const startMs = phone.nowMs;
      await phone.pass(EARLIEST_MS + random() * (LATEST_MS - EARLIEST_MS));
      await agent.request('POST', `/v1/calls/${await liveCallId(agent)}/actions`, { type: 'stop' });
      await phone.pass(600);
      await phone.hangUp();
      const { events } = await lastCall(agent);
      const cut = events.findLast(({ type, data }) => type === 'turn.agent' && data.interrupted === true);
      const tape = readTapeFile(tapePath);
      const spans = loudSpans(tape.agent, tape.sampleRate, { marginDb: 20, bridgeMs: 1_200, minimumMs: 60 });
      const spoken = spans.filter(({ endMs }) => endMs > startMs).at(-1);
      if (cut?.data.playedMs === undefined || spoken === undefined) continue;
      differenceMs.push(Math.abs(spoken.endMs - spoken.startMs - cut.data.playedMs));
      const place = (ms: number) => Math.round((ms * tape.sampleRate) / 1_000);
      const audio = new Resampler(tape.sampleRate, 16_000)
        .push(toInt16(tape.agent.subarray(place(spoken.startMs), place(spoken.endMs))))
        .flatMap((chunk) => Array.from(chunk));
      const { text } = await recogniser.recognise(toFloat(Int16Array.from(audio)), new AbortController().signal);
      const onTape = prefixLike(whole, wordsOf(text));
      const inRecord = wordsOf(cut.data.text ?? '').length;
      wordsWrong.push(Math.abs(onTape - inRecord));
      if (onTape !== inRecord)
        differing.push(`record “…${lastWords(cut.data.text ?? '')}”, tape “…${lastWords(text)}”`);
      if (index % 20 === 19) progress(`${index + 1} interruptions, ${differing.length} with a difference`);
    }
  } finally {
    await recogniser.close();
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return report(
    'history against what was heard',
    [
      spread('words of the record more or less than on the tape', 'words', wordsWrong, '0 words wrong'),
      single(
        'interruptions without any difference',
        '%',
        (100 * wordsWrong.filter((wrong) => wrong === 0).length) / Math.max(1, wordsWrong.length),
      ),
      spread('length on the tape against played by the record', 'ms', differenceMs),
    ],
    [
      `Differences (the recogniser may mishear a word that was cut in half): ${differing.slice(0, 12).join('; ') || 'none'}.`,
    ],
  );
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9']+/g) ?? [];
}

function lastWords(text: string): string {
  return text.split(/\s+/).slice(-3).join(' ');
}

/** Length of the beginning of `whole` that is nearest to `found` by edit distance; the shortest if several are. */
function prefixLike(whole: readonly string[], found: readonly string[]): number {
  let row = Array.from({ length: whole.length + 1 }, (_, index) => index);
  for (const [line, word] of found.entries()) {
    const next = [line + 1];
    for (let place = 1; place <= whole.length; place += 1) {
      next.push(
        Math.min(
          (row[place - 1] ?? 0) + (whole[place - 1] === word ? 0 : 1),
          (row[place] ?? 0) + 1,
          (next[place - 1] ?? 0) + 1,
        ),
      );
    }
    row = next;
  }
  return row.indexOf(Math.min(...row));
}
