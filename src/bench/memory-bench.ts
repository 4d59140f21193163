/**
 * `bench memory`: how long the agent takes to be ready after the first build, what the first call of all finds that comes
 * at that very moment, beside a later call with the same question, and what the agent holds when idle.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PhoneStack } from '../phone/phone-stack';
import { POLITE, runScript, type Utterance } from '../phone/script';
import { readTurnGaps } from '../phone/tape';
import { readTapeFile } from '../phone/tape-file';
import { type OwnAgent, type OwnAgentOptions, startOwnAgent } from './own-agent';
import { readQuestions, utteranceOf } from './questions';
import { type BenchReport, report, single, spread } from './report';
import { openPhones } from './tape-bench';

const STARTS = 5;
/** After this the agent has prepared what it prepares while nobody calls. */
const IDLE_MS = 15_000;
/** The persona of the shipped dialplan that is prepared last: its first caller is the one who could notice. */
const LAST_PERSONA = 'shop';

export interface MemoryBenchOptions extends OwnAgentOptions {
  readonly questionsFolder: string;
  readonly mediaEntry: string;
  readonly progress: (line: string) => void;
}

interface FirstCall {
  /** From the answer to the SIP call to hearing the agent talk. */
  readonly greetedMs: number;
  readonly gapMs: number | undefined;
}

export async function benchMemory(options: MemoryBenchOptions): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
  const question = readQuestions(options.questionsFolder).find(({ persona }) => persona === LAST_PERSONA);
  const utterances = question === undefined ? [] : [await utteranceOf(options.questionsFolder, question)];
  const stack = await openPhones(options.mediaEntry);
  const readyMs: number[] = [];
  const first: FirstCall[] = [];
  const later: FirstCall[] = [];
  let idleBytes = 0;
  let afterCallsBytes = 0;
  try {
    for (let start = 0; start < STARTS; start += 1) {
      const agent = await startOwnAgent(options);
      try {
        readyMs.push(agent.startedInMs);
        if (start === 0) {
          await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
          idleBytes = agent.residentBytes();
          options.progress(`ready in ${agent.startedInMs.toFixed(0)} ms, idle ${(idleBytes / 1e6).toFixed(0)} MB`);
          continue;
        }
        const tapePath = join(folder, `${start}.wav`);
        first.push(await ring(stack, agent, utterances, tapePath));
        await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
        later.push(await ring(stack, agent, utterances, tapePath));
        afterCallsBytes = Math.max(afterCallsBytes, agent.residentBytes());
        options.progress(
          `ready in ${agent.startedInMs.toFixed(0)} ms, first call ${shown(first)}, later call ${shown(later)}`,
        );
      } finally {
        await agent.stop();
      }
    }
  } finally {
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return report(
    'start and memory',
    [
      spread('start to ready', 'ms', readyMs, '≤ 6,000'),
      spread('first call, at once: answer to hearing the greeting', 'ms', greetings(first)),
      spread('first call, at once: turn gap', 'ms', gaps(first)),
      spread('later call: answer to hearing the greeting', 'ms', greetings(later)),
      spread('later call: turn gap', 'ms', gaps(later)),
      single('idle agent with its model process', 'MB', idleBytes / 1e6, '≤ 900'),
      single('the same after two calls', 'MB', afterCallsBytes / 1e6),
    ],
    ['Memory is the resident set of both processes added up: pages that they share count twice.'],
  );
}

async function ring(
  stack: PhoneStack,
  agent: OwnAgent,
  utterances: readonly Utterance[],
  tapePath: string,
): Promise<FirstCall> {
  const phone = await stack.dial({
    to: `sip:${LAST_PERSONA}@127.0.0.1:${agent.sipPort}`,
    bindAddress: '127.0.0.1',
    ports: [23_000, 23_999],
    tapePath,
  });
  const answeredMs = performance.now();
  await phone.waitUntilTalking(POLITE.answerWithinMs);
  const greetedMs = performance.now() - answeredMs;
  const spoken = await runScript(phone, utterances, POLITE);
  await phone.hangUp();
  const { gaps } = readTurnGaps(
    readTapeFile(tapePath),
    spoken.utterances.map(({ span }) => span),
  );
  return { greetedMs, gapMs: gaps[0]?.gapMs };
}

const greetings = (calls: readonly FirstCall[]) => calls.map(({ greetedMs }) => greetedMs);
const gaps = (calls: readonly FirstCall[]) => calls.flatMap(({ gapMs }) => (gapMs === undefined ? [] : [gapMs]));

function shown(calls: readonly FirstCall[]): string {
  const last = calls.at(-1);
  return `greeted after ${last?.greetedMs.toFixed(0)} ms, turn gap ${last?.gapMs?.toFixed(0) ?? 'none'} ms`;
}
