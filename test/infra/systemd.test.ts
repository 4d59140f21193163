/** The systemd unit: read by systemd itself, its exposure judged by systemd-analyze, its times by the configuration. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config';
import { infra, run, tool } from './tools';

const file = join(infra, 'systemd/trunkline.service');
const text = readFileSync(file, 'utf8');
const analyze = tool('systemd-analyze', 'the systemd unit');
const config = loadConfig({ folder: join(infra, 'systemd'), environment: {} });

const setting = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1];

describe('the systemd unit', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unit-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** With the Node of this machine, which need not be where a package puts it. */
  function unit(change: (text: string) => string = (same) => same): string {
    const path = join(folder, 'trunkline.service');
    writeFileSync(path, change(text).replace('/usr/bin/node', process.execPath));
    return path;
  }

  (analyze === undefined ? it.skip : it)('is understood by systemd, word for word', () => {
    expect(run(analyze ?? '', ['verify', '--man=no', unit()])).toEqual({ status: 0, output: '' });
    const wrong = run(analyze ?? '', [
      'verify',
      '--man=no',
      unit((good) => good.replace('LockPersonality', 'LockPersonaliti')),
    ]);
    expect(wrong.output).toContain('LockPersonaliti');
  });

  (analyze === undefined ? it.skip : it)('is exposed no more than 1.5 of 10', () => {
    const judged = run(analyze ?? '', ['security', '--offline=true', '--no-pager', '--threshold=15', unit()]);
    expect(judged.output).toMatch(/Overall exposure level for trunkline\.service: [01]\.\d/);
    expect(judged.status).toBe(0);
  });

  it('waits longer than live calls may go on, and leaves a wrong configuration alone', () => {
    expect(Number(setting('TimeoutStopSec'))).toBeGreaterThan(config.drain.seconds + 10);
    expect(setting('RestartPreventExitStatus')).toBe('2');
    expect(setting('KillMode')).toBe('mixed');
  });

  it('sets variables that the configuration knows', () => {
    const environment = Object.fromEntries(
      (setting('Environment') ?? '').split(' ').map((pair) => pair.split('=') as [string, string]),
    );
    const { data } = loadConfig({ folder, environment });
    expect(data).toBe(`/var/lib/${setting('StateDirectory')}`);
  });

  it('lets the media threads, and nobody else, run before the models', () => {
    expect(setting('LimitRTPRIO')).toBe('1');
    expect(setting('RestrictRealtime')).toBeUndefined();
    expect(setting('CapabilityBoundingSet')).toBe('');
  });
});
