/** The command line's front door: finds the command, runs it, and turns every error into one line and an exit code. */
import { forbidTelemetry } from '../config';
import { TrunklineError } from '../core/errors';
import { suggestion } from '../core/nearest-word';
import { exitCodes, type NamedCommand, type Terminal } from './command';
import { commands } from './commands';
import { commandHelp, overview } from './help';
import { parseArguments } from './parse-arguments';
import { version } from './version';

const processTerminal: Terminal = {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
};

/** How long what is still open after a command may delay the end of the process. */
const lingerMs = 1_000;

/** Sets the exit code and returns; the process ends when nothing is left to do, and soon in any case. */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  forbidTelemetry();
  // A reader that has gone away (`| head`) is no error of ours.
  process.stdout.on('error', () => {});
  process.exitCode = await execute(words, processTerminal);
  setTimeout(() => process.exit(), lingerMs).unref();
}

export async function execute(
  words: readonly string[],
  terminal: Terminal,
  table: readonly NamedCommand[] = commands,
): Promise<number> {
  try {
    const [first] = words;
    if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
      terminal.out(
        overview(
          table.map((entry) => entry.load()),
          version,
        ),
      );
      return first === undefined ? exitCodes.misused : exitCodes.fine;
    }
    if (first === '--version' || first === '-v') {
      terminal.out(version);
      return exitCodes.fine;
    }
    const { entry, rest } = findCommand(words, table);
    const command = entry.load();
    const flagsOnly = rest.slice(0, rest.includes('--') ? rest.indexOf('--') : rest.length);
    if (flagsOnly.includes('--help') || flagsOnly.includes('-h')) {
      terminal.out(commandHelp(command));
      return exitCodes.fine;
    }
    if (flagsOnly.includes('--version')) {
      terminal.out(version);
      return exitCodes.fine;
    }
    return await command.run(parseArguments(command, rest), terminal);
  } catch (error) {
    terminal.err(errorText(error));
    return exitCodes.misused;
  }
}

/** `trunkline: the sentence Fix: what to do. [code]` */
export function errorText(error: unknown): string {
  if (error instanceof TrunklineError) {
    const fix = error.fix === undefined ? '' : ` Fix: ${error.fix}`;
    return `trunkline: ${error.message}${fix} [${error.code}]`;
  }
  return `trunkline: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

/** Two words before one: `calls show` before `calls`. */
function findCommand(
  words: readonly string[],
  table: readonly NamedCommand[],
): { entry: NamedCommand; rest: readonly string[] } {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const entry = table.find((known) => known.name === name);
    if (entry !== undefined && words.length >= length) return { entry, rest: words.slice(length) };
  }
  const [first = '', second] = words;
  const below = table.filter((known) => known.name.startsWith(`${first} `)).map((known) => known.name);
  if (below.length > 0) {
    const near = second === undefined ? '' : suggestion(`${first} ${second}`, below);
    throw new TrunklineError('cli.unknown-command', `\`${first}\` needs one of: ${below.join(', ')}.${near}`, {
      fix: 'See `trunkline --help`.',
    });
  }
  const near = suggestion(
    first,
    table.map((known) => known.name),
  );
  throw new TrunklineError('cli.unknown-command', `There is no command ${first}.${near}`, {
    fix: 'See `trunkline --help`.',
  });
}
