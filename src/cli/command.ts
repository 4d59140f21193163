/** What a command of the command line is: its words, flags and what runs. The table of commands is data. */

export interface Flag {
  readonly name: string;
  /** Name of its value in the help; undefined: a switch. */
  readonly value?: string;
  readonly repeats?: boolean;
  readonly summary: string;
}

export interface Positional {
  readonly name: string;
  readonly required: boolean;
}

/** Where a command writes: what was asked for to `out`, everything else to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
}

export interface Arguments {
  /** The value of a flag, the last one given; undefined when it was not. */
  text(flag: string): string | undefined;
  all(flag: string): readonly string[];
  has(flag: string): boolean;
  positional(name: string): string | undefined;
}

export interface Command {
  /** One word, or two: `dialplan check`. */
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  readonly positionals: readonly Positional[];
  /** The exit code. */
  run(given: Arguments, terminal: Terminal): Promise<number>;
}

/** A command in the table: its name at once, the rest when it is wanted. */
export interface NamedCommand {
  readonly name: string;
  load(): Command;
}

export const exitCodes = { fine: 0, failed: 1, misused: 2 } as const;

export const configFlag: Flag = {
  name: 'config',
  value: 'FILE',
  summary: 'configuration file (default trunkline.yaml)',
};
