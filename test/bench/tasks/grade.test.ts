import { differences, expectedRows, resolveMoment, resolveRows, told } from '../../../src/bench/tasks/grade';
import type { Task } from '../../../src/bench/tasks/script';

// A Saturday.
const today = '2026-11-28';
const task: Task = {
  id: 'a',
  about: '',
  voice: 'flite-slt',
  route: 'clinic',
  given: { appointments: [{ name: 'Weber', at: '+3 09:00' }], orders: [{ number: '4771', state: 'left' }] },
  expect: { enquiries: [{ number: '4771', found: 'true' }] },
  errands: [],
};

describe('a spoken task is judged', () => {
  it('by days reckoned from the day of the call', () => {
    expect(resolveMoment('+3 09:00', today)).toBe('2026-12-01 09:00');
    expect(resolveMoment('+34 09:00', today)).toBe('2027-01-01 09:00');
    expect(resolveMoment('tuesday 10:00', today)).toBe('2026-12-01 10:00');
    expect(resolveMoment('saturday 10:00', today)).toBe('2026-12-05 10:00');
    expect(resolveMoment('03-23 09:15', today)).toBe('2027-03-23 09:15');
    expect(resolveMoment('12-24 09:15', today)).toBe('2026-12-24 09:15');
  });

  it('by every table: one of which nothing is said must be as it was', () => {
    const expected = expectedRows(task, today);
    const before = resolveRows(task.given, today);
    const asked = { ...before, enquiries: [{ number: '4771', found: 'true' }] };
    expect(differences(expected, asked)).toEqual([]);
    expect(differences(expected, before).map(told)).toEqual(['enquiries: expected 4771 true; found none']);
    expect(differences(expected, { ...asked, appointments: [] }).map(told)).toEqual([
      'appointments: expected Weber 2026-12-01 09:00; found none',
    ]);
    expect(differences(expected, { ...asked, callbacks: [{ phone: '5550142' }] }).map(told)).toEqual([
      'callbacks: expected none; found 5550142',
    ]);
  });

  it('by rows in any order, each as often as it is there', () => {
    const [one, other] = [{ phone: '55501' }, { phone: '55502' }];
    const rows = (...callbacks: { phone: string }[]) => resolveRows({ callbacks }, today);
    expect(differences(rows(one, other), rows(other, one))).toEqual([]);
    expect(differences(rows(one), rows(one, one))).toHaveLength(1);
  });
});
