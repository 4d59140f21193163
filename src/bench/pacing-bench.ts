/**
 * `bench pacing`: several calls at once ask and are answered, so that the models think and speak all the time; what counts
 * is how far the agent's packets were from their deadlines meanwhile, by the sender's own clock, and how evenly they came.
 */

import { runScript } from '../phone/script';
import type { OwnAgent } from './own-agent';
import { readQuestions, utteranceOf } from './questions';
import { type BenchReport, report, single, spread } from './report';
import { openPhones } from './tape-bench';

const CALLS = 3;
const QUESTIONS_PER_CALL = 3;

export interface PacingBenchOptions {
  readonly agent: OwnAgent;
  readonly questionsFolder: string;
  readonly mediaEntry: string;
  readonly progress: (line: string) => void;
}

interface EndedCall {
  readonly state: string;
  readonly quality?: { readonly paceP99Ms?: number; readonly packetsSent: number };
}

export async function benchPacing(options: PacingBenchOptions): Promise<BenchReport> {
  const { agent, questionsFolder, progress } = options;
  const questions = readQuestions(questionsFolder);
  const stack = await openPhones(options.mediaEntry);
  const lateMs: number[] = [];
  try {
    await Promise.all(
      Array.from({ length: CALLS }, async (_, place) => {
        const asked = questions
          .filter(({ persona }) => persona === 'demo')
          .slice(place * QUESTIONS_PER_CALL, (place + 1) * QUESTIONS_PER_CALL);
        const phone = await stack.dial({
          to: `sip:demo@127.0.0.1:${agent.sipPort}`,
          bindAddress: '127.0.0.1',
          ports: [27_000, 27_999],
        });
        await runScript(phone, await Promise.all(asked.map((question) => utteranceOf(questionsFolder, question))));
        const stats = await phone.hangUp();
        if (stats !== undefined) lateMs.push(stats.jitterMs);
        progress(`call ${place + 1} of ${CALLS} is over`);
      }),
    );
  } finally {
    await stack.close();
  }
  const { calls } = (await agent.request('GET', `/v1/calls?limit=${CALLS}`)) as { calls: EndedCall[] };
  const paceMs = calls.flatMap(({ quality }) => (quality?.paceP99Ms === undefined ? [] : [quality.paceP99Ms]));
  return report(`packets sent while ${CALLS} calls are answered at once`, [
    spread('deviation from the deadline, p99 of each call', 'ms', paceMs, '< 2'),
    spread('interarrival jitter at the caller (RFC 3550)', 'ms', lateMs),
    single(
      'packets sent',
      '',
      calls.reduce((sum, { quality }) => sum + (quality?.packetsSent ?? 0), 0),
    ),
  ]);
}
