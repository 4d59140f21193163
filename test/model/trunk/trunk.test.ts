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
        said.push(top(logits));
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
