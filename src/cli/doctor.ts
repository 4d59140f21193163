/** `trunkline doctor`: what is wrong with this machine and this configuration, each with its fix. */
import { loadConfig } from '../config';
import { examine } from './checks';
import { type Command, configFlag, exitCodes } from './command';

const marks = { fine: 'ok     ', warning: 'warning', problem: 'PROBLEM' } as const;

export const doctor: Command = {
  name: 'doctor',
  summary: 'checks ports, addresses, weights, processor, disk, clock and dialplan; for each problem the fix',
  flags: [{ name: 'json', summary: 'as JSON' }, configFlag],
  positionals: [],
  async run(given, terminal) {
    const findings = await examine(loadConfig({ file: given.text('config') }));
    if (given.has('json')) terminal.out(JSON.stringify(findings, null, 2));
    else {
      for (const { about, state, sentence, fix } of findings) {
        terminal.out(`${marks[state]}  ${about}: ${sentence}${fix === undefined ? '' : ` Fix: ${fix}`}`);
      }
    }
    return findings.some(({ state }) => state === 'problem') ? exitCodes.failed : exitCodes.fine;
  },
};
