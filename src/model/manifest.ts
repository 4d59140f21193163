/**
 * A model's folder: `manifest.json` says which files belong to it, with their size and sha256, where they came from and
 * under which licence; no byte is used before its sum was checked. A file above 48 MB is kept as shards `x.onnx.000`,
 * `x.onnx.001` … and read as one.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { TrunklineError } from '../core/errors';

const manifestSchema = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  description: z.string(),
  licence: z.string().min(1),
  /** The packages that the weights were made from. */
  sources: z
    .array(
      z.object({
        package: z.string(),
        version: z.string(),
        licence: z.string(),
        sha256: z.string().optional(),
        note: z.string().optional(),
      }),
    )
    .min(1),
  /** The command of the recipe that makes these files. */
  recipe: z.string(),
  files: z
    .array(
      z.object({
        path: z.string().regex(/^(?!.*\.\.)[\w-][\w./-]*$/, 'a relative path inside the model folder'),
        bytes: z.number().int().nonnegative(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .min(1),
  /** Rates, shapes, token ids: whatever the family's own schema asks for. */
  parameters: z.record(z.string(), z.unknown()).default({}),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestFile = Manifest['files'][number];

export interface ModelFolder {
  readonly path: string;
  readonly manifest: Manifest;
  /** The parameters, held to the family's schema. */
  parameters<T>(schema: z.ZodType<T>): T;
  has(name: string): boolean;
  /** The verified bytes of `name`, its shards joined. */
  read(name: string): Promise<Uint8Array>;
  readText(name: string): Promise<string>;
  /** Checks size and sum of every file of the manifest; throws at the first that is missing or damaged. */
  verify(): Promise<void>;
}

export async function openModelFolder(path: string): Promise<ModelFolder> {
  const manifestPath = join(path, 'manifest.json');
  let text: string;
  try {
    text = await readFile(manifestPath, 'utf8');
  } catch (cause) {
    throw missing(manifestPath, cause);
  }
  return new VerifiedFolder(path, parseManifest(text, manifestPath));
}

export function parseManifest(text: string, label: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw badManifest(label, 'it is not JSON', cause);
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw badManifest(label, firstIssue(parsed.error), parsed.error);
  return parsed.data;
}

class VerifiedFolder implements ModelFolder {
  constructor(
    readonly path: string,
    readonly manifest: Manifest,
  ) {}

  parameters<T>(schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(this.manifest.parameters);
    if (!parsed.success) {
      throw badManifest(join(this.path, 'manifest.json'), `parameters: ${firstIssue(parsed.error)}`, parsed.error);
    }
    return parsed.data;
  }

  has(name: string): boolean {
    return this.partsOf(name).length > 0;
  }

  async read(name: string): Promise<Uint8Array> {
    const parts = this.partsOf(name);
    if (parts.length === 0) {
      throw new TrunklineError('models.unknown-file', `The manifest of ${this.manifest.name} has no file ${name}.`, {
        fix: 'Weights and program belong to different versions: check out both from one commit.',
      });
    }
    if (parts.length === 1) return this.readVerified(parts[0]!);
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes, 0));
    let offset = 0;
    for (const part of parts) {
      whole.set(await this.readVerified(part), offset);
      offset += part.bytes;
    }
    return whole;
  }

  async readText(name: string): Promise<string> {
    return new TextDecoder().decode(await this.read(name));
  }

  async verify(): Promise<void> {
    for (const file of this.manifest.files) await this.readVerified(file);
  }

  private partsOf(name: string): ManifestFile[] {
    const whole = this.manifest.files.filter((file) => file.path === name);
    if (whole.length > 0) return whole;
    return this.manifest.files
      .filter((file) => file.path.startsWith(`${name}.`) && /^\d{3}$/.test(file.path.slice(name.length + 1)))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  private async readVerified(file: ManifestFile): Promise<Uint8Array> {
    const path = join(this.path, file.path);
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path);
    } catch (cause) {
      throw missing(path, cause);
    }
    if (bytes.length !== file.bytes) throw corrupt(path, `it has ${bytes.length} bytes instead of ${file.bytes}`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (sha256 !== file.sha256) throw corrupt(path, 'its sha256 is not the one in the manifest');
    return bytes;
  }
}

function missing(path: string, cause: unknown): TrunklineError {
  return new TrunklineError('models.missing-file', `The model file ${path} is missing or cannot be read.`, {
    cause,
    fix: 'Restore it with `git checkout -- models`, then `npx trunkline models verify`.',
    details: { path },
  });
}

function corrupt(path: string, why: string): TrunklineError {
  return new TrunklineError('models.corrupt-file', `The model file ${path} is damaged: ${why}.`, {
    fix: 'Restore it with `git checkout -- models`, then `npx trunkline models verify`.',
    details: { path },
  });
}

function badManifest(label: string, why: string, cause: unknown): TrunklineError {
  return new TrunklineError('models.bad-manifest', `${label} is no valid manifest: ${why}.`, {
    cause,
    fix: 'Restore it with `git checkout -- models`, or write it again with the recipe that made the model.',
  });
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'unknown' : `${issue.path.join('.') || 'top level'}: ${issue.message}`;
}
