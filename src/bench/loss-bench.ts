/**
 * `bench loss`: what a bad network leaves of speech. The recorded questions go through an encoder, a network that loses and
 * delays packets, and the inbound line of a call (jitter buffer, repair, concealment), in virtual time; the recogniser reads what
 * is heard, and clicks are counted on it.
 */
import { joinInt16, sharpestBend, toFloat } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import { createCodec, describeCodec } from '../codecs/preference';
import { callFrameSamples, callSampleRate, Inbound } from '../media/inbound';
import type { MediaFormat } from '../media/transport';
import { openRecogniser } from '../model/load-model';
import { normalise } from '../model/text/normaliser';
import { type Question, readQuestions, spreadOver, utteranceOf } from './questions';
import { type BenchReport, type Figure, report, single } from './report';

export interface LossBenchOptions {
  readonly modelsDir: string;
  readonly threads: number;
  readonly questionsFolder: string;
  readonly count?: number | undefined;
  /** Sources of values 0…1, the same for the same seed: every codec meets the same network. */
  readonly randomOf: (seed: number) => () => number;
  readonly progress: (line: string) => void;
}

export interface Network {
  /** Share of packets that never arrive, each by itself. */
  readonly loss: number;
  /** Packets are delayed by 0 to so many milliseconds, evenly: they overtake one another. */
  readonly jitterMs: number;
}

const networks: readonly Network[] = [0, 60].flatMap((jitterMs) => [0, 0.03, 0.1].map((loss) => ({ loss, jitterMs })));
const codecNames = ['PCMU', 'opus'] as const;
const frameMs = 20;
/** Before the first question, between two, and of that what belongs to the one before: the buffer may hold 200 ms. */
const leadMs = 2000;
const pauseMs = 1000;
const tailMs = 500;
/** A bend this much sharper than the question's own sharpest is a click; the tests of concealment use the same measure. */
const clickRatio = 1.6;
/** Bends nearer than this are one click. */
const oneClickMs = 10;

export async function benchLoss(options: LossBenchOptions): Promise<BenchReport> {
  const { questionsFolder, progress } = options;
  const questions = spreadOver(readQuestions(questionsFolder), options.count);
  const spoken = await Promise.all(questions.map((question) => utteranceOf(questionsFolder, question)));
  const recogniser = await openRecogniser(options.modelsDir, options.threads);
  const figures: Figure[] = [];
  const words = questions.reduce((sum, { text }) => sum + wordsOf(text).length, 0);
  try {
    for (const name of codecNames) {
      const bends = spoken.map((each) => ownBend(name, each));
      for (const network of networks) {
        const { pieces, delayMs } = heardOver(name, spoken, network, options.randomOf(1));
        let wrong = 0;
        let clicks = 0;
        for (const [index, piece] of pieces.entries()) {
          const { text } = await recogniser.recognise(toFloat(piece), new AbortController().signal);
          wrong += wordErrors(wordsOf((questions[index] as Question).text), wordsOf(text));
          clicks += clicksIn(piece, bends[index] ?? 0);
        }
        const where = `${name}, ${network.loss * 100} % lost, ${network.jitterMs} ms jitter`;
        figures.push(
          single(`${where}: words wrong`, '%', Math.round((1000 * wrong) / words) / 10),
          single(`${where}: clicks`, '', clicks, '0'),
          single(`${where}: mean wait in the buffer`, 'ms', Math.round(delayMs)),
        );
        progress(`${where}: ${wrong} of ${words} words wrong, ${clicks} clicks`);
      }
    }
  } finally {
    await recogniser.close();
  }
  return report('speech over a bad network', figures, [
    `${questions.length} questions, ${words} words; packets of 20 ms, each lost or delayed by itself, the same ones for both codecs.`,
    'The encoder of Opus is told of the share that is lost, as RTCP tells it in a call.',
  ]);
}

/** What the listener hears of each question at 16 kHz, and how long packets waited in the buffer on average. */
export function heardOver(
  name: (typeof codecNames)[number],
  spoken: readonly { readonly pcm: Int16Array; readonly sampleRate: number }[],
  network: Network,
  random: () => number,
): { readonly pieces: readonly Int16Array[]; readonly delayMs: number } {
  const { starts, frames } = oneCall(name, spoken);
  const format = formatOf(name);
  const codec = createCodec(name);
  codec.expectLoss?.(network.loss);
  const ticks = (format.codec.clockRate * frameMs) / 1000;
  const arrivals = frames.flatMap((frame, index) => {
    const payload = codec.encode(frame).slice();
    const [lost, delayed] = [random() < network.loss, random() * network.jitterMs];
    const packet = {
      payloadType: format.codec.payloadType,
      sequenceNumber: index & 0xffff,
      timestampTicks: (index * ticks) >>> 0,
      ssrc: 1,
      marker: index === 0,
      payload,
    };
    return lost ? [] : [{ atMs: index * frameMs + delayed, packet }];
  });
  arrivals.sort((one, other) => one.atMs - other.atMs);
  const line = new Inbound(format, () => {});
  const heard = new Int16Array(frames.length * callFrameSamples);
  let next = 0;
  for (let frame = 0; frame < frames.length; frame++) {
    const nowMs = (frame + 1) * frameMs;
    for (; (arrivals[next]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs; next++) {
      line.push(arrivals[next]!.packet, arrivals[next]!.atMs);
    }
    heard.set(line.tick(nowMs), frame * callFrameSamples);
  }
  const delayMs = line.stats.meanDelayMs;
  line.close();
  codec.close();
  const place = (ms: number) => Math.round((ms * callSampleRate) / 1000);
  const pieces = starts.map(({ fromMs, toMs }) => heard.slice(place(fromMs), place(toMs + tailMs)));
  return { pieces, delayMs };
}

/** All questions as one caller's call, cut into the encoder's frames, and when each begins and ends. */
function oneCall(name: string, spoken: readonly { readonly pcm: Int16Array; readonly sampleRate: number }[]) {
  const rate = describeCodec(name)?.encodeRate ?? 8000;
  const starts: { fromMs: number; toMs: number }[] = [];
  const pieces: Int16Array[] = [new Int16Array((leadMs * rate) / 1000)];
  let atMs = leadMs;
  for (const { pcm, sampleRate } of spoken) {
    const brought = sampleRate === rate ? pcm : joinInt16(new Resampler(sampleRate, rate).push(pcm));
    const lengthMs = (brought.length * 1000) / rate;
    starts.push({ fromMs: atMs, toMs: atMs + lengthMs });
    pieces.push(brought, new Int16Array((pauseMs * rate) / 1000));
    atMs += lengthMs + pauseMs;
  }
  const all = joinInt16(pieces);
  const frame = (rate * frameMs) / 1000;
  const frames = Array.from({ length: Math.floor(all.length / frame) }, (_, i) =>
    all.subarray(i * frame, (i + 1) * frame),
  );
  return { starts, frames };
}

function formatOf(name: (typeof codecNames)[number]): MediaFormat {
  return name === 'PCMU'
    ? { codec: { name, payloadType: 0, clockRate: 8000, packetMs: frameMs } }
    : { codec: { name, payloadType: 111, clockRate: 48_000, packetMs: frameMs } };
}

/** The sharpest bend of what was spoken, in the band that the codec carries. */
export function ownBend(name: string, spoken: { readonly pcm: Int16Array; readonly sampleRate: number }): number {
  const band = describeCodec(name)?.decodeRate ?? 8000;
  const narrow = joinInt16(new Resampler(spoken.sampleRate, band).push(spoken.pcm));
  return sharpestBend(band === callSampleRate ? narrow : joinInt16(new Resampler(band, callSampleRate).push(narrow)));
}

/** Places where the sound bends more sharply than `own`, the sharpest bend of the speech itself, allows. */
export function clicksIn(pcm: Int16Array, own: number): number {
  const apart = (oneClickMs * callSampleRate) / 1000;
  let clicks = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 2; i < pcm.length; i++) {
    if (Math.abs(pcm[i]! - 2 * pcm[i - 1]! + pcm[i - 2]!) <= clickRatio * own) continue;
    if (i - last > apart) clicks++;
    last = i;
  }
  return clicks;
}

/** As they are spoken: "6 pm" and "six p m" are the same. */
export function wordsOf(text: string): string[] {
  return normalise(text).tokens.flatMap((token) => (token.kind === 'pause' ? [] : [token.text.toLowerCase()]));
}

/** Words to be replaced, put in or left out, at least, to make one of the other (Levenshtein, 1965). */
export function wordErrors(said: readonly string[], heard: readonly string[]): number {
  let row = Array.from({ length: heard.length + 1 }, (_, place) => place);
  for (const [line, word] of said.entries()) {
    const next = [line + 1];
    for (let place = 1; place <= heard.length; place++) {
      const replaced = (row[place - 1] ?? 0) + (heard[place - 1] === word ? 0 : 1);
      next.push(Math.min(replaced, (row[place] ?? 0) + 1, (next[place - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[heard.length] ?? 0;
}
