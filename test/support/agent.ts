/** A whole agent in a process of its own, as `npm start` starts it. */
import { join } from 'node:path';
import { type OwnAgent, type OwnAgentOptions, startOwnAgent } from '../../src/bench/own-agent';

export type TestAgent = OwnAgent;

export function startTestAgent(config: OwnAgentOptions['config'] = {}): Promise<TestAgent> {
  return startOwnAgent({ root: join(__dirname, '../..'), config });
}
