import { join } from 'node:path';
import fc from 'fast-check';
import { readTasks, tasksIn } from '../../../src/bench/tasks/script';
import { formsOf } from '../../../src/bench/tasks-bench';
import { hasCode } from '../../../src/core/errors';

const folder = join(__dirname, '../../fixtures/tasks');

const plain = `tasks:
  - id: a
    about: plain
    voice: flite-slt
    route: clinic
    expect: { appointments: [{ name: Brown, at: "+1 14:30" }] }
    errands: [{ tool: book, wish: ["Book me in."] }]
`;

describe('the scripts of the spoken tasks', () => {
  it('are twenty, of tools and slots that the dialplan rung for them has', () => {
    const tasks = readTasks(join(folder, 'tasks.yaml'));
    expect(tasks).toHaveLength(20);
    for (const { id, route, errands } of tasks) {
      const forms = formsOf(join(folder, 'dialplan'), route);
      for (const { tool, answers, wants, changes, asks, refuses } of errands) {
        const slots = forms.get(tool)?.slots.map(({ name }) => name) ?? [];
        expect([id, slots.length > 0]).toEqual([id, true]);
        const named = [changes?.slot, asks?.slot, refuses?.at].filter(
          (slot) => slot !== undefined && slot !== 'read-back',
        );
        for (const slot of [...Object.keys(answers), ...Object.keys(wants), ...named]) expect(slots).toContain(slot);
        // Whoever drops it in the middle has no answer to the last question.
        const due =
          refuses === undefined || refuses.at === 'read-back' ? slots : slots.slice(0, slots.indexOf(refuses.at));
        expect(Object.keys(answers)).toEqual(expect.arrayContaining(due));
      }
    }
  });

  it('are refused with the line and what was expected there', () => {
    const wrong = [
      [plain.replace('+1 14:30', 'soon'), 6],
      [plain.replace('voice: flite-slt', 'voice: slt'), 4],
      [plain.replace('wish: ["Book me in."]', 'wish: []'), 7],
      [`${plain}${plain.slice('tasks:\n'.length)}`, 8],
      [plain.replace('wish:', 'interrupts: read-back, wish:'), 7],
    ] as const;
    expect(tasksIn(plain, 'tasks.yaml')).toHaveLength(1);
    for (const [text, line] of wrong) {
      let thrown: unknown;
      try {
        tasksIn(text, 'tasks.yaml');
      } catch (error) {
        thrown = error;
      }
      expect(hasCode(thrown, 'bench.bad-tasks')).toBe(true);
      expect(String(thrown)).toContain(`tasks.yaml:${line}`);
    }
  });

  it('are tasks or a coded error, whatever the file holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.nat(plain.length).map((at) => plain.slice(0, at)),
        ),
        (text) => {
          try {
            expect(tasksIn(text, 'tasks.yaml').length).toBeGreaterThan(0);
          } catch (error) {
            expect(hasCode(error, 'bench.bad-tasks')).toBe(true);
          }
        },
      ),
    );
  });
});
