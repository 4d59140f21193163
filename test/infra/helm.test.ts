/** The Helm chart: linted and rendered by Helm's own library, each object held against the Kubernetes schemas, and in step with the agent. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { type Config, loadConfig, portBounds } from '../../src/config';
import { loadDialplan } from '../../src/dialplan/load-dialplan';
import { infra, pythonCheck, pythonChecks } from './tools';

const chart = join(infra, 'helm/trunkline');
const described = pythonChecks('the Helm chart') ? describe : describe.skip;

// Programs of others, on a machine that may be busy.
jest.setTimeout(180_000);

interface Named {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}
interface Port {
  readonly name?: string;
  readonly containerPort?: number;
  readonly port?: number;
  readonly endPort?: number;
  readonly protocol: string;
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string; readonly scheme: string };
}
interface Pod {
  readonly hostNetwork: boolean;
  readonly dnsPolicy: string;
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly {
    readonly env: readonly Named[];
    readonly ports: readonly Port[];
    readonly startupProbe: Probe;
    readonly livenessProbe: Probe;
    readonly readinessProbe: Probe;
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  }[];
  readonly volumes: readonly {
    readonly name: string;
    readonly configMap?: {
      readonly name: string;
      readonly items?: readonly { readonly key: string; readonly path: string }[];
    };
  }[];
}
interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: { readonly spec: Pod };
    readonly ports?: readonly Port[];
    readonly ingress?: readonly { readonly ports: readonly Port[] }[];
    readonly groups?: unknown;
    readonly selector?: unknown;
  };
}
interface Rendered {
  readonly lint: { readonly messages: unknown[]; readonly errors: unknown[] };
  readonly objects: readonly KubernetesObject[];
  readonly faults: readonly string[];
  readonly withoutSchema: readonly string[];
}

/** The oldest that Chart.yaml allows, and the newest that is known. */
const versions = ['1.25', '1.37'];

const everything = {
  replicas: 3,
  hostNetwork: false,
  advertise: '203.0.113.21',
  config: {
    sip: { port: 5070, transports: ['udp', 'tcp', 'tls'], tls: { cert: '/tls/tls.crt', key: '/tls/tls.key' } },
    http: { port: 8443, tls: { cert: '/tls/tls.crt', key: '/tls/tls.key' } },
    rtp: { ports: '21000-21999' },
    drain: { seconds: 120 },
    engine: { llm: { baseUrl: 'https://llm.example.com/v1', model: 'large' } },
  },
  dialplans: { 'front.yaml': 'routes:\n  - match: { number: "*" }\n    action: { type: agent, persona: desk }\n' },
  personas: { 'desk.yaml': readFileSync(join(infra, '../dialplans/personas/demo.yaml'), 'utf8') },
  secrets: {
    name: 'agent',
    files: { TRUNKLINE_SIP_TRUNKS_FILE: 'trunks.json', TRUNKLINE_ENGINE_LLM_API_KEY_FILE: 'llm' },
  },
  tlsSecret: 'agent-tls',
  data: { storageClass: 'fast', size: '50Gi' },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
  prometheusRule: { enabled: true },
  nodeSelector: { voice: 'yes' },
  tolerations: [{ key: 'voice', operator: 'Exists' }],
  podAnnotations: { note: 'voice' },
  priorityClassName: 'system-node-critical',
};

function render(values: unknown): Rendered {
  return pythonCheck('chart', chart, { values, versions }) as Rendered;
}

function one({ objects }: Rendered, kind: string, name?: string): KubernetesObject {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  expect(found).toHaveLength(1);
  return found[0]!;
}

const podOf = (rendered: Rendered): Pod => one(rendered, 'StatefulSet').spec!.template!.spec;

described('the Helm chart', () => {
  let plain: Rendered;
  let full: Rendered;
  let folder: string;

  beforeAll(() => {
    plain = render({});
    full = render(everything);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'chart-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** What the agent in the pod would make of its configuration and environment. */
  function agentConfig(rendered: Rendered): Config {
    writeFileSync(
      join(folder, 'trunkline.yaml'),
      one(rendered, 'ConfigMap', 'phone-trunkline').data!['trunkline.yaml']!,
    );
    writeFileSync(join(folder, 'trunks.json'), '[{"name":"carrier","addresses":["192.0.2.1"]}]');
    writeFileSync(join(folder, 'llm'), 'a-key');
    const { env } = podOf(rendered).containers[0]!;
    // The kubelet's part: fields of the pod, references, mounted files.
    const fields = Object.fromEntries(
      env.map(({ name, value, valueFrom }) => [name, value ?? (valueFrom ? '10.1.2.3' : '')]),
    );
    const environment = Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        value
          .replace(/\$\(([A-Z_]+)\)/g, (_, other: string) => fields[other] ?? '')
          .replace(/^\/(secrets|config)\//, `${folder}/`),
      ]),
    );
    return loadConfig({ folder, environment });
  }

  it.each(['plain', 'full'] as const)(
    '%s: passes helm lint, strictly, and the schemas of the oldest and newest Kubernetes',
    (which) => {
      const rendered = which === 'plain' ? plain : full;
      expect(rendered.lint).toMatchObject({ messages: [], errors: [] });
      expect(rendered.faults).toEqual([]);
      // Of the Prometheus operator; Kubernetes does not know them.
      expect(rendered.withoutSchema).toEqual(which === 'plain' ? [] : ['PrometheusRule', 'ServiceMonitor']);
    },
  );

  it('has the shipped alerts, and Prometheus finds the agent under the name that they use', () => {
    const rules = parse(readFileSync(join(infra, 'prometheus/trunkline.rules.yaml'), 'utf8')) as { groups: unknown };
    expect(one(full, 'PrometheusRule').spec?.groups).toEqual(rules.groups);
    expect(JSON.stringify(one(full, 'ServiceMonitor').spec)).toContain(
      '{"targetLabel":"job","replacement":"trunkline"}',
    );
  });

  it('gives the agent a configuration and an environment that it takes', () => {
    const config = agentConfig(plain);
    expect(config).toMatchObject({
      data: '/data',
      http: { host: '0.0.0.0' },
      sip: { advertised: '10.1.2.3', trunks: [] },
    });
    expect(config.webrtc.advertised).toEqual(['10.1.2.3']);
    const { sip, engine, dialplans, webrtc } = agentConfig(full);
    expect(sip).toMatchObject({ advertised: '203.0.113.21', trunks: [{ name: 'carrier' }], port: 5070 });
    expect([engine.llm?.apiKey, dialplans, webrtc.advertised]).toEqual(['a-key', '/dialplans', ['203.0.113.21']]);
  });

  it('has the defaults of the agent for ports and drain', () => {
    const config = agentConfig(plain);
    const defaults = loadConfig({ folder: join(folder, 'empty'), environment: {} });
    for (const [key, part] of [
      ['sip', 'port'],
      ['http', 'port'],
      ['rtp', 'ports'],
      ['webrtc', 'ports'],
      ['drain', 'seconds'],
    ] as const) {
      expect([key, Reflect.get(config[key], part)]).toEqual([key, Reflect.get(defaults[key], part)]);
    }
  });

  it.each(['plain', 'full'] as const)('%s: gives live calls their time, and probes what the agent answers', (which) => {
    const rendered = which === 'plain' ? plain : full;
    const pod = podOf(rendered);
    const container = pod.containers[0]!;
    const seconds = which === 'plain' ? 60 : everything.config.drain.seconds;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(seconds + 10);
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    expect(probes.map(({ httpGet }) => httpGet.path)).toEqual(['/healthz', '/healthz', '/readyz']);
    const scheme = which === 'plain' ? 'HTTP' : 'HTTPS';
    expect(probes.map(({ httpGet }) => httpGet.scheme)).toEqual([scheme, scheme, scheme]);
    // The variables of a Service called trunkline would be unknown keys of the configuration.
    expect(pod.enableServiceLinks).toBe(false);
    expect(pod.dnsPolicy).toBe(pod.hostNetwork ? 'ClusterFirstWithHostNet' : 'ClusterFirst');
  });

  it('opens the ports of the configuration in the pod, the services and the policy', () => {
    const ports = podOf(full).containers[0]!.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
    expect(ports).toEqual(['5070/UDP', '5070/TCP', '5071/TCP', '8443/TCP']);
    const sip = one(full, 'Service', 'phone-trunkline-sip').spec!.ports!;
    expect(sip.map(({ name, port }) => `${name} ${port}`)).toEqual(['sip 5070', 'sip-tcp 5070', 'sips 5071']);
    const allowed = one(full, 'NetworkPolicy').spec!.ingress!.flatMap((rule) => rule.ports);
    for (const range of [everything.config.rtp.ports, '30000-30999']) {
      const [from, to] = portBounds(range);
      expect(allowed).toContainEqual({ protocol: 'UDP', port: from, endPort: to });
    }
  });

  it('mounts its dialplans as the folder that the agent reads', () => {
    const volume = podOf(full).volumes.find(({ name }) => name === 'dialplans')!.configMap!;
    const { data } = one(full, 'ConfigMap', volume.name);
    for (const { key, path } of volume.items ?? []) {
      mkdirSync(dirname(join(folder, 'plans', path)), { recursive: true });
      writeFileSync(join(folder, 'plans', path), data![key]!);
    }
    expect(loadDialplan(join(folder, 'plans')).routes).toHaveLength(1);
  });

  it.each([
    [{ replica: 2 }],
    [{ config: { rtp: { ports: 'all' } } }],
    [{ secrets: { files: { PASSWORD: 'x' } } }],
    [{ advertise: 'agent.example.com' }],
    [{ networkPolicy: { sipFrom: ['192.0.2.1'] } }],
  ])('refuses %j', (values) => {
    expect(() => render(values)).toThrow(/schema|Additional|additional|pattern/i);
  });
});
