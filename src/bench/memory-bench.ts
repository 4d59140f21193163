/** `bench memory`: how long the agent takes to be ready after the first build, and what it holds when idle. */
import { type OwnAgentOptions, startOwnAgent } from './own-agent';
import { type BenchReport, report, single, spread } from './report';

const STARTS = 3;
const IDLE_MS = 5_000;

export async function benchMemory(options: OwnAgentOptions): Promise<BenchReport> {
  const readyMs: number[] = [];
  let residentBytes = 0;
  for (let start = 0; start < STARTS; start += 1) {
    const agent = await startOwnAgent(options);
    readyMs.push(agent.startedInMs);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    residentBytes = Math.max(residentBytes, agent.residentBytes());
    await agent.stop();
  }
  return report('start and memory', [
    spread('start to ready', 'ms', readyMs, '≤ 6,000'),
    single('idle agent with its model process', 'MB', residentBytes / 1e6, '≤ 900'),
  ]);
}
