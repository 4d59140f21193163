/** Dialplan files: what they become, and what is said of wrong ones. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { TrunklineError } from '../../src/core/errors';
import { compileDirectAction } from '../../src/dialplan/compile-action';
import { agentNamed, type LoadedDialplan, loadDialplan } from '../../src/dialplan/load-dialplan';
import { chooseRoute } from '../../src/dialplan/matcher';

const wav = Buffer.concat([Buffer.from('RIFF'), Buffer.alloc(4), Buffer.from('WAVEfmt ')]);
const persona = 'name: Clinic\ninstructions: Be short.\ngreeting: Hello.\nfacts: [We open at nine.]\n';

function folderWith(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-dialplan-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

function load(files: Readonly<Record<string, string | Buffer>>): LoadedDialplan {
  const folder = folderWith(files);
  return loadDialplan(folder, folder);
}

function refusal(files: Readonly<Record<string, string | Buffer>>): TrunklineError {
  try {
    load(files);
  } catch (error) {
    if (error instanceof TrunklineError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('the shipped dialplan', () => {
  const plan = loadDialplan(join(__dirname, '../../dialplans'));
  const actionFor = (number: string) => chooseRoute(plan, { number, caller: '', headers: {}, at: new Date(0) }).action;

  it('answers demo, hotel and shop with agents that have facts and a greeting', () => {
    for (const number of ['demo', 'hotel', 'shop']) {
      const action = actionFor(number);
      if (action.type !== 'agent') throw new Error(`${number} is no agent`);
      expect(action.persona.id).toBe(number);
      expect(action.persona.facts.length).toBeGreaterThanOrEqual(10);
      expect(action.greeting).toBeTruthy();
    }
    expect(plan.personas.map(({ id }) => id).sort()).toEqual(['demo', 'hotel', 'shop']);
  });

  it('echoes, sounds a tone of 1 kHz, and refuses the rest with 404', () => {
    expect(actionFor('echo')).toEqual({ type: 'echo' });
    expect(actionFor('tone')).toMatchObject({ type: 'tone', frequencyHz: 1000 });
    expect(actionFor('anything')).toMatchObject({ type: 'reject', status: 404 });
    expect(plan.warnings).toEqual([]);
  });
});

describe('the examples', () => {
  it('are dialplans that would start', () => {
    const shipped = join(__dirname, '../../dialplans');
    for (const name of readdirSync(join(shipped, 'examples')).filter((file) => file.endsWith('.yaml'))) {
      const folder = folderWith({
        [name]: readFileSync(join(shipped, 'examples', name)),
        'personas/demo.yaml': readFileSync(join(shipped, 'personas/demo.yaml')),
        'examples/boathouse/boats.md': readFileSync(join(shipped, 'examples/boathouse/boats.md')),
      });
      expect(loadDialplan(folder, folder).warnings).toEqual([]);
    }
  });

  it('find their documents, and say where a folder is missing', () => {
    const route = 'routes:\n  - action: { type: agent, persona: clinic, knowledge: ./notes }\n';
    const files = { 'a.yaml': route, 'personas/clinic.yaml': persona };
    expect(() => load(files)).toThrow(/routes\[0\]\.action\.knowledge.*folder that is there/s);
    const plan = load({ ...files, 'notes/a.md': 'We are closed in May.' });
    expect(plan.personas).toMatchObject([{ knowledge: join(plan.folder, 'notes') }]);
    // An application may not have our files read out.
    const asked = { type: 'agent', persona: 'clinic', knowledge: '../..' } as const;
    expect(compileDirectAction(asked, plan.surroundings)).toMatchObject({
      ok: false,
      faults: [{ path: ['knowledge'], code: 'dialplan.no-knowledge' }],
    });
  });

  it('warm the persona behind a menu', () => {
    const menu = 'routes:\n  - action: { type: menu, say: Hi, options: { "1": { type: agent, persona: clinic } } }\n';
    const plan = load({ 'a.yaml': menu, 'personas/clinic.yaml': persona });
    expect(plan.personas.map(({ id }) => id)).toEqual(['clinic']);
    const { action } = chooseRoute(plan, { number: '', caller: '', headers: {}, at: new Date(0) });
    expect(action).toMatchObject({ type: 'menu', maxDigits: 1, endKey: '#', attempts: 3, secure: false });
  });
});

describe('loadDialplan', () => {
  it('reads the files in the order of their names', () => {
    const plan = load({
      'b.yaml': 'routes:\n  - { name: second, action: { type: echo } }\n',
      'a.yml': 'routes:\n  - { name: first, match: { number: "1" }, action: { type: echo } }\n',
      'notes.txt': 'not: [yaml',
      'asterisk/extensions.yaml': 'also: [not ours',
    });
    expect(plan.routes.map(({ name, place }) => [name, place])).toEqual([
      ['first', 'a.yml:2'],
      ['second', 'b.yaml:2'],
    ]);
  });

  it('gives an agent its persona, and lets the route add and override', () => {
    const plan = load({
      'a.yaml':
        'routes:\n' +
        '  - { match: { number: "1" }, action: { type: agent, persona: clinic } }\n' +
        '  - { match: { number: "2" }, action: { type: agent, persona: personas/clinic.yaml, greeting: Hi., notice: This call is recorded., facts: [Parking is free.] } }\n' +
        '  - { match: { number: "3" }, action: { type: agent, persona: { name: Own, instructions: Be kind., facts: [] } } }\n',
      'personas/clinic.yaml': persona,
    });
    const [plain, more, own] = plan.routes.map(({ action }) => (action.type === 'agent' ? action : undefined));
    expect(plain).toMatchObject({ greeting: 'Hello.', persona: { id: 'clinic', facts: ['We open at nine.'] } });
    expect(plain?.notice).toBeUndefined();
    expect(more).toMatchObject({
      notice: 'This call is recorded.',
      greeting: 'Hi.',
      persona: { facts: ['We open at nine.', 'Parking is free.'] },
    });
    expect(own).toMatchObject({ persona: { name: 'Own' } });
    // Prompts are shared by id: different ones must not share.
    expect(new Set(plan.personas.map(({ id }) => id)).size).toBe(3);
    expect(agentNamed(plan, 'clinic')).toMatchObject({ type: 'agent', persona: { id: 'clinic' } });
    expect(agentNamed(plan, 'nobody')).toBeUndefined();
  });

  it('gives an agent tools, the route’s after the persona’s, and refuses two that are one', () => {
    const tools = '[{ name: order_status, description: look up the status of an order }]';
    const agent = (more: string) =>
      load({
        'a.yaml':
          `routes:\n  - { match: { number: "1" }, action: { type: agent, persona: clinic, tools: [${more}] } }\n` +
          '  - { match: { number: "2" }, action: { type: agent, persona: clinic } }\n',
        'personas/clinic.yaml': `${persona}tools: ${tools}\n`,
      });
    const plan = agent('{ name: book, description: book a table, timeoutMs: 9000, parameters: { type: object } }');
    expect(plan.personas.map((one) => one.tools?.map(({ name, timeoutMs }) => [name, timeoutMs]))).toEqual([
      [
        ['order_status', 5_000],
        ['book', 9_000],
      ],
      [['order_status', 5_000]],
    ]);
    expect(new Set(plan.personas.map(({ id }) => id)).size).toBe(2);
    for (const twice of [
      '{ name: order_status, description: x }',
      '{ name: x, description: look up the status of an order }',
    ]) {
      expect(() => agent(twice)).toThrow(/each tool once/);
    }
  });

  it.each([
    ['a full stop', '{ name: a, description: "look it up." }', /without a full stop/],
    ['two lines', '{ name: a, description: "look\\nup" }', /in one line/],
    ['a name with a blank', '{ name: "a b", description: look it up }', /letters, digits/],
    ['no time', '{ name: a, description: look it up, timeoutMs: 0 }', /timeoutMs/],
  ])('refuses a tool with %s', (_, tool, message) => {
    expect(() =>
      load({
        'a.yaml': `routes:\n  - action: { type: agent, persona: clinic, tools: [${tool}] }\n`,
        'personas/clinic.yaml': persona,
      }),
    ).toThrow(message);
  });

  it('finds a prompt beside the dialplan and tells WAV from Ogg by its bytes', () => {
    const plan = load({
      'a.yaml':
        'routes:\n  - { match: { number: "1" }, action: { type: play, file: prompts/a.ogg } }\n  - { action: { type: play, file: prompts/b, repeat: 2 } }\n',
      'prompts/a.ogg': Buffer.concat([Buffer.from('OggS'), Buffer.alloc(20)]),
      'prompts/b': wav,
    });
    expect(plan.routes.map(({ action }) => action)).toMatchObject([
      { type: 'play', format: 'ogg', repeat: 1 },
      { type: 'play', format: 'wav', repeat: 2 },
    ]);
  });

  it('gives a webhook its default time and fallback', () => {
    const plan = load({ 'a.yaml': 'routes:\n  - { action: { type: webhook, url: "https://x.example/route" } }\n' });
    expect(plan.routes[0]?.action).toMatchObject({ timeoutMs: 3000, fallback: { type: 'reject', status: 503 } });
  });

  it('warns of routes that can never be reached', () => {
    const { warnings } = load({
      'a.yaml': 'routes:\n  - action: { type: echo }\n  - match: { number: "1" }\n    action: { type: echo }\n',
    });
    expect(warnings).toEqual(['a.yaml:3: never reached, a.yaml:2 before it takes every call.']);
  });

  it.each([
    [
      'an unknown action',
      'routes:\n  - action: { type: ecko }\n',
      'a.yaml:2: routes[0].action.type: Expected one of "agent", "play", "echo", "tone", "reject", "menu",',
      'dialplan.invalid',
    ],
    [
      'an unknown key',
      'routes:\n  - macth: {}\n    action: { type: echo }\n',
      'a.yaml:2: routes[0].macth: Unknown key. Did you mean "match"?',
      'dialplan.invalid',
    ],
    [
      'a status that is none',
      'routes:\n  - action:\n      type: reject\n      status: 200\n',
      'a.yaml:4: routes[0].action.status: Expected a SIP status, 400 to 699.',
      'dialplan.invalid',
    ],
    [
      'a persona that is not there',
      'routes:\n  - action:\n      type: agent\n      persona: clinc\n',
      'a.yaml:4: routes[0].action.persona: Expected the name of a persona',
      'dialplan.invalid',
    ],
    [
      'a prompt that is not there',
      'routes:\n  - action:\n      type: play\n      file: gone.wav\n',
      'a.yaml:4: routes[0].action.file: Expected a WAV or Ogg file',
      'dialplan.invalid',
    ],
    [
      'a time zone that is none',
      'routes:\n  - match: { time: { timezone: Mars/Phobos } }\n    action: { type: echo }\n',
      'a.yaml:2: routes[0].match.time.timezone: Expected an IANA time zone',
      'dialplan.invalid',
    ],
    [
      'an agent that hands over to nobody',
      'routes:\n  - action: { type: agent, persona: { name: A, instructions: B. }, handOver: { mode: warm } }\n',
      'a.yaml:2: routes[0].action.handOver.to: Expected either to or action.',
      'dialplan.invalid',
    ],
    [
      'an agent that hands over to a queue that nobody serves',
      'routes:\n  - action: { type: agent, persona: { name: A, instructions: B. }, handOver: { action: { type: queue, name: q, members: [] } } }\n',
      'a.yaml:2: routes[0].action.handOver.action.members: Expected at least one phone.',
      'dialplan.invalid',
    ],
    [
      'a queue that nobody serves',
      'routes:\n  - action: { type: queue, name: support, members: [] }\n',
      'a.yaml:2: routes[0].action.members: Expected at least one phone.',
      'dialplan.invalid',
    ],
    [
      'a queue whose music is not there',
      'routes:\n  - action: { type: queue, name: support, members: [a], music: gone.wav }\n',
      'a.yaml:2: routes[0].action.music: Expected a WAV or Ogg file',
      'dialplan.invalid',
    ],
    [
      'a voicemail with two greetings',
      'routes:\n  - action: { type: voicemail, say: Hello, file: a.wav }\n',
      'a.yaml:2: routes[0].action.say: Expected either say or file.',
      'dialplan.invalid',
    ],
    [
      'a voicemail whose greeting is not there',
      'routes:\n  - action: { type: voicemail, file: gone.wav }\n',
      'a.yaml:2: routes[0].action.file: Expected a WAV or Ogg file',
      'dialplan.invalid',
    ],
    [
      'a menu without a prompt',
      'routes:\n  - action: { type: menu, options: { "1": { type: echo } } }\n',
      'a.yaml:2: routes[0].action.say: Expected either say or file.',
      'dialplan.invalid',
    ],
    [
      'a menu that leads nowhere',
      'routes:\n  - action: { type: menu, say: Hello }\n',
      'a.yaml:2: routes[0].action.options: Expected at least one option, or a webhook.',
      'dialplan.invalid',
    ],
    [
      'an action deep in a menu',
      'routes:\n  - action:\n      type: menu\n      say: Hello\n      options:\n        "1": { type: agent, persona: gone }\n',
      'a.yaml:6: routes[0].action.options.1.persona: Expected the name of a persona',
      'dialplan.invalid',
    ],
    [
      'a key that no phone has',
      'routes:\n  - action: { type: menu, say: Hello, options: { x: { type: echo } } }\n',
      'Expected keys',
      'dialplan.invalid',
    ],
    [
      'a fallback that asks again',
      'routes:\n  - action: { type: webhook, url: "https://x.example", fallback: { type: webhook } }\n',
      'routes[0].action.fallback.type: Expected one of',
      'dialplan.invalid',
    ],
  ])('tells %s with its place and what was expected', (_what, text, told, code) => {
    const error = refusal({ 'a.yaml': text });
    expect(error.message).toContain(told);
    expect(error.code).toBe(code);
    expect(error.fix).toBeTruthy();
  });

  it('tells all faults of all files at once', () => {
    const error = refusal({ 'a.yaml': 'routes: 5\n', 'b.yaml': 'routes:\n  - action: { type: echo, loud: true }\n' });
    expect(error.message.split('\n')).toHaveLength(2);
  });

  it('tells a wrong persona in its own file', () => {
    const error = refusal({ 'a.yaml': 'routes: [{ action: { type: echo } }]\n', 'personas/x.yaml': 'name: X\n' });
    expect(error.message).toBe('personas/x.yaml:1: instructions: Expected string; it is missing.');
  });

  test('a lexicon becomes phonemes, and another one another persona', () => {
    const agent = (sound: string) =>
      `  - { action: { type: agent, persona: { name: A, instructions: B., lexicon: { Siobhan: ${sound} } } } }\n`;
    const plan = load({ 'a.yaml': `routes:\n${agent('shih VAWN')}${agent('/ʃɪˈvɑn/')}` });
    expect(plan.personas.map((one) => one.lexicon)).toEqual([{ Siobhan: 'ʃɪvˈɔːn' }, { Siobhan: 'ʃɪvˈɑn' }]);
  });

  test.each([
    ['{ Siobhan: shih VAWN, Nguyen: qwerty }', /:3: lexicon\.Nguyen: Expected syllables/],
    ['{ two words: TOO }', /lexicon.*Expected one word of 2 to 40/],
    ['{ Ana: AH nah, aná: AN uh }', /lexicon.*Expected every word once/],
  ])('the lexicon %s is refused where it is wrong', (lexicon, message) => {
    const error = refusal({
      'a.yaml': 'routes: [{ action: { type: agent, persona: x } }]\n',
      'personas/x.yaml': `name: X\ninstructions: Y.\nlexicon: ${lexicon}\n`,
    });
    expect(error.code).toBe('dialplan.invalid');
    expect(error.message).toMatch(message);
  });

  it('tells a folder that is empty or gone', () => {
    expect(refusal({}).code).toBe('dialplan.empty');
    const folder = folderWith({});
    rmSync(folder, { recursive: true });
    expect(() => loadDialplan(folder)).toThrow(expect.objectContaining({ code: 'dialplan.unreadable' }));
  });

  it('answers any file with a plan or with a coded error', () => {
    const line = fc.constantFrom(
      'routes:',
      '  - action:',
      '      type: play',
      '      file: ../../../../etc/passwd',
      '  - match: {number: "*"}',
      '    action: {type: echo}',
      '    action: {type: webhook, url: "http://[::"}',
      'routes: []',
      '\t',
      '  name: &a *a',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(line).map((lines) => lines.join('\n')),
        ),
        (text) => {
          try {
            expect(load({ 'a.yaml': text }).routes.length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(TrunklineError);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
