import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { silentLogger } from '../../src/core/log';
import { DayCounts } from '../../src/store/day-counts';

const folder = mkdtempSync(join(tmpdir(), 'trunkline-days-'));
const now = () => new Date('2026-03-01T12:00:00Z');

describe('counts of a day', () => {
  it('are on disk as soon as they are counted, for their owner alone', () => {
    const path = join(folder, 'counts.json');
    new DayCounts(path, now, silentLogger).add(['all', 'trunk one']);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ day: '2026-03-01', counts: { all: 1, 'trunk one': 1 } });
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(new DayCounts(path, now, silentLogger).count('all')).toBe(1);
  });

  it('go on in memory when the disk refuses', () => {
    const blocked = join(folder, 'a folder');
    mkdirSync(join(blocked, 'counts.json.new'), { recursive: true });
    const counts = new DayCounts(join(blocked, 'counts.json'), now, silentLogger);
    counts.add(['all']);
    counts.add(['all']);
    expect(counts.count('all')).toBe(2);
  });

  it('begin anew, and stop nobody, whatever stands in the file', () => {
    const path = join(folder, 'any.json');
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        writeFileSync(path, text);
        expect(new DayCounts(path, now, silentLogger).count('all')).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});
