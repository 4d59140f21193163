import { noToolCounts } from '../../src/call/tool-calls';
import { type ToolOutcome, type ToolRequest, ToolRuns } from '../../src/call/tool-runs';
import { TrunklineError } from '../../src/core/errors';
import type { Tool, ToolTarget } from '../../src/core/tool';

const target: ToolTarget = { kind: 'http', url: 'https://x.example', method: 'POST', headers: {}, secretHeaders: {} };
const tools: Tool[] = [
  { name: 'book', description: 'book', timeoutMs: 5_000, onBargeIn: 'keep' },
  { name: 'look', description: 'look', timeoutMs: 5_000, onBargeIn: 'cancel' },
  { name: 'told', description: 'told', timeoutMs: 5_000 },
];

function rig() {
  const requests: (ToolRequest & { done: (outcome: ToolOutcome) => void })[] = [];
  const told: [string, string | undefined][] = [];
  const failed: string[] = [];
  const counts = noToolCounts();
  const runs = new ToolRuns({
    tools,
    targets: new Map([
      ['book', target],
      ['look', target],
    ]),
    run: (request) => new Promise((done) => requests.push({ ...request, done })),
    counts,
    tell: (toolCallId, text) => {
      if (toolCallId === 'late') throw new TrunklineError('tool.overtaken', 'Overtaken.');
      told.push([toolCallId, text]);
    },
    failed: (name, { code }) => failed.push(`${name} ${code}`),
  });
  const begin = (name: string, toolCallId = name) =>
    runs.begin({ type: 'tool-called', toolCallId, turnId: 1, name, said: 'Please.', arguments: { a: 1 } });
  return { runs, requests, told, failed, counts, begin };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the tools that a conversation asks itself', () => {
  it('are asked once, and told when the answer is there; the others are left to an application', async () => {
    const { requests, told, begin } = rig();
    expect(begin('told')).toBe(false);
    expect(begin('invented')).toBe(false);
    expect(begin('book')).toBe(true);
    expect(requests).toMatchObject([{ toolCallId: 'book', arguments: { a: 1 }, said: 'Please.', target }]);
    requests[0]!.done({ text: 'Booked.' });
    await settled();
    expect(told).toEqual([['book', 'Booked.']]);
  });

  it('tell and count a failure', async () => {
    const { requests, told, failed, counts, begin } = rig();
    begin('book');
    requests[0]!.done({ text: undefined, error: new TrunklineError('tool.unreachable', 'Gone.') });
    await settled();
    expect(told).toEqual([['book', undefined]]);
    expect(failed).toEqual(['book tool.unreachable']);
    expect(counts.failed).toBe(1);
  });

  it.each([
    ['book', 'overtaken', false],
    ['book', 'timed-out', true],
    ['look', 'overtaken', true],
    ['look', 'cancelled', true],
  ] as const)('%s that is %s is broken off: %s', async (name, because, broken) => {
    const { runs, requests, told, begin } = rig();
    begin(name, broken ? name : 'late');
    runs.over(broken ? name : 'late', because);
    expect(requests[0]!.signal.aborted).toBe(broken);
    requests[0]!.done({ text: 'Too late.' });
    await settled();
    expect(told).toEqual([]);
  });

  it('that book something run on when the caller hangs up, and no more than four at a time', async () => {
    const { runs, requests, failed, begin } = rig();
    for (const id of ['1', '2', '3', '4', '5']) begin('book', id);
    await settled();
    expect(requests).toHaveLength(4);
    expect(failed).toEqual(['book tool.too-many']);
    runs.close();
    expect(requests.every(({ signal }) => !signal.aborted)).toBe(true);
    requests[0]!.done({ text: 'Booked.' });
    await settled();
    begin('look');
    runs.close();
    expect(requests.at(-1)!.signal.aborted).toBe(true);
  });
});
