/** Secrets come from files or the environment, are named when they do not, and are shown to nobody. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { errorText } from '../../src/cli/trunkline';
import { loadConfig, printableConfig, secretValues } from '../../src/config';
import { configSchema } from '../../src/config/schema';
import { secretsIn } from '../../src/config/secrets';
import { TrunklineError } from '../../src/core/errors';
import { problemOf } from '../../src/http/problem';
import { createLogger } from '../../src/log-pino';

const folder = mkdtempSync(join(tmpdir(), 'trunkline-secrets-'));

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

function load(yaml: string, environment: Record<string, string> = {}) {
  const literal: string[] = [];
  write('trunkline.yaml', yaml);
  const onLiteralSecrets = (paths: readonly string[]) => literal.push(...paths);
  return { config: loadConfig({ folder, environment, onLiteralSecrets }), literal };
}

/** A configuration with every secret that there is. */
const withSecrets = (secret: (name: string) => string) => ({
  sip: {
    drachtio: '127.0.0.1:9022',
    drachtioSecret: secret('drachtio'),
    registrations: [{ name: 'r', registrar: 'x.example', username: 'u', password: secret('registration') }],
    trunks: [{ name: 't', password: secret('trunk') }],
    users: [{ username: 'u', password: secret('user') }],
  },
  http: { tokens: [{ token: secret('token'), scopes: ['read'] }] },
  webhooks: [
    { url: `https://hook:${secret('userinfo')}@x.example/h?key=${secret('query')}`, secrets: [secret('hook')] },
  ],
  engine: { llm: { baseUrl: 'https://llm.example/v1', model: 'm', apiKey: secret('llm') } },
  database: { url: `postgres://u:${secret('database')}@db/x` },
  webrtc: {
    iceServers: [
      { urls: 'turn:x.example', username: 'u', credential: secret('credential') },
      { urls: 'turn:y.example', secret: secret('turn') },
    ],
  },
});

/** As they may stand in a URL, and long enough for a token. */
const secretText = fc.stringMatching(/^[A-Za-z0-9_*&!|>-]{20,30}$/).map((text) => `hush${text}`);
const noise = fc.constantFrom<Record<string, unknown>>(
  {},
  { nothing: 1 },
  { sip: 5 },
  { http: { tokens: 'no list' } },
  { engine: { name: 'nobody' } },
  { rtp: { ports: '5-4' } },
);

describe('a secret', () => {
  it('of the schema is in the example, so that none is left untested', () => {
    const paths = secretsIn(
      configSchema,
      load(JSON.stringify(withSecrets((name) => `hush-${name}-0123456789`))).config,
    ).map(({ path }) => path.filter((part) => typeof part !== 'number').join('.'));
    expect([...new Set(paths)].sort()).toEqual([
      'database.url',
      'engine.llm.apiKey',
      'http.tokens.token',
      'sip.drachtioSecret',
      'sip.registrations.password',
      'sip.trunks.password',
      'sip.users.password',
      'webhooks.endpoints.secrets',
      'webrtc.iceServers.credential',
      'webrtc.iceServers.secret',
    ]);
  });

  it('is neither printed nor told in an error nor logged, whatever else is wrong', () => {
    fc.assert(
      fc.property(secretText, noise, fc.boolean(), (secret, wrong, damaged) => {
        const shown: string[] = [];
        const stream = { write: (line: string) => void shown.push(line) };
        const text = JSON.stringify({ ...withSecrets(() => secret), ...wrong });
        try {
          const { config } = load(damaged ? text.replaceAll('"', '') : text);
          shown.push(printableConfig(config));
          const secrets = secretValues(config);
          const logger = createLogger({ level: 'debug', content: true, secrets, stream });
          const deep = { a: { b: [{ c: `postgres://u:${secret}@db`, config, password: secret }] } };
          logger
            .child(deep)
            .warn(`it was ${config.http.tokens[0]?.token}`, { ...deep, error: new Error(`no ${secret}`) });
        } catch (error) {
          shown.push(errorText(error));
          if (error instanceof TrunklineError) shown.push(JSON.stringify(problemOf(error)));
        }
        expect(shown.join('\n')).not.toContain(secret);
        expect(shown.length).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });

  it('is not told when its variable cannot be read', () => {
    fc.assert(
      fc.property(secretText, (secret) => {
        for (const name of ['TRUNKLINE_HTTP_TOKENS', 'TRUNKLINE_SIP_USERS', 'TRUNKLINE_WEBHOOKS_ENDPOINTS']) {
          let told = '';
          try {
            load('', { [name]: `[{"password": "${secret}` });
          } catch (error) {
            told = `${errorText(error)} ${String(error instanceof Error ? error.cause : '')}`;
          }
          expect(told).toContain(name);
          expect(told).not.toContain(secret.slice(0, 10));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('comes from the file that is named beside its key, a list from its lines', () => {
    const one = write('one', 'hush one\n');
    const several = write('several', 'whsec_b25l\nwhsec_dHdv\n');
    const { config, literal } = load(
      JSON.stringify({
        sip: { users: [{ username: 'u', passwordFile: one }], trunks: [{ name: 't', passwordFile: one }] },
        webhooks: [{ url: 'https://x.example', secretsFile: several }],
        engine: { llm: { baseUrl: 'https://llm.example', model: 'm', apiKeyFile: one } },
        database: { urlFile: one },
      }),
    );
    expect(config.sip.users).toEqual([{ username: 'u', password: 'hush one' }]);
    expect(config.sip.trunks[0]?.password).toBe('hush one');
    expect(config.webhooks.endpoints[0]?.secrets).toEqual(['whsec_b25l', 'whsec_dHdv']);
    expect([config.engine.llm?.apiKey, config.database.url]).toEqual(['hush one', 'hush one']);
    expect(literal).toEqual([]);
  });

  it('is asked for once, and missed where its file is', () => {
    const both = '{ "username": "u", "password": "a", "passwordFile": "one" }';
    expect(() => load(`{ "sip": { "users": [${both}] } }`)).toThrow(
      expect.objectContaining({ code: 'config.invalid', message: expect.stringContaining('sip.users[0].password') }),
    );
    expect(() => load('sip: { users: [{ username: u, passwordFile: nowhere }] }')).toThrow(
      expect.objectContaining({ code: 'config.secret-unreadable' }),
    );
  });

  it('that stands in the file itself is named, not shown; one of the environment is not', () => {
    const { literal } = load(JSON.stringify(withSecrets((name) => `hush-${name}-0123456789`)), {
      TRUNKLINE_ENGINE_LLM_API_KEY: 'from-the-environment',
    });
    expect(literal).toContain('sip.trunks[0].password');
    expect(literal).toContain('webhooks.endpoints[0].secrets[0]');
    expect(literal.join()).not.toContain('hush');
    expect(load('', { TRUNKLINE_DATABASE_URL: 'postgres://u:hush@db/x' }).literal).toEqual([]);
  });
});
