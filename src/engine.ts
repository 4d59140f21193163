/**
 * Starts the model process: first of all parts, since nothing takes as long, and by itself, so that everything else is
 * loaded while it loads. Wiring and nothing else.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { EngineRouter } from './call/engine-port';
import type { Config } from './config';
import type { Clock } from './core/clock';
import type { Logger } from './core/log';
import type { SearchKnowledge } from './core/passage';
import type { StartTrace } from './core/start-trace';
import { EngineProcess } from './inference/engine-process';
import type { FromEngine } from './inference/protocol';
import { workerEntry } from './workers/locate';

export interface StartedEngine {
  readonly process: EngineProcess;
  readonly router: EngineRouter;
  /** Rejects with the code of what cannot be loaded. */
  readonly loading: Promise<Extract<FromEngine, { type: 'ready' }>>;
  /** Until then nothing is found. */
  answerSearches(search: SearchKnowledge): void;
}

export interface EngineStart {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly trace: StartTrace;
}

/** Whoever starts it stops `process`, also when something else keeps the agent from starting. */
export function startEngine({ config, clock, log, trace }: EngineStart): StartedEngine {
  let search: SearchKnowledge = async () => [];
  const router = new EngineRouter((message) => process.post(message));
  const process = new EngineProcess({
    entry: workerEntry('engine'),
    config: {
      name: config.engine.name ?? 'omni',
      modelsDir: resolve(config.engine.models),
      threads: config.engine.threads ?? Math.min(2, availableParallelism()),
      llm: config.engine.llm,
      remote: config.engine.remote,
    },
    clock,
    log,
    onMessage: (message) => {
      if (message.type !== 'search') {
        router.receive(message);
        return;
      }
      const { requestId, knowledge, question } = message;
      void search(knowledge, question).then((passages) => process.post({ type: 'found', requestId, passages }));
    },
  });
  const loading = trace.span('model process', () => process.start());
  // Who awaits it hears of a failure; until then it is nobody's unhandled one.
  loading.catch(() => undefined);
  const answerSearches = (answer: SearchKnowledge): void => {
    search = answer;
  };
  return { process, router, loading, answerSearches };
}
