/** The command line: help, versions, and every kind of mistake with its exit code. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readWav } from '../../src/audio/wav';
import { type Command, exitCodes } from '../../src/cli/command';
import { commandHelp } from '../../src/cli/help';
import { parseArguments } from '../../src/cli/parse-arguments';
import { execute } from '../../src/cli/trunkline';
import { TrunklineError } from '../../src/core/errors';

const ran: unknown[] = [];

const table: readonly Command[] = [
  {
    name: 'paint',
    summary: 'paints',
    flags: [
      { name: 'colour', value: 'NAME', summary: 'which' },
      { name: 'layer', value: 'N', repeats: true, summary: 'where' },
      { name: 'dry', summary: 'do not' },
    ],
    positionals: [
      { name: 'WALL', required: true },
      { name: 'ROOM', required: false },
    ],
    async run(given) {
      ran.push([
        given.positional('WALL'),
        given.positional('ROOM'),
        given.text('colour'),
        given.all('layer'),
        given.has('dry'),
      ]);
      return exitCodes.fine;
    },
  },
  {
    name: 'paint over',
    summary: 'paints over',
    flags: [],
    positionals: [],
    async run() {
      throw new TrunklineError('paint.wet', 'The paint is wet.', { fix: 'Wait.' });
    },
  },
  { name: 'fence build', summary: 'builds', flags: [], positionals: [], run: async () => exitCodes.failed },
];

const named = table.map((command) => ({ name: command.name, load: () => command }));

async function trunkline(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await execute(words, { out: (text) => out.push(text), err: (text) => err.push(text) }, named);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('execute', () => {
  it('gives flags, repeated flags, switches and places to the command', async () => {
    ran.length = 0;
    await trunkline('paint', '--colour', 'red', 'north', '--layer=1', '--layer', '2', '--dry', '--', '--odd');
    expect(ran).toEqual([['north', '--odd', 'red', ['1', '2'], true]]);
  });

  it.each([
    [['pain'], 'There is no command pain. Did you mean "paint"?'],
    [['zzz'], 'There is no command zzz.'],
    [['fence'], '`fence` needs one of: fence build.'],
    [['fence', 'biuld'], 'Did you mean "fence build"?'],
    [['paint', 'a', '--color', 'x'], '`paint` has no flag --color. Did you mean "--colour"?'],
    [['paint', 'a', '-x'], '`paint` has no flag -x.'],
    [['paint'], '`paint` needs WALL.'],
    [['paint', 'a', 'b', 'c'], '`paint` does not take "c".'],
    [['paint', 'a', '--colour'], '--colour needs a value.'],
    [['paint', 'a', '--colour', '--dry'], '--colour needs a value.'],
    [['paint', 'a', '--colour', 'x', '--colour', 'y'], '--colour is given twice.'],
    [['paint', 'a', '--dry=yes'], '--dry takes no value.'],
    [['paint', 'over'], 'The paint is wet. Fix: Wait. [paint.wet]'],
  ])('%j is a mistake: exit code 2, one line, the nearest word', async (words, told) => {
    const { code, out, err } = await trunkline(...words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(told);
    expect(err.split('\n')).toHaveLength(1);
  });

  it('prints help and version wherever they are asked for', async () => {
    const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8'));
    for (const words of [['--version'], ['-v'], ['paint', '--version']]) {
      expect(await trunkline(...words)).toEqual({ code: 0, out: version, err: '' });
    }
    for (const words of [['--help'], ['-h'], ['help']]) expect((await trunkline(...words)).out).toContain('paint over');
    const help = await trunkline('paint', 'north', '--help');
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toMatch(/Usage: trunkline paint WALL \[ROOM\] \[FLAGS\]/);
    expect((await trunkline()).code).toBe(2);
  });

  it('hands the exit code of a command on', async () => {
    expect((await trunkline('fence', 'build')).code).toBe(1);
  });
});

describe('the commands of the program', () => {
  it('have names, summaries and flags that a help can be made of', async () => {
    const out: string[] = [];
    expect(await execute(['--help'], { out: (text) => out.push(text), err: () => {} })).toBe(0);
    for (const name of [
      'up',
      'call',
      'talk',
      'doctor',
      'dialplan check',
      'dialplan route',
      'models list',
      'models verify',
      'models bench',
      'codec',
      'calls',
      'hangup',
    ]) {
      expect(out.join('\n')).toMatch(new RegExp(`^ {2}${name}( |$)`, 'm'));
    }
  });

  it('send a recording through the codec and back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'codec-'));
    const [out, err]: [string[], string[]] = [[], []];
    const terminal = { out: (text: string) => out.push(text), err: (text: string) => err.push(text) };
    const spoken = join(__dirname, '../fixtures/human/demo-echodone.wav');
    const [heard, codes] = [join(folder, 'heard.wav'), join(folder, 'codes.json')];
    expect(await execute(['codec', spoken, heard, '--codes', codes], terminal)).toBe(0);
    expect(out).toEqual(['2.68 s of speech, 29 frames, 203 codes.']);
    expect(JSON.parse(readFileSync(codes, 'utf8'))).toHaveLength(29);
    const { pcm, sampleRate } = readWav(readFileSync(heard));
    expect(pcm[0]!.length / sampleRate).toBeCloseTo(2.678, 2);
    expect(pcm[0]!.some((sample) => Math.abs(sample) > 3_000)).toBe(true);
    expect(await execute(['codec', join(folder, 'gone.wav'), heard], terminal)).toBe(2);
    expect(await execute(['codec', codes, heard], terminal)).toBe(2);
    expect(await execute(['codec', spoken, join(folder, 'gone', 'x.wav')], terminal)).toBe(2);
    expect(err.join('\n')).toMatch(/cli\.bad-value[\s\S]*audio\.bad-wav[\s\S]*cannot be written[\s\S]*cli\.bad-value/);
    rmSync(folder, { recursive: true });
  });

  it('tell which rule a call would take', async () => {
    const out: string[] = [];
    const err: string[] = [];
    const folder = join(__dirname, '../../dialplans');
    const terminal = { out: (text: string) => out.push(text), err: (text: string) => err.push(text) };
    expect(await execute(['dialplan', 'route', folder, '--to', 'hotel'], terminal)).toBe(0);
    expect(out.join('\n')).toMatch(/no {3}demo .*: the number is not demo\nyes {2}hotel /);
    expect(await execute(['dialplan', 'route', folder], terminal)).toBe(2);
    expect(await execute(['dialplan', 'route', folder, '--to', 'x', '--at', 'noon'], terminal)).toBe(2);
    expect(await execute(['dialplan', 'check', join(folder, 'gone')], terminal)).toBe(2);
    expect(err.join('\n')).toMatch(/cli\.missing-value[\s\S]*cli\.bad-value[\s\S]*dialplan\.unreadable/);
  });
});

describe('parseArguments', () => {
  it('takes any words or refuses them with a code', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--', '-', '--colour', '--colour=', '--dry', '--layer=1', '---', '--=', '-h'),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        try {
          parseArguments(table[0]!, words);
        } catch (error) {
          expect(error).toBeInstanceOf(TrunklineError);
        }
      }),
    );
  });
});

describe('commandHelp', () => {
  it('lists every flag once', () => {
    const text = commandHelp(table[0]!);
    for (const flag of ['--colour NAME', '--layer N …', '--dry', '--help']) expect(text.split(flag)).toHaveLength(2);
  });
});
