/**
 * A model's folder: `manifest.json` says which files belong to it, with their size and sha256, where they came from and
 * under which licence; no byte is used before its sum was checked. A file above 48 MB is kept as shards `x.onnx.000`,
 * `x.onnx.001` … and read as one.
 */
import { webcrypto } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
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
  /** Checks size and sum of every file but those in `readAnyway`; rejects with one that is missing or damaged. */
  verify(readAnyway?: readonly string[]): Promise<void>;
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
    return Buffer.concat(await Promise.all(parts.map((part) => this.readVerified(part))));
  }

  async readText(name: string): Promise<string> {
    return new TextDecoder().decode(await this.read(name));
  }

  async verify(readAnyway: readonly string[] = []): Promise<void> {
    const files = this.manifest.files.filter(({ path }) => !readAnyway.includes(path));
    await Promise.all(files.map((file) => this.readVerified(file)));
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
    let bytes: Uint8Array | number;
    try {
      bytes = await readWhole(path, file.bytes);
    } catch (cause) {
      throw missing(path, cause);
    }
    if (typeof bytes === 'number') throw corrupt(path, `it has ${bytes} bytes instead of ${file.bytes}`);
    if ((await sha256Of(bytes)) !== file.sha256) throw corrupt(path, 'its sha256 is not the one in the manifest');
    return bytes;
  }
}

/** All bytes of a file of `size` bytes, in one read; its true size when it has another. */
async function readWhole(path: string, size: number): Promise<Uint8Array | number> {
  const file = await open(path);
  try {
    const found = (await file.stat()).size;
    if (found !== size) return found;
    // Not filled with zeros before, and no part of a shared pool: the runtime may keep it.
    const bytes = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await file.read(bytes, filled, size - filled, filled);
      if (bytesRead === 0) return filled;
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** On a thread of the pool: beside the next file's reading, and beside the models that open meanwhile. */
async function sha256Of(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');
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
