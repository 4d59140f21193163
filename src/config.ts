/** The effective configuration: trunkline.yaml, over it the environment, over that the flags. The sole reader of process.env. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { type Environment, originOf, overlayEnvironment } from './config/environment';
import { masked } from './config/masked';
import { type Config, configSchema } from './config/schema';
import { fileKeyOf, readSecretFiles, secretsIn } from './config/secrets';
import { faultLine, faultsError, readCheckedYaml } from './core/checked-yaml';
import { describeIssues, pathText } from './core/described-issues';
import { TrunklineError } from './core/errors';
import { systemErrorCode } from './core/system-error';

export { keysNotActedUpon } from './config/not-yet';
export type { Config } from './config/schema';
export { portBounds } from './config/schema';

const usualFile = 'trunkline.yaml';

export interface ConfigSource {
  /** From `--config`; then it must exist. Without it, trunkline.yaml of the folder is read if it is there. */
  readonly file?: string | undefined;
  /** From `--engine`. */
  readonly engine?: string | undefined;
  /** Told which secrets stand in the file itself, by their paths. */
  readonly onLiteralSecrets?: (paths: readonly string[]) => void;
  readonly environment?: Environment;
  readonly folder?: string;
}

export function loadConfig(source: ConfigSource = {}): Config {
  const environment = source.environment ?? process.env;
  const folder = source.folder ?? process.cwd();
  const named = source.file ?? environment['TRUNKLINE_CONFIG'];
  const file = named ?? usualFile;
  const text = readConfigFile(resolve(folder, file), named !== undefined);
  // First against "any mapping", so that the environment may complete what the file leaves out.
  const anyMapping = z.record(z.string(), z.unknown(), { error: 'Expected a mapping of keys.' });
  const raw = readCheckedYaml(text, file, anyMapping);
  if (!raw.ok) throw faultsError('config.invalid', raw.faults, 'Correct the file at that line.');
  const { values, origins } = overlayEnvironment(configSchema, raw.value, environment, (path) =>
    readSecretFile(resolve(folder, path)),
  );
  const literal = secretsIn(configSchema, raw.value).map(({ path }) => pathText(path));
  if (literal.length > 0) source.onLiteralSecrets?.(literal);
  readSecretFiles(configSchema, values, (path) => readSecretFile(resolve(folder, path)));
  if (source.engine !== undefined) withEngine(values, source.engine);
  const parsed = configSchema.safeParse(values);
  if (parsed.success) {
    checkTogether(parsed.data);
    return parsed.data;
  }
  const lines = describeIssues(configSchema, parsed.error.issues, values).map(({ path, message }) => {
    const variable = originOf(origins, path);
    if (variable !== undefined) return `${variable}: ${pathText(path)}: ${message}`;
    if (source.engine !== undefined && pathText(path) === 'engine.name') return `--engine: ${message}`;
    return faultLine({ file, line: raw.lineOf(path), path: pathText(path), message });
  });
  throw new TrunklineError('config.invalid', lines.join('\n'), {
    fix: 'Correct the value there; docs/operations.md lists the keys.',
  });
}

/** For secrets that a dialplan names. */
export function environmentValue(name: string): string | undefined {
  return process.env[name];
}

/** The variables of `environment` that `trunkline calls` and its like need: where to look, and with which token. */
export function tokenFromEnvironment(environment: Environment = process.env): string | undefined {
  return environment['TRUNKLINE_TOKEN'];
}

/** PATH and the like for child programs: the only way that the environment leaves this file. */
export function environmentVariable(
  name: 'PATH' | 'NO_COLOR',
  environment: Environment = process.env,
): string | undefined {
  return environment[name];
}

/**
 * ONNX Runtime (1.30 and later, on Linux too) writes a device id into the home folder and reports its use to its maker
 * over HTTPS. Nothing of ours leaves the machine unasked, so this comes before the library is loaded; threads and
 * children inherit it.
 */
export function forbidTelemetry(environment: NodeJS.ProcessEnv = process.env): void {
  environment['ORT_DISABLE_TELEMETRY'] = '1';
}

/** The secrets themselves, so that whoever writes for people can leave them out. */
export function secretValues(config: Config): string[] {
  return secretsIn(configSchema, config).map(({ value }) => value);
}

export function printableConfig(config: Config): string {
  return stringify(masked(configSchema, config), { lineWidth: 0 });
}

/** What editors check trunkline.yaml against; `trunkline.schema.json` in the repository is this text. */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      Reflect.deleteProperty(jsonSchema, 'secret');
      if (zodSchema instanceof z.ZodObject) withFileKeys(zodSchema, jsonSchema);
    },
  });
  return `${JSON.stringify({ title: 'trunkline.yaml', ...schema }, null, 2)}\n`;
}

/** `passwordFile` beside `password`, of which one is enough. */
function withFileKeys(schema: z.ZodObject, described: z.core.JSONSchema.BaseSchema): void {
  for (const key of Object.keys(schema.shape)) {
    const fileKey = fileKeyOf(schema, key);
    if (fileKey === undefined) continue;
    described.properties = {
      ...described.properties,
      [fileKey]: { type: 'string', description: `Path of a file that holds ${key}.` },
    };
    described.required = described.required?.filter((name) => name !== key);
    if (described.required?.length === 0) Reflect.deleteProperty(described, 'required');
  }
}

function readConfigFile(path: string, mustExist: boolean): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const absent = systemErrorCode(error) === 'ENOENT';
    if (absent && !mustExist) return '';
    throw new TrunklineError('config.unreadable', `The configuration ${path} cannot be read.`, {
      fix: absent ? 'Name a file that exists with --config.' : 'Give the agent permission to read it.',
      cause: error,
    });
  }
}

function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new TrunklineError('config.secret-unreadable', `The secret file ${path} cannot be read.`, {
      fix: 'Create it, or give the agent permission to read it.',
      cause: error,
    });
  }
}

function withEngine(values: unknown, name: string): void {
  if (typeof values !== 'object' || values === null) return;
  const engine: unknown = Reflect.get(values, 'engine');
  Reflect.set(values, 'engine', typeof engine === 'object' ? { ...engine, name } : { name });
}

/** What no single key can say by itself. */
function checkTogether(config: Config): void {
  const wants = (transport: 'tls' | 'wss'): boolean => config.sip.transports.includes(transport);
  if ((wants('tls') || wants('wss')) && config.sip.tls === undefined) {
    throw new TrunklineError('config.invalid', 'sip.transports: tls and wss need sip.tls {cert, key}.', {
      fix: 'Add sip.tls, or take tls and wss out of sip.transports.',
    });
  }
  if ((config.sip.stir?.key === undefined) !== (config.sip.stir?.certificateUrl === undefined)) {
    throw new TrunklineError('config.invalid', 'sip.stir: key and certificateUrl belong together.', {
      fix: 'Give both to sign outgoing calls, or neither.',
    });
  }
  const names = [...config.sip.trunks, ...config.sip.registrations].map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new TrunklineError('config.invalid', `sip.trunks and sip.registrations: ${twice} is named twice.`, {
      fix: 'Give each trunk and each registration a name of its own.',
    });
  }
  for (const { name, proxy, qualifySeconds, fallback } of config.sip.trunks) {
    if (qualifySeconds !== undefined && proxy === undefined) {
      throw new TrunklineError('config.invalid', `sip.trunks: ${name} has qualifySeconds and no proxy to ask.`, {
        fix: 'Name its proxy, or leave qualifySeconds out.',
      });
    }
    if (fallback !== undefined && (!names.includes(fallback) || fallback === name)) {
      throw new TrunklineError('config.invalid', `sip.trunks: the fallback of ${name} can never be taken.`, {
        fix: 'Name another trunk or registration as fallback.',
      });
    }
  }
  if (config.sip.drachtio !== undefined && config.sip.drachtioSecret === undefined) {
    throw new TrunklineError('config.invalid', 'sip.drachtio needs sip.drachtioSecret.', {
      fix: 'Set TRUNKLINE_SIP_DRACHTIO_SECRET or TRUNKLINE_SIP_DRACHTIO_SECRET_FILE.',
    });
  }
  const [rtpFrom, rtpTo] = config.rtp.ports.split('-').map(Number);
  const [webrtcFrom, webrtcTo] = config.webrtc.ports.split('-').map(Number);
  if (rtpFrom! <= webrtcTo! && webrtcFrom! <= rtpTo!) {
    throw new TrunklineError('config.invalid', 'rtp.ports and webrtc.ports overlap.', {
      fix: 'Give each its own range of ports.',
    });
  }
}
