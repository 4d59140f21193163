/**
 * `bench tape --caller baresip`: the turn gaps once more, with a phone of somebody else as the caller and measured from
 * its own recordings, so that our media code stands on one side of the line only.
 *
 * baresip plays a file and cannot wait: each question comes at a fixed time after the one before, and an answer that is
 * longer is talked over. It keeps what it said and what it heard in two files without a common clock. Both end with the
 * call, so that they are laid side by side from their ends; a call whose files differ in length by more than two packets
 * (it lost some, or the machine stood still) is discarded and counted.
 */
import { toFloat } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import type { Wav } from '../audio/wav';
import { loudSpans, readTurnGaps, type Span, type Tape } from '../phone/tape';
import { callWithBaresip } from './baresip-caller';
import type { OwnAgent } from './own-agent';
import { type Question, readQuestions, spreadOver, utteranceOf } from './questions';
import { type BenchReport, report, single, spread } from './report';

const SAMPLE_RATE = 8_000;
/** The greeting is over by then. */
const FIRST_AFTER_MS = 5_500;
/** From the end of a question to the next one, or to the end of the call. */
const ANSWER_MS = 9_000;
const QUESTIONS_PER_CALL = 3;
const MAX_DIFFERENCE_MS = 40;

export interface BaresipTapeOptions {
  readonly agent: OwnAgent;
  readonly questionsFolder: string;
  readonly count?: number;
  readonly progress: (line: string) => void;
}

export async function benchBaresipTape(options: BaresipTapeOptions): Promise<BenchReport> {
  const { agent, questionsFolder, progress } = options;
  const questions = spreadOver(readQuestions(questionsFolder), options.count ?? 24);
  const gapsMs: number[] = [];
  const lost = { unanswered: 0, cutIns: 0, discarded: 0, calls: 0 };
  for (const group of groupsOf(questions)) {
    const { microphone, spans } = await microphoneOf(questionsFolder, group);
    const { sent, received } = await callWithBaresip({
      uri: `sip:${group[0]!.persona}@127.0.0.1:${agent.sipPort}`,
      microphone,
    });
    const laid = layTogether(microphone, spans, sent, received);
    if (laid === undefined) {
      lost.calls += 1;
      progress('the recordings of one call differ in length; discarded');
      continue;
    }
    const reading = readTurnGaps(laid.tape, laid.utterances);
    gapsMs.push(...reading.gaps.map(({ gapMs }) => gapMs));
    lost.unanswered += reading.unanswered;
    lost.cutIns += reading.cutIns;
    lost.discarded += reading.discarded;
    progress(`gaps ${reading.gaps.map(({ gapMs }) => Math.round(gapMs)).join(' ')} ms`);
  }
  return report("turn gap on baresip's tape, G.711 over SIP", [
    spread('turn gap', 'ms', gapsMs, 'p50 ≤ 900, p95 ≤ 1,400'),
    single('questions', '', questions.length),
    single('not answered', '', lost.unanswered),
    single('agent cut in', '', lost.cutIns),
    single('discarded edges', '', lost.discarded),
    single('discarded calls', '', lost.calls),
  ]);
}

/** All that is said in a call, and where each question lies in it. */
async function microphoneOf(
  folder: string,
  group: readonly Question[],
): Promise<{ microphone: Int16Array; spans: Span[] }> {
  const spoken = await Promise.all(group.map((question) => utteranceOf(folder, question)));
  const narrow = spoken.map(({ pcm, sampleRate }) => new Resampler(sampleRate, SAMPLE_RATE).push(pcm)[0]!);
  const samplesIn = (ms: number) => (ms * SAMPLE_RATE) / 1_000;
  const total = narrow.reduce((sum, pcm) => sum + pcm.length + samplesIn(ANSWER_MS), samplesIn(FIRST_AFTER_MS));
  const microphone = new Int16Array(total);
  const spans: Span[] = [];
  let at = samplesIn(FIRST_AFTER_MS);
  for (const pcm of narrow) {
    microphone.set(pcm, at);
    spans.push({ startMs: (at * 1_000) / SAMPLE_RATE, endMs: ((at + pcm.length) * 1_000) / SAMPLE_RATE });
    at += pcm.length + samplesIn(ANSWER_MS);
  }
  return { microphone, spans };
}

/** Both recordings on the clock of what was sent; undefined if they do not fit one another. */
export function layTogether(
  microphone: Int16Array,
  spans: readonly Span[],
  sent: Wav,
  received: Wav,
): { readonly tape: Tape; readonly utterances: readonly Span[] } | undefined {
  const caller = toFloat(sent.pcm[0] ?? new Int16Array());
  const heard = toFloat(received.pcm[0] ?? new Int16Array());
  const { sampleRate } = sent;
  const missing = caller.length - heard.length;
  if (sampleRate !== received.sampleRate || Math.abs(missing) > (MAX_DIFFERENCE_MS * sampleRate) / 1_000) {
    return undefined;
  }
  // Where the file begins in what was sent, by the first thing said in either.
  const [inFile] = loudSpans(toFloat(microphone), SAMPLE_RATE);
  const [inSent] = loudSpans(caller, sampleRate);
  if (inFile === undefined || inSent === undefined) return undefined;
  const leadMs = inSent.startMs - inFile.startMs;
  const agent = new Float32Array(caller.length);
  agent.set(missing >= 0 ? heard : heard.subarray(-missing), Math.max(0, missing));
  return {
    tape: { sampleRate, caller, agent },
    utterances: spans.map(({ startMs, endMs }) => ({ startMs: startMs + leadMs, endMs: endMs + leadMs })),
  };
}

function groupsOf(questions: readonly Question[]): Question[][] {
  const groups: Question[][] = [];
  for (const question of questions) {
    const last = groups.at(-1);
    const fits = last !== undefined && last.length < QUESTIONS_PER_CALL && last[0]?.persona === question.persona;
    if (fits) last.push(question);
    else groups.push([question]);
  }
  return groups;
}
