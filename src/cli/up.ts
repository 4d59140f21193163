/** `trunkline up`: starts the agent, says where it can be reached, and drains it when the first signal comes. */
import { keysNotActedUpon, loadConfig, printableConfig, secretValues } from '../config';
import { SystemClock } from '../core/clock';
import { StartTrace, shownStages } from '../core/start-trace';
import { startEngine } from '../engine';
import { createLogger } from '../log-pino';
import type { RunningAgent } from '../main';
import { checkBeforeStart } from './checks';
import { type Command, configFlag, exitCodes } from './command';
import { version } from './version';

export const up: Command = {
  name: 'up',
  summary: 'the agent',
  flags: [
    configFlag,
    { name: 'engine', value: 'NAME', summary: 'omni, cascade, mini-omni, llama-omni or remote' },
    { name: 'print-config', summary: 'print the effective configuration, secrets masked, and stop' },
  ],
  positionals: [],
  async run(given, terminal) {
    const trace = new StartTrace(() => performance.now());
    trace.mark('modules', 0);
    let literal: readonly string[] = [];
    const config = await trace.span('configuration', () =>
      loadConfig({
        file: given.text('config'),
        engine: given.text('engine'),
        onLiteralSecrets: (paths) => {
          literal = paths;
        },
      }),
    );
    if (given.has('print-config')) {
      terminal.out(printableConfig(config).trimEnd());
      return exitCodes.fine;
    }
    checkBeforeStart(config);
    // From here on a signal ends the start or drains the agent, never leaves half of it behind.
    const signals = new Signals();
    const logger = createLogger({ ...config.log, secrets: secretValues(config) });
    if (literal.length > 0) {
      logger.warn('secrets stand in the configuration itself', {
        keys: literal,
        fix: 'Name a file instead (passwordFile for password), or set the variable of the key.',
      });
    }
    const silent = keysNotActedUpon(config);
    if (silent.length > 0) logger.warn('configured, but without effect in this version', { keys: silent });
    const engine = startEngine({ config, clock: new SystemClock(), log: logger, trace });
    // The rest of the program is loaded beside the models.
    const { startAgent } = await trace.span('further modules', () => require('../main') as typeof import('../main'));
    const agent = await startAgent({ config, version, logger, trace, engine });
    // From the start of the process, its own loading included.
    const readyMs = Math.round(performance.now());
    logger.info('ready', { readyMs, stages: shownStages(trace.stages) });
    const reload = (): void => agent.reload();
    process.on('SIGHUP', reload);
    if (!signals.came) terminal.out(banner(agent, readyMs));
    await signals.first;
    terminal.err(`draining: no new calls, live ones may go on for ${config.drain.seconds} s; again to end at once`);
    await Promise.race([agent.drain(), signals.second]);
    // Whoever is impatient twice gets no farewell on the line either.
    await Promise.race([agent.stop(), signals.third]);
    signals.dispose();
    process.off('SIGHUP', reload);
    return exitCodes.fine;
  },
};

function banner(agent: RunningAgent, readyMs: number): string {
  return [
    '',
    `  Trunkline ${version}, engine ${agent.engine}`,
    '',
    ...agent.addresses.map((address) => `    ${address}`),
    '',
    `  API token in ${agent.tokenPath}`,
    `  ready in ${readyMs} ms`,
    '',
  ].join('\n');
}

/** SIGINT and SIGTERM, counted. */
class Signals {
  came = false;
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  readonly third: Promise<void>;
  private readonly waiting: (() => void)[] = [];
  private readonly onSignal = (): void => {
    this.came = true;
    this.waiting.shift()?.();
  };

  constructor() {
    const next = (): Promise<void> => new Promise((resolve) => this.waiting.push(resolve));
    this.first = next();
    this.second = next();
    this.third = next();
    process.on('SIGINT', this.onSignal);
    process.on('SIGTERM', this.onSignal);
  }

  dispose(): void {
    process.off('SIGINT', this.onSignal);
    process.off('SIGTERM', this.onSignal);
  }
}
