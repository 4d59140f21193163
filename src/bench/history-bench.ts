/**
 * `bench history`: does the record say what the caller heard? The agent is cut off at random places; the tape is cut at
 * its last audible sample and given to the recogniser, and the words found there are compared with those of the record.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toFloat, toInt16 } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import { writeWav } from '../audio/wav';
import { openRecogniser } from '../model/load-model';
import type { Phone } from '../phone/phone';
import { loudSpans } from '../phone/tape';
import { readTapeFile } from '../phone/tape-file';
import { MONOLOGUE, ringDemo } from './barge-in-bench';
import type { OwnAgent } from './own-agent';
import { type BenchReport, report, single, spread } from './report';
import { newestLiveCall, openPhones, timelineOf } from './tape-bench';

const EARLIEST_MS = 400;
const LATEST_MS = 9_000;
/** Calls at once: what is asked here is no question of time. */
const LINES = 3;
const CUTS_PER_CALL = 10;
/** How much of the tape's end is given to the recogniser. */
const READINGS_SECONDS = [60, 4, 2, 1];
/** The voice's own pauses between sentences are shorter. */
const BRIDGE_MS = 800;

export interface HistoryBenchOptions {
  readonly agent: OwnAgent;
  readonly modelsDir: string;
  readonly mediaEntry: string;
  readonly count: number;
  /** 0…1; the places of the cuts are drawn from it. */
  readonly random: () => number;
  /** Here the interruptions go whose words differ, for another judge: cuts.json and a WAV each. */
  readonly keep?: string;
  readonly progress: (line: string) => void;
}

export async function benchHistory(options: HistoryBenchOptions): Promise<BenchReport> {
  const { agent, count, progress } = options;
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
  const stack = await openPhones(options.mediaEntry);
  const cuts: Cut[] = [];
  try {
    while (cuts.length < count) {
      const calls: Promise<Cut[]>[] = [];
      const wanted = count - cuts.length;
      for (let line = 0; line < LINES && line * CUTS_PER_CALL < wanted; line += 1) {
        const tapePath = join(folder, `${cuts.length}-${line}.wav`);
        const phone = await ringDemo(stack, agent, tapePath, [24_000 + line * 20, 24_019 + line * 20]);
        const callId = await newestLiveCall(agent);
        const cutsHere = Math.min(CUTS_PER_CALL, wanted - line * CUTS_PER_CALL);
        calls.push(cutOff({ ...options, phone, callId, tapePath, count: cutsHere }));
      }
      const found = (await Promise.all(calls)).flat();
      if (found.length === 0) break;
      cuts.push(...found);
      progress(`${cuts.length} interruptions`);
    }
  } finally {
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return compare(cuts, options);
}

/** One interruption: the agent's last words on the tape, and what the record says of them. */
interface Cut {
  /** 16 kHz, from the monologue's first sample to the last audible one. */
  readonly heard: Float32Array;
  readonly recordText: string;
  readonly recordMs: number;
}

/** One call: the monologue is begun and stopped again and again, at a random place each time. */
async function cutOff(
  call: HistoryBenchOptions & { readonly phone: Phone; readonly callId: string; readonly tapePath: string },
): Promise<Cut[]> {
  const { phone, agent, callId, random } = call;
  const act = (action: Readonly<Record<string, unknown>>) =>
    agent.request('POST', `/v1/calls/${callId}/actions`, action);
  const startsMs: number[] = [];
  for (let index = 0; index < call.count; index += 1) {
    await act({ type: 'say', text: MONOLOGUE });
    const beforeMs = phone.nowMs;
    if (!(await phone.waitUntilTalking(8_000))) continue;
    startsMs.push(beforeMs);
    await phone.pass(EARLIEST_MS + random() * (LATEST_MS - EARLIEST_MS));
    await act({ type: 'stop' });
    await phone.waitUntilQuiet(3_000);
  }
  await phone.hangUp();
  const events = await timelineOf(agent, callId);
  const records = events.filter(({ type, data }) => type === 'turn.agent' && data.interrupted === true);
  const tape = readTapeFile(call.tapePath);
  const spans = loudSpans(tape.agent, tape.sampleRate, { marginDb: 20, bridgeMs: BRIDGE_MS, minimumMs: 60 });
  const cuts: Cut[] = [];
  startsMs.forEach((startMs, index) => {
    const span = spans.find(({ endMs }) => endMs > startMs);
    const data = records[index]?.data;
    if (span === undefined || data?.playedMs === undefined || records.length !== startsMs.length) return;
    const place = (ms: number) => Math.round((ms * tape.sampleRate) / 1_000);
    const resampler = new Resampler(tape.sampleRate, 16_000);
    const pcm = resampler.push(toInt16(tape.agent.subarray(place(span.startMs), place(span.endMs))));
    cuts.push({
      heard: toFloat(Int16Array.from(pcm.flatMap((chunk) => Array.from(chunk)))),
      recordText: data.text ?? '',
      recordMs: data.playedMs,
    });
  });
  return cuts;
}

async function compare(cuts: readonly Cut[], { modelsDir, keep }: HistoryBenchOptions): Promise<BenchReport> {
  const recogniser = await openRecogniser(modelsDir, 2);
  const whole = wordsOf(MONOLOGUE);
  const wordsWrong: number[] = [];
  const differing: string[] = [];
  const kept: { file: string; record: string; tape: string; distance: number }[] = [];
  const differenceMs: number[] = [];
  let inCutWord = 0;
  try {
    for (const { heard, recordText, recordMs } of cuts) {
      const inRecord = wordsOf(recordText).length;
      let distance = Number.POSITIVE_INFINITY;
      let text = '';
      // The recogniser likes to leave out a sentence that has only begun. What it hears in one of the readings is there.
      for (const seconds of READINGS_SECONDS) {
        const reading = await recogniser.recognise(heard.subarray(-seconds * 16_000), new AbortController().signal);
        const fromStart = seconds * 16_000 >= heard.length;
        const found = wordsOf(reading.text);
        // One word of the middle may stand anywhere.
        if (!fromStart && found.length < 2) continue;
        const here = Math.min(...endsLike(whole, found, fromStart).map((place) => Math.abs(place - inRecord)));
        if (here < distance) [distance, text] = [here, reading.text];
      }
      if (distance === 1) inCutWord += 1;
      wordsWrong.push(Math.max(0, distance - 1));
      differenceMs.push((heard.length * 1_000) / 16_000 - recordMs);
      if (distance > 0 && keep !== undefined) {
        const file = `${kept.length}.wav`;
        mkdirSync(keep, { recursive: true });
        writeFileSync(join(keep, file), writeWav({ sampleRate: 16_000, channels: 1, pcm: [toInt16(heard)] }));
        kept.push({ file, record: recordText, tape: text, distance });
      }
      if (distance > 0) differing.push(`record “…${lastWords(recordText)}”, tape “…${lastWords(text)}”`);
    }
  } finally {
    await recogniser.close();
  }
  if (keep !== undefined && kept.length > 0) writeFileSync(join(keep, 'cuts.json'), JSON.stringify(kept, null, 2));
  return report(
    'history against what was heard',
    [
      single('interruptions', '', cuts.length),
      single(
        'words wrong beside the one that was cut',
        '',
        wordsWrong.reduce((sum, wrong) => sum + wrong, 0),
        '0',
      ),
      single('interruptions where only the cut word differs', '', inCutWord),
      spread('length on the tape less what the record says', 'ms', differenceMs),
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

/**
 * Where in `whole` the words `found` end, by edit distance, counted in words from its beginning: all places that are equally
 * good. There are two when the last word was misheard: it may stand for the cut word or for none.
 * `fromStart`: `found` begins where `whole` does; otherwise anywhere.
 */
function endsLike(whole: readonly string[], found: readonly string[], fromStart: boolean): number[] {
  let row = Array.from({ length: whole.length + 1 }, (_, index) => (fromStart ? index : 0));
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
  const best = Math.min(...row);
  return row.flatMap((cost, place) => (cost === best ? [place] : []));
}
