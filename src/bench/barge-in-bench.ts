/**
 * `bench barge-in`: talks over the agent with recordings that mean to interrupt and with sounds that do not, and reads
 * off the tape how fast it fell silent, or whether it went on. The history against the tape is history-bench.ts.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { decodeOggOpus } from '../codecs/ogg-opus';
import type { Phone } from '../phone/phone';
import type { PhoneStack } from '../phone/phone-stack';
import { loudSpans, readBargeIn, type Span, STOPPED_MS } from '../phone/tape';
import { readTapeFile } from '../phone/tape-file';
import type { OwnAgent } from './own-agent';
import { spreadOver } from './questions';
import { type BenchReport, report, single, spread } from './report';
import { newestLiveCall, openPhones } from './tape-bench';

const clipsSchema = z.array(
  z.object({ file: z.string(), kind: z.enum(['interrupt', 'pass']), what: z.string(), source: z.string() }),
);

/** Long enough that no clip falls behind its end; plain sentences, so that the voice does not pause for long. */
export const MONOLOGUE =
  'Thank you for calling. Our house has been open for a long time and we have had many guests since then. ' +
  'There is a garden behind the building with old trees and a small pond where children like to watch the fish in summer. ' +
  'On the first floor you find a library with books in several languages and a quiet room for those who want to read.';

/** RFC 3264's answer and the first words are over by then. */
const EARLIEST_MS = 800;
const LATEST_MS = 5_000;
/** After a clip's end. */
const WATCHED_MS = 1_500;
/** An answer that was begun by the clip is heard within this time. */
const SETTLED_MS = 1_200;
/** One caller does not interrupt more often, and a call's history stays short. */
const CLIPS_PER_CALL = 8;

type Clip = z.infer<typeof clipsSchema>[number];

interface Played {
  readonly clip: Clip;
  readonly span: Span;
}

export interface BargeInBenchOptions {
  readonly agent: OwnAgent;
  readonly clipsFolder: string;
  /** How many clips; all if left out. */
  readonly count?: number;
  readonly mediaEntry: string;
  /** 0…1; the places of the interruptions are drawn from it. */
  readonly random: () => number;
  readonly progress: (line: string) => void;
}

export async function benchBargeIn(options: BargeInBenchOptions): Promise<BenchReport> {
  const all = clipsSchema.parse(JSON.parse(readFileSync(join(options.clipsFolder, 'clips.json'), 'utf8')));
  const clips = shuffled(spreadOver(all, options.count), options.random);
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
  const stack = await openPhones(options.mediaEntry);
  const stoppedMs: { name: string; ms: number }[] = [];
  const missed: string[] = [];
  const falseStops: string[] = [];
  const sources = { interrupt: new Set<string>(), pass: new Set<string>() };
  let passed = 0;
  try {
    for (const [index, group] of groupsOf(clips).entries()) {
      const tapePath = join(folder, `${index}.wav`);
      const phone = await ringDemo(stack, options.agent, tapePath);
      const played: Played[] = [];
      for (const clip of group) {
        const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(options.clipsFolder, clip.file)));
        await beginMonologue(phone, options.agent);
        await phone.pass(EARLIEST_MS + options.random() * (LATEST_MS - EARLIEST_MS));
        played.push({ clip, span: await phone.say(pcm, sampleRate) });
        await phone.pass(WATCHED_MS);
        await silence(phone, options.agent);
      }
      await phone.hangUp();
      const tape = readTapeFile(tapePath);
      for (const { clip, span } of played) {
        sources[clip.kind].add(clip.source);
        // The clip's own onset, not the first sample of its lead-in.
        const onsetMs =
          loudSpans(tape.caller, tape.sampleRate).find(({ endMs }) => endMs > span.startMs)?.startMs ?? span.startMs;
        const stopped = readBargeIn(tape, onsetMs, span.endMs - onsetMs + WATCHED_MS);
        const name = `${clip.what} (${clip.source})`;
        if (clip.kind === 'interrupt') {
          if (stopped === undefined) missed.push(name);
          else stoppedMs.push({ name, ms: stopped });
        } else if (silenceAfter(tape.agent, tape.sampleRate, onsetMs) > STOPPED_MS) falseStops.push(name);
        else passed += 1;
        options.progress(
          `${clip.kind} ${name}: ${stopped === undefined ? 'went on' : `quiet after ${Math.round(stopped)} ms`}`,
        );
      }
    }
  } finally {
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const tried = stoppedMs.length + missed.length;
  const sounds = passed + falseStops.length;
  const slow = stoppedMs.filter(({ ms }) => ms > 450).map(({ name, ms }) => `${name} ${Math.round(ms)} ms`);
  return report(
    'barge-in, G.711 over SIP',
    [
      spread(
        'onset → last audible agent sample',
        'ms',
        stoppedMs.map(({ ms }) => ms),
        'p50 ≤ 300, p95 ≤ 450',
      ),
      single('missed interruptions', '%', (100 * missed.length) / Math.max(1, tried), '≤ 2'),
      single('stops on what is no interruption', '%', (100 * falseStops.length) / Math.max(1, sounds), '≤ 10'),
      single('interruptions', `from ${sources.interrupt.size} sources`, tried),
      single('other sounds', `from ${sources.pass.size} sources`, sounds),
    ],
    [
      `Missed: ${missed.join('; ') || 'none'}.`,
      `Later than 450 ms: ${slow.join('; ') || 'none'}.`,
      `False stops: ${falseStops.join('; ') || 'none'}.`,
    ],
  );
}

/** Dials the demo and hears its greeting out. */
export async function ringDemo(
  stack: PhoneStack,
  agent: OwnAgent,
  tapePath: string,
  ports: readonly [number, number] = [24_000, 24_999],
): Promise<Phone> {
  const phone = await stack.dial({
    to: `sip:demo@127.0.0.1:${agent.sipPort}`,
    bindAddress: '127.0.0.1',
    ports,
    tapePath,
  });
  await phone.waitUntilTalking(5_000);
  await phone.waitUntilQuiet(10_000);
  return phone;
}

/** Has the agent say the monologue; resolves when it is heard. */
async function beginMonologue(phone: Phone, agent: OwnAgent): Promise<void> {
  await act(agent, await newestLiveCall(agent), { type: 'say', text: MONOLOGUE });
  await phone.waitUntilTalking(5_000);
}

/** Cuts off whatever the agent says or is about to say, until nothing has come for a while. */
async function silence(phone: Phone, agent: OwnAgent): Promise<void> {
  const callId = await newestLiveCall(agent);
  for (let attempt = 0; attempt < 6; attempt += 1) {
    await act(agent, callId, { type: 'stop' });
    await phone.waitUntilQuiet(3_000);
    if (!(await phone.waitUntilTalking(SETTLED_MS))) return;
  }
}

function act(agent: OwnAgent, callId: string, action: Readonly<Record<string, unknown>>): Promise<unknown> {
  return agent.request('POST', `/v1/calls/${callId}/actions`, action);
}

/** The longest silence of the agent that begins within a second and a half after the onset. */
function silenceAfter(agent: Float32Array, sampleRate: number, onsetMs: number): number {
  const spans = loudSpans(agent, sampleRate, { marginDb: 20, bridgeMs: 60, minimumMs: 20 });
  let longest = 0;
  spans.forEach((span, index) => {
    if (span.endMs < onsetMs || span.endMs > onsetMs + 1_500) return;
    const next = spans[index + 1]?.startMs ?? (agent.length * 1_000) / sampleRate;
    longest = Math.max(longest, next - span.endMs);
  });
  return longest;
}

function groupsOf(clips: readonly Clip[]): Clip[][] {
  const groups: Clip[][] = [];
  for (let at = 0; at < clips.length; at += CLIPS_PER_CALL) groups.push(clips.slice(at, at + CLIPS_PER_CALL));
  return groups;
}

/** Fisher and Yates: words and noises come in an order that nobody chose. */
function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const rest = [...list];
  const drawn: T[] = [];
  while (rest.length > 0) drawn.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return drawn;
}
