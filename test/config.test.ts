/** trunkline.yaml, the environment over it, and what is said when either is wrong. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  type Config,
  configJsonSchema,
  keysNotActedUpon,
  loadConfig,
  portBounds,
  printableConfig,
} from '../src/config';
import { environmentVariables } from '../src/config/environment';
import { configSchema } from '../src/config/schema';
import { TrunklineError } from '../src/core/errors';

function load(yaml: string | undefined, environment: Record<string, string> = {}, engine?: string): Config {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-config-'));
  if (yaml !== undefined) writeFileSync(join(folder, 'trunkline.yaml'), yaml);
  return loadConfig({ folder, environment, engine });
}

function refusal(yaml: string | undefined, environment: Record<string, string> = {}): TrunklineError {
  try {
    load(yaml, environment);
  } catch (error) {
    if (error instanceof TrunklineError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('loadConfig', () => {
  it('starts from defaults when there is no file', () => {
    const config = load(undefined);
    expect(config.sip).toMatchObject({ host: '*', port: 5060, transports: ['udp', 'tcp'] });
    expect(config.http).toMatchObject({ host: '127.0.0.1', port: 8080, tokens: [] });
    expect(portBounds(config.rtp.ports)).toEqual([20_000, 29_999]);
    expect(portBounds(config.webrtc.ports)).toEqual([30_000, 30_999]);
    expect(config.engine).toMatchObject({ silenceSeconds: 4 });
    expect(config.drain.seconds).toBe(60);
    expect(config.recording).toEqual({ enabled: false, format: 'wav', retentionDays: 30 });
  });

  it('lets the environment override the file, and the flag both', () => {
    const yaml = 'sip: { port: 5070 }\nengine: { name: omni, threads: 2 }\n';
    const config = load(yaml, { TRUNKLINE_SIP_PORT: '5080', TRUNKLINE_ENGINE_NAME: 'remote' }, 'cascade');
    expect(config.sip.port).toBe(5080);
    expect(config.engine).toMatchObject({ name: 'cascade', threads: 2 });
  });

  it('takes lists and objects as JSON, switches as words', () => {
    const config = load(undefined, {
      TRUNKLINE_SIP_TRANSPORTS: '["udp"]',
      TRUNKLINE_RECORDING_ENABLED: 'true',
      TRUNKLINE_RTP_TIMEOUT_SECONDS: '5.5',
      TRUNKLINE_HTTP_TLS: '{"cert":"c.pem","key":"k.pem"}',
    });
    expect(config.sip.transports).toEqual(['udp']);
    expect(config.recording.enabled).toBe(true);
    expect(config.rtp.timeoutSeconds).toBe(5.5);
    expect(config.http.tls).toEqual({ cert: 'c.pem', key: 'k.pem' });
  });

  it('reads a secret from the file that a _FILE variable names', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'trunkline-secret-')), 'secret');
    writeFileSync(path, 'hush\n');
    const config = load(undefined, { TRUNKLINE_SIP_DRACHTIO: 'd:9022', TRUNKLINE_SIP_DRACHTIO_SECRET_FILE: path });
    expect(config.sip.drachtioSecret).toBe('hush');
    expect(refusal(undefined, { TRUNKLINE_SIP_DRACHTIO_SECRET_FILE: '/nowhere' }).code).toBe(
      'config.secret-unreadable',
    );
  });

  it('takes webhooks as a bare list or in the long form', () => {
    const endpoint = '{ url: "https://x.example/h", secrets: [s] }';
    expect(load(`webhooks: [${endpoint}]\n`).webhooks.endpoints).toHaveLength(1);
    const both = load(`webhooks: [${endpoint}]\n`, { TRUNKLINE_WEBHOOKS_ALLOW_PRIVATE: '["localhost"]' });
    expect(both.webhooks).toMatchObject({ allowPrivate: ['localhost'], endpoints: [{ events: ['*'] }] });
  });

  it('tells an unknown key with file, line, path and the word that was meant', () => {
    const error = refusal('rtp:\n  ports: 20000-29999\n  timeoutSecond: 3\n');
    expect(error.code).toBe('config.invalid');
    expect(error.message).toBe('trunkline.yaml:3: rtp.timeoutSecond: Unknown key. Did you mean "timeoutSeconds"?');
    expect(error.fix).toBeTruthy();
  });

  it('tells a bad value of the environment by the name of the variable', () => {
    expect(refusal(undefined, { TRUNKLINE_SIP_PORT: '70000' }).message).toMatch(
      /^TRUNKLINE_SIP_PORT: sip\.port: Expected a port/,
    );
    expect(refusal(undefined, { TRUNKLINE_SIP_PORT: 'high' }).code).toBe('config.bad-variable');
    expect(refusal(undefined, { TRUNKLINE_SIP_TRANSPORTS: 'udp' }).message).toMatch(/must be JSON/);
  });

  it('takes a number or a word from a variable where the key is either', () => {
    const loudness = (text: string) => load(undefined, { TRUNKLINE_AUDIO_PROMPT_LOUDNESS: text }).audio.promptLoudness;
    expect([loudness('-18.5'), loudness('off')]).toEqual([-18.5, 'off']);
    for (const wrong of ['-5', 'loud', '']) {
      expect(refusal(undefined, { TRUNKLINE_AUDIO_PROMPT_LOUDNESS: wrong })).toMatchObject({
        code: 'config.invalid',
        message: expect.stringContaining('audio.promptLoudness'),
      });
    }
    expect(load('audio: { promptLoudness: off }\n').audio.promptLoudness).toBe('off');
  });

  it('refuses a variable that it does not know', () => {
    const error = refusal(undefined, { TRUNKLINE_SIP_PROT: '5060' });
    expect(error.code).toBe('config.unknown-variable');
    expect(error.message).toMatch(/TRUNKLINE_SIP_PORT/);
  });

  it.each([
    ['sip: { transports: [tls] }', /sip\.tls/],
    ['sip: { drachtio: "127.0.0.1:9022" }', /drachtioSecret/],
    ['rtp: { ports: 30000-30100 }', /overlap/],
    ['rtp: { ports: 5-4 }', /rtp\.ports/],
  ])('refuses %s, which contradicts itself', (yaml, told) => {
    expect(refusal(yaml).message).toMatch(told);
  });

  it('refuses a named file that is not there', () => {
    expect(() => loadConfig({ file: 'absent.yaml', folder: tmpdir(), environment: {} })).toThrow(/absent\.yaml/);
  });

  it('answers any text with a configuration or with a coded error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          load(text);
        } catch (error) {
          expect(error).toBeInstanceOf(TrunklineError);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('what this version does not do yet', () => {
  const from = (yaml: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    writeFileSync(join(folder, 'trunkline.yaml'), yaml);
    return () => loadConfig({ folder, environment: {} });
  };

  it('is named, so that nobody relies on it', () => {
    expect(keysNotActedUpon(from('node: {name: one}')())).toEqual(['node.name']);
    expect(keysNotActedUpon(from('')())).toEqual([]);
    expect(keysNotActedUpon(from('database: {url: postgres://x}\nnode: {name: one}')())).toEqual([]);
  });

  it('refuses addresses that are none, and a trunk and a registration of one name', () => {
    const trunk = (address: string) => from(`sip: {trunks: [{name: t, addresses: [${address}]}]}`);
    for (const good of ['192.0.2.1', '192.0.2.0/24', '"2001:db8::/32"'])
      expect(trunk(good)().sip.trunks).toHaveLength(1);
    for (const bad of ['example.com', '192.0.2.0/33', '192.0.2.0/x', '"2001:db8::/129"']) {
      expect(trunk(bad)).toThrow(expect.objectContaining({ code: 'config.invalid' }));
    }
    const account = '{name: t, registrar: r.example, username: u, password: p}';
    expect(from(`sip: {trunks: [{name: t}], registrations: [${account}]}`)).toThrow(/named twice/);
  });

  it('refuses TLS without a certificate', () => {
    expect(from('sip: {transports: [wss]}')).toThrow(expect.objectContaining({ code: 'config.invalid' }));
    expect(from('sip: {transports: [ws]}')().sip.transports).toEqual(['ws']);
  });
});

describe('sip.trunks', () => {
  it.each([
    ['a fallback that is no trunk', '{name: a, proxy: x, qualifySeconds: 30, fallback: nobody}'],
    ['a fallback that is itself', '{name: a, proxy: x, qualifySeconds: 30, fallback: a}'],
    ['nobody to ask', '{name: a, qualifySeconds: 30}'],
  ])('refuses %s', (_what, trunk) => {
    const from = (one: string) => () => load(`sip: {trunks: [${one}, {name: b, proxy: y}]}`);
    expect(from(trunk)).toThrow(expect.objectContaining({ code: 'config.invalid' }));
    expect(from('{name: a, proxy: x, qualifySeconds: 30, fallback: b}')).not.toThrow();
    expect(from('{name: a, proxy: x, fallback: b}')).not.toThrow();
  });
});

describe('webrtc.iceServers', () => {
  it('takes one URI each, and one kind of account', () => {
    const from = (servers: string) => () => load(`webrtc: {iceServers: ${servers}}`);
    expect(from('[{urls: "turns:turn.example.net:5349?transport=tcp", secret: s}]')).not.toThrow();
    expect(from('[{urls: "https://turn.example.net"}]')).toThrow(expect.objectContaining({ code: 'config.invalid' }));
    expect(from('[{urls: "turn:a.example", username: u, credential: c, secret: s}]')).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    );
  });
});

describe('printableConfig', () => {
  it('masks every secret and shows the rest', () => {
    const secrets = ['trunk', 'user', 'token-of-16-chars', 'hook', 'llm', 'db', 'turn', 'shared'].map(
      (name) => `hush-${name}`,
    );
    const config = load(
      JSON.stringify({
        sip: {
          trunks: [{ name: 't', password: secrets[0] }],
          users: [{ username: 'u', password: secrets[1] }],
        },
        http: { tokens: [{ token: secrets[2], scopes: ['read'] }] },
        webhooks: [{ url: 'https://x.example/h', secrets: [secrets[3]] }],
        engine: { llm: { baseUrl: 'https://llm.example/v1', model: 'm', apiKey: secrets[4] } },
        database: { url: `postgres://u:${secrets[5]}@db/x` },
        webrtc: {
          iceServers: [
            { urls: 'turn:x.example', username: 'u', credential: secrets[6] },
            { urls: 'turn:y.example', secret: secrets[7] },
          ],
        },
      }),
    );
    const text = printableConfig(config);
    for (const secret of secrets) expect(text).not.toContain(secret);
    expect(text).toContain('https://llm.example/v1');
    expect(text).toContain('********');
  });
});

describe('the environment', () => {
  it('reaches every key of the configuration by a name of its own', () => {
    const names = [...environmentVariables(configSchema).keys()];
    expect(names).toContain('TRUNKLINE_SIP_DRACHTIO_SECRET');
    expect(names).toContain('TRUNKLINE_ENGINE_LLM_API_KEY');
    expect(new Set(names).size).toBe(names.length);
    expect(names.every((name) => /^TRUNKLINE(_[A-Z0-9]+)+$/.test(name))).toBe(true);
  });
});

describe('trunkline.schema.json', () => {
  it('is what the schema says now', () => {
    expect(readFileSync(join(__dirname, '../trunkline.schema.json'), 'utf8')).toBe(configJsonSchema());
  });
});
