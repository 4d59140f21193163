/** Words of the command line against what a command knows: `--flag value`, `--flag=value`, `--` ends the flags. */
import { TrunklineError } from '../core/errors';
import { suggestion } from '../core/nearest-word';
import type { Arguments, Command } from './command';

export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const values = new Map<string, string[]>();
  const places: string[] = [];
  const help = `See \`trunkline ${command.name} --help\`.`;
  let flagsEnded = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (flagsEnded || !word.startsWith('-') || word === '-') {
      places.push(word);
      continue;
    }
    if (word === '--') {
      flagsEnded = true;
      continue;
    }
    const [, name = '', attached] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const flag = command.flags.find((known) => known.name === name);
    if (flag === undefined) {
      const given = word.replace(/=.*$/s, '');
      const near = suggestion(given, [...command.flags.map((known) => `--${known.name}`), '--help', '--version']);
      throw new TrunklineError('cli.unknown-flag', `\`${command.name}\` has no flag ${given}.${near}`, { fix: help });
    }
    if (flag.value === undefined) {
      if (attached !== undefined) {
        throw new TrunklineError('cli.unexpected-value', `--${name} takes no value.`, {
          fix: `Write --${name} alone.`,
        });
      }
      values.set(name, ['true']);
      continue;
    }
    const value = attached ?? words[++at];
    if (value === undefined || (attached === undefined && value.startsWith('--'))) {
      const fix = `Write --${name} ${flag.value}.`;
      throw new TrunklineError('cli.missing-value', `--${name} needs a value.`, { fix });
    }
    const before = values.get(name) ?? [];
    if (before.length > 0 && flag.repeats !== true) {
      throw new TrunklineError('cli.repeated-flag', `--${name} is given twice.`, { fix: 'Give it once.' });
    }
    values.set(name, [...before, value]);
  }
  checkPlaces(command, places, help);
  return {
    text: (flag) => values.get(flag)?.at(-1),
    all: (flag) => values.get(flag) ?? [],
    has: (flag) => values.has(flag),
    positional: (name) => places[command.positionals.findIndex((known) => known.name === name)],
  };
}

function checkPlaces(command: Command, places: readonly string[], help: string): void {
  const surplus = places[command.positionals.length];
  if (surplus !== undefined) {
    throw new TrunklineError('cli.unexpected-argument', `\`${command.name}\` does not take "${surplus}".`, {
      fix: help,
    });
  }
  const missing = command.positionals.slice(places.length).find((known) => known.required);
  if (missing !== undefined) {
    throw new TrunklineError('cli.missing-argument', `\`${command.name}\` needs ${missing.name}.`, { fix: help });
  }
}
