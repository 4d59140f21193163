/** `trunkline models bench`: how long the installed weights take on this processor, to load and at each step. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { benchModels } from '../bench/models-bench';
import { toTable } from '../bench/report';
import { loadConfig } from '../config';
import { TrunklineError } from '../core/errors';
import { loadDialplan } from '../dialplan/load-dialplan';
import { type Arguments, type Command, configFlag, exitCodes } from './command';

const QUESTIONS = join(__dirname, '../../test/fixtures/questions');

export const modelsBench: Command = {
  name: 'models bench',
  summary: 'how long the weights take on this processor, to load and at each step',
  flags: [
    configFlag,
    { name: 'threads', value: 'N', summary: 'threads of a model step (default engine.threads)' },
    { name: 'count', value: 'N', summary: 'fewer questions than 24' },
    { name: 'json', value: 'FILE', summary: 'keep the figures' },
  ],
  positionals: [],
  async run(given, terminal) {
    const threads = wholeNumber(given, 'threads');
    const count = wholeNumber(given, 'count');
    const config = loadConfig({ file: given.text('config') });
    const persona = loadDialplan(resolve(config.dialplans)).personas[0];
    if (persona === undefined) {
      throw new TrunklineError('bench.no-persona', 'The dialplan has no persona.', { fix: 'Add one.' });
    }
    const result = await benchModels({
      modelsDir: resolve(config.engine.models),
      threads: threads ?? config.engine.threads ?? 2,
      questionsFolder: QUESTIONS,
      persona,
      count,
    });
    terminal.out(toTable(result));
    const target = given.text('json');
    if (target !== undefined) writeFileSync(target, `${JSON.stringify(result, null, 2)}\n`);
    return exitCodes.fine;
  },
};

function wholeNumber(given: Arguments, flag: string): number | undefined {
  const text = given.text(flag);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new TrunklineError('cli.bad-value', `--${flag} cannot be ${text}.`, { fix: 'Give a whole number.' });
}
