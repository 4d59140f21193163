/** A whole agent in a process of its own, as `npm start` starts it. */
import { join } from 'node:path';
import { createTrunkline, type TrunklineClient } from '../../clients/typescript/src/index';
import { type OwnAgent, type OwnAgentOptions, startOwnAgent } from '../../src/bench/own-agent';

export interface TestAgent extends OwnAgent {
  /** Its REST interface, by the client that we publish. */
  readonly rest: TrunklineClient;
}

export async function startTestAgent(config: OwnAgentOptions['config'] = {}): Promise<TestAgent> {
  const agent = await startOwnAgent({ root: join(__dirname, '../..'), config });
  return { ...agent, rest: createTrunkline({ url: agent.httpUrl, token: agent.token }) };
}
