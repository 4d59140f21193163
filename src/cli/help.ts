/** The help texts, made from the table of commands. */
import type { Command } from './command';

export function overview(commands: readonly Command[], version: string): string {
  const rows = commands.map((command) => [usageWords(command), command.summary] as const);
  return `Trunkline ${version}: a telephony voice agent.

Usage: trunkline COMMAND [FLAGS]

${columns(rows)}

\`trunkline COMMAND --help\` tells a command's flags. Settings: docs/operations.md.`;
}

export function commandHelp(command: Command): string {
  const flags = [...command.flags, { name: 'help', summary: 'this text' }];
  const rows = flags.map((flag) => {
    const value = 'value' in flag && flag.value !== undefined ? ` ${flag.value}` : '';
    const repeats = 'repeats' in flag && flag.repeats === true ? ' …' : '';
    return [`--${flag.name}${value}${repeats}`, flag.summary] as const;
  });
  return `Usage: trunkline ${usageWords(command)}${command.flags.length > 0 ? ' [FLAGS]' : ''}

${capital(command.summary)}.

${columns(rows)}`;
}

function usageWords({ name, positionals }: Command): string {
  return [name, ...positionals.map((known) => (known.required ? known.name : `[${known.name}]`))].join(' ');
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
