import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openModelFolder } from '../../../src/model/manifest';
import type { LanguageContext } from '../../../src/model/parts';
import { Trunk } from '../../../src/model/trunk/trunk';

const root = join(__dirname, '../../..');
const golden: { tokens: number[]; answer: number[] }[] = JSON.parse(
  readFileSync(join(root, 'test/fixtures/brain/golden.json'), 'utf8'),
);

let trunk: Trunk;
const open: LanguageContext[] = [];
const context = () => {
  const created = trunk.createContext();
  open.push(created);
  return created;
};
const top = (logits: Float32Array) => logits.reduce((best, value, i) => (value > logits[best]! ? i : best), 0);
const farthest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
/** The reference does not round activations; rounding them to 8 bits may settle a tie otherwise. */
const TIE = 0.5;
const choice = (logits: Float32Array, expected: number) =>
  logits[top(logits)]! - logits[expected]! < TIE ? expected : top(logits);
const never = new AbortController().signal;

beforeAll(async () => {
  trunk = await Trunk.open(await openModelFolder(join(root, 'models/smollm2-135m')), { maxContexts: 6 });
}, 120_000);
afterEach(() => {
  for (const one of open.splice(0)) one.dispose();
});
afterAll(() => trunk.close());

describe('the trunk', () => {
  it.each(golden.map((entry, i) => [i, entry] as const))(
    'answers as the reference does, token by token, case %i',
    async (_, entry) => {
      const own = context();
      let logits = await own.append(entry.tokens);
      const said: number[] = [];
      for (const expected of entry.answer) {
        said.push(choice(logits, expected));
        logits = await own.append([expected]);
      }
      expect(said).toEqual(entry.answer);
    },
    60_000,
  );

  it('goes on after a cut as if the forgotten tokens had never been there', async () => {
    const { tokens } = golden[0]!;
    const plain = context();
    const expected = await plain.append(tokens.slice(0, 40));
    const cut = context();
    await cut.append([...tokens.slice(0, 20), ...tokens.slice(60, 90)]);
    cut.truncate(20);
    const found = await cut.append(tokens.slice(20, 40));
    expect(cut.length).toBe(40);
    // Weights are applied to 8-bit activations: another split into runs rounds a little differently.
    expect(farthest(found, expected)).toBeLessThan(1.5);
    expect(top(found)).toBe(top(expected));
  }, 60_000);

  it('lets a fork and its origin go separate ways', async () => {
    const { tokens } = golden[1]!;
    const origin = context();
    await origin.append(tokens.slice(0, 30));
    const twin = origin.fork();
    open.push(twin);
    await twin.append(tokens.slice(100, 110));
    const found = await origin.append(tokens.slice(30, 45));
    const expectation = context();
    await expectation.append(tokens.slice(0, 30));
    expect(farthest(found, await expectation.append(tokens.slice(30, 45)))).toBe(0);
    expect(twin.length).toBe(40);
  }, 60_000);

  it('stops between two runs when aborted, and keeps what it has read', async () => {
    const own = context();
    const abort = new AbortController();
    const reading = own.append(golden[0]!.tokens.slice(0, 90), abort.signal);
    abort.abort(new Error('barge-in'));
    await expect(reading).rejects.toThrow('barge-in');
    expect(own.length).toBeLessThan(90);
    await expect(own.append([500], never)).resolves.toHaveLength(49_152);
  }, 60_000);

  it.each([
    [[0, 1, 2, 3]],
    // The second seat is left again, so that a run reads two seats with an idle one between them.
    [[1, 0, 3]],
  ])(
    'says beside others what it says alone, token by token: conversations %p',
    async (chosen) => {
      const entries = chosen.map((i) => golden[i]!);
      const rows = await Promise.all(entries.map(async ({ tokens }) => ({ own: context(), tokens })));
      const logits: Float32Array[] = [];
      for (const { own, tokens } of rows) logits.push(await own.append(tokens));
      if (chosen.length === 3) rows[1]!.own.dispose();
      const speaking = entries.flatMap((entry, row) => (chosen.length === 3 && row === 1 ? [] : [{ ...entry, row }]));
      const said: number[][] = entries.map(() => []);
      const { runs, rows: read } = trunk.work;
      let steps = 0;
      for (let step = 0; step < Math.max(...entries.map(({ answer }) => answer.length)); step += 1) {
        const going = speaking.filter(({ answer }) => step < answer.length);
        for (const { row, answer } of going) {
          said[row]!.push(choice(logits[row]!, answer[step]!));
          rows[row]!.own.foresee?.({ item: answer[step]!, pace: { dueInMs: () => 0, urgency: () => 0 } });
        }
        for (const { row, answer } of going) logits[row] = await rows[row]!.own.append([answer[step]!]);
        steps += going.length;
      }
      for (const { row, answer } of speaking) expect(said[row]).toEqual(answer);
      expect(trunk.work.rows - read).toBe(steps);
      expect(trunk.work.runs - runs).toBeLessThan(steps);
    },
    120_000,
  );

  it('differs by rounding alone, whoever is read beside it', async () => {
    const [one, other] = [golden[0]!, golden[1]!];
    const next = one.answer[0]!;
    const [alone, beside, neighbour] = [context(), context(), context()];
    await alone.append(one.tokens);
    await beside.append(one.tokens);
    await neighbour.append(other.tokens);
    const expected = await alone.append([next]);
    beside.foresee?.({ item: next, pace: { dueInMs: () => 0, urgency: () => 0 } });
    await neighbour.append([other.answer[0]!]);
    const { runs } = trunk.work;
    const found = await beside.append([next]);
    expect(trunk.work.runs).toBe(runs);
    expect(farthest(found, expected)).toBeLessThan(1.5);
    expect(beside.hidden).toHaveLength(576);
  }, 60_000);

  it('drops what was read ahead for a sequence that is cut back or disposed of meanwhile', async () => {
    const { tokens } = golden[1]!;
    const pace = { dueInMs: () => 0, urgency: () => 0 };
    const [runner, cut, gone, plain] = [context(), context(), context(), context()];
    for (const own of [runner, cut, gone]) await own.append(tokens.slice(0, 40));
    cut.foresee?.({ item: 700, pace });
    gone.foresee?.({ item: 700, pace });
    const run = runner.append([800]);
    await Promise.resolve();
    await Promise.resolve();
    cut.truncate(30);
    gone.dispose();
    // Takes the seat that has just become free, while the run is under way.
    const heir = context();
    const inherited = heir.append(tokens.slice(0, 40));
    await run;
    await inherited;
    await plain.append(tokens.slice(0, 30));
    expect(farthest(await cut.append([700]), await plain.append([700]))).toBeLessThan(1.5);
    plain.truncate(0);
    await plain.append(tokens.slice(0, 40));
    expect(farthest(await heir.append([900]), await plain.append([900]))).toBe(0);
  }, 60_000);

  it('refuses more than the context holds, unknown tokens, and too many sequences', async () => {
    const own = context();
    await expect(own.append(new Array(2_000).fill(500))).rejects.toMatchObject({ code: 'trunk.context-full' });
    await expect(own.append([60_000])).rejects.toMatchObject({ code: 'trunk.bad-token' });
    for (let i = 0; i < 5; i += 1) context();
    expect(() => trunk.createContext()).toThrow(expect.objectContaining({ code: 'trunk.too-many-contexts' }));
    own.dispose();
    own.dispose();
    expect(trunk.contexts).toBe(5);
    await expect(own.append([500])).rejects.toMatchObject({ code: 'trunk.closed' });
  });
});
