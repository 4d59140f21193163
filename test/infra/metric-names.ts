/** What alerts and dashboard ask for, as written: the alerts, the dashboard's queries, and the names of metrics in them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { infra } from './tools';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const rules = parse(readFileSync(join(infra, 'prometheus/trunkline.rules.yaml'), 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
};
export const alerts: readonly Alert[] = rules.groups.flatMap((group) => group.rules);

/** Every `expr` of every panel. */
export const dashboardQueries: readonly string[] = [
  ...readFileSync(join(infra, 'grafana/trunkline.json'), 'utf8').matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g),
].map(([, text]) => JSON.parse(text ?? '""') as string);

/** Of the agent and of its process; `up` and `vector` are Prometheus's own. */
export const metricNames: readonly string[] = [
  ...new Set(
    [...alerts.map(({ expr }) => expr), ...dashboardQueries].flatMap(
      (expr) => expr.match(/\b(?:trunkline|process|nodejs)_[a-z0-9_]+/g) ?? [],
    ),
  ),
].sort();
