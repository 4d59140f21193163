import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TollGuard, type TollGuardOptions } from '../../src/call/toll-guard';
import { silentLogger } from '../../src/core/log';
import { DayCounts } from '../../src/store/day-counts';

const roomy = { calls: 100, perDay: 100 };
let path: string;
let now: Date;

beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'trunkline-tolls-')), 'outbound-today.json');
  now = new Date('2026-03-01T22:00:00Z');
});

function guardWith(more: Partial<TollGuardOptions> = {}): TollGuard {
  return new TollGuard({
    allow: [],
    deny: [],
    caps: { all: roomy, trunk: roomy, user: roomy },
    callerIds: new Map([
      ['german', '+4930123456'],
      ['plain', '123'],
    ]),
    days: new DayCounts(path, () => now, silentLogger),
    now: () => now,
    ...more,
  });
}

const limit = (key: string) =>
  expect.objectContaining({ code: 'call.outbound-limit', details: expect.objectContaining({ key }) });

describe('the toll guard', () => {
  it('knows the country by the trunk, unless the operator names one', () => {
    const abroad = 'sip:+35312345678@trunk.example';
    const guard = guardWith();
    expect(() => guard.begin({ to: abroad, trunk: 'german' })).toThrow(
      expect.objectContaining({ code: 'call.destination-closed', details: { rule: '+' } }),
    );
    expect(() => guard.begin({ to: abroad, trunk: 'plain' })).not.toThrow();
    expect(() => guardWith({ country: '353' }).begin({ to: abroad, trunk: 'german' })).not.toThrow();
    expect(guard.gauges).toMatchObject({ trunkline_outbound_closed: 1, trunkline_outbound_live: 1 });
  });

  it('lets so many be under way, by all, by each trunk, for each user, and more when one has ended', () => {
    const caps = { all: { calls: 3, perDay: 100 }, trunk: { calls: 2, perDay: 100 }, user: { calls: 1, perDay: 100 } };
    const guard = guardWith({ caps });
    const to = '+4930123456';
    const ended = guard.begin({ to, trunk: 'german', user: 'alice' });
    expect(() => guard.begin({ to, trunk: 'plain', user: 'alice' })).toThrow(limit('user alice'));
    guard.begin({ to, trunk: 'german' });
    expect(() => guard.begin({ to, trunk: 'german' })).toThrow(limit('trunk german'));
    guard.begin({ to, trunk: 'plain' });
    expect(() => guard.begin({ to })).toThrow(limit('all'));
    ended();
    ended();
    expect(guard.gauges).toMatchObject({ trunkline_outbound_live: 2, trunkline_outbound_limited: 3 });
    expect(() => guard.begin({ to, trunk: 'german', user: 'alice' })).not.toThrow();
  });

  it('lets so many begin in a day, over a restart, and begins anew at midnight of UTC', () => {
    const caps = { all: roomy, trunk: { calls: 100, perDay: 2 }, user: roomy };
    const call = { to: '+4930123456', trunk: 'german' };
    guardWith({ caps }).begin(call)();
    guardWith({ caps }).begin(call)();
    const third = guardWith({ caps });
    expect(() => third.begin(call)).toThrow(
      expect.objectContaining({
        code: 'call.outbound-limit',
        details: { key: 'trunk german', retryAfterSeconds: 7_200 },
      }),
    );
    expect(() => third.begin({ ...call, trunk: 'plain' })).not.toThrow();
    now = new Date('2026-03-02T00:00:00Z');
    expect(() => third.begin(call)).not.toThrow();
  });

  it('does not count what costs nothing: names and extensions without a trunk', () => {
    const none = { calls: 0, perDay: 0 };
    const guard = guardWith({ caps: { all: none, trunk: none, user: none } });
    for (const to of ['sip:alice@192.0.2.1', 'sip:1000@192.0.2.1']) expect(() => guard.begin({ to })).not.toThrow();
    expect(() => guard.begin({ to: 'sip:1000@192.0.2.1', trunk: 'plain' })).toThrow(limit('all'));
    expect(() => guard.begin({ to: 'sip:+4930123456@192.0.2.1' })).toThrow(limit('all'));
  });

  it('says where a redirect may not lead', () => {
    const guard = guardWith();
    expect(guard.isOpen('sip:+88213123@trunk.example', undefined)).toBe(false);
    expect(guard.isOpen('sip:+35312345678@trunk.example', 'german')).toBe(false);
    expect(guard.isOpen('sip:+4930999999@trunk.example', 'german')).toBe(true);
  });
});
