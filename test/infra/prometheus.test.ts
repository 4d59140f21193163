/** Alerts and dashboard: promtool reads, checks and tries them, Grafana's own types decode the dashboard. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { loadConfig } from '../../src/config';
import { callEndCauseSchema } from '../../src/core/call-record';
import { alerts, dashboardQueries } from './metric-names';
import { infra, pythonCheck, pythonChecks, run, tool } from './tools';

const folder = join(infra, 'prometheus');
const rules = join(folder, 'trunkline.rules.yaml');
const dashboard = join(infra, 'grafana/trunkline.json');
const promtool = tool('promtool', 'alerts and queries');
const withPromtool = promtool === undefined ? it.skip : it;
const withPython = pythonChecks("decoding of the dashboard by Grafana's types") ? it : it.skip;

// Programs of others, on a machine that may be busy.
jest.setTimeout(180_000);

interface RuleTest {
  readonly alertname: string;
  readonly exp_alerts: readonly unknown[];
}

describe('the alerts', () => {
  withPromtool('are rules and a configuration that promtool takes, lint included', () => {
    const checked = run(promtool ?? '', ['check', 'rules', '--lint=all', '--lint-fatal', rules]);
    expect(checked).toMatchObject({
      status: 0,
      output: expect.stringContaining(`SUCCESS: ${alerts.length} rules found`),
    });
    expect(run(promtool ?? '', ['check', 'config', join(folder, 'prometheus.yaml')])).toMatchObject({ status: 0 });
  });

  withPromtool('come when they should, and stay away from a healthy agent', () => {
    const tried = run(promtool ?? '', ['test', 'rules', join(folder, 'trunkline.rules.test.yaml')]);
    expect(tried).toMatchObject({ status: 0, output: expect.stringContaining('SUCCESS') });
  });

  withPromtool('are tried by tests that bite: one that can never come is noticed', () => {
    const copy = mkdtempSync(join(tmpdir(), 'rules-'));
    try {
      const tests = readFileSync(join(folder, 'trunkline.rules.test.yaml'), 'utf8');
      writeFileSync(join(copy, 'tests.yaml'), tests.replace('trunkline.rules.yaml', 'rules.yaml'));
      // An alert that nothing can bring about.
      const { groups } = parse(readFileSync(rules, 'utf8')) as {
        groups: { rules: { alert: string; expr: string }[] }[];
      };
      for (const group of groups) for (const rule of group.rules) rule.expr = `(${rule.expr}) and on() vector(0) > 1`;
      writeFileSync(join(copy, 'rules.yaml'), stringify({ groups }));
      const { status, output } = run(promtool ?? '', ['test', 'rules', join(copy, 'tests.yaml')]);
      expect(status).not.toBe(0);
      expect(alerts.filter(({ alert }) => !output.includes(alert))).toEqual([]);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it('have a test for each side, a severity, and what to do', () => {
    const { tests } = parse(readFileSync(join(folder, 'trunkline.rules.test.yaml'), 'utf8')) as {
      tests: { alert_rule_test: RuleTest[] }[];
    };
    const all = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
    for (const { alert, labels, annotations } of alerts) {
      const sides = all.filter(({ alertname }) => alertname === alert).map(({ exp_alerts }) => exp_alerts.length > 0);
      expect([alert, new Set(sides)]).toEqual([alert, new Set([true, false])]);
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(Object.keys(annotations).sort()).toEqual(['runbook', 'summary']);
    }
  });

  it('speak of causes that calls can end with', () => {
    const written = [...alerts.map(({ expr }) => expr), ...dashboardQueries];
    const causes = written.flatMap((expr) =>
      [...expr.matchAll(/cause=~?"([^"]+)"/g)].flatMap(([, one]) => one!.split('|')),
    );
    expect(causes.length).toBeGreaterThan(4);
    expect(causes.filter((cause) => !callEndCauseSchema.safeParse(cause).success)).toEqual([]);
  });

  it('are of the job that Prometheus scrapes at the default port of the agent', () => {
    const { scrape_configs } = parse(readFileSync(join(folder, 'prometheus.yaml'), 'utf8')) as {
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    const { http } = loadConfig({ folder, environment: {} });
    expect(scrape_configs.map(({ job_name }) => job_name)).toEqual(['trunkline']);
    expect(scrape_configs[0]?.static_configs[0]?.targets).toEqual([`${http.host}:${http.port}`]);
    const jobs = alerts.flatMap(({ expr }) => [...expr.matchAll(/job="([^"]+)"/g)].map(([, job]) => job));
    expect(new Set(jobs)).toEqual(new Set(['trunkline']));
  });
});

describe('the dashboard', () => {
  withPython("is what Grafana's own types know, and nothing else", () => {
    expect(pythonCheck('dashboard', dashboard)).toEqual({ lost: [] });
  });

  withPromtool('asks in queries that Prometheus understands', () => {
    const copy = mkdtempSync(join(tmpdir(), 'queries-'));
    try {
      const asRules = dashboardQueries.map((expr, index) => ({
        record: `panel:query:${index}`,
        expr: expr.replaceAll('$instance', '.*'),
      }));
      writeFileSync(join(copy, 'queries.yaml'), stringify({ groups: [{ name: 'panels', rules: asRules }] }));
      expect(run(promtool ?? '', ['check', 'rules', '--lint=none', join(copy, 'queries.yaml')])).toMatchObject({
        status: 0,
        output: expect.stringContaining(`${dashboardQueries.length} rules found`),
      });
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it('has panels that do not lie over one another, each with a description and an id of its own', () => {
    interface Panel {
      readonly id: number;
      readonly type: string;
      readonly title: string;
      readonly description?: string;
      readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    }
    const { panels } = JSON.parse(readFileSync(dashboard, 'utf8')) as { panels: Panel[] };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.filter(({ type, description }) => type !== 'row' && !description).map(({ title }) => title)).toEqual(
      [],
    );
    const taken = new Set<string>();
    for (const { gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`)).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
  });
});
