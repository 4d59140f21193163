/**
 * Certificate and key files of sip.tls, read anew when they change (by looking at them, which also sees the symbolic links
 * that secret stores swap) or when told to; whatever cannot be used leaves the old ones in force.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, rootCertificates } from 'node:tls';
import type { Clock, Timer } from '../../core/clock';
import { TrunklineError } from '../../core/errors';
import type { Logger } from '../../core/log';

const lookEveryMs = 10_000;

/** Paths of PEM files. */
export interface TlsFiles {
  /** The chain, our own certificate first. Without it and its key we connect to others, and nobody to us. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** When given, whoever connects must show a certificate of one of these authorities. */
  readonly ca?: string | undefined;
  /** Authorities of servers that we connect to, beside those that Node knows. */
  readonly trust?: string | undefined;
}

export interface TlsMaterial {
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly ca: Buffer | undefined;
  /** Undefined: those that Node knows. */
  readonly trust: readonly (string | Buffer)[] | undefined;
  /** Milliseconds since 1970 at which our certificate ends. */
  readonly expiresAt: number | undefined;
}

export interface TlsCredentialsOptions {
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly log: Logger;
}

export class TlsCredentials {
  private current: TlsMaterial;
  private stamps: string;
  private timer: Timer | undefined;
  private readonly listeners = new Set<(material: TlsMaterial) => void>();
  readonly counters = { reloads: 0, failedReloads: 0 };

  /** Throws `sip.bad-certificate`. */
  constructor(private readonly options: TlsCredentialsOptions) {
    this.stamps = this.look();
    this.current = readMaterial(options.files);
    this.watch();
  }

  get material(): TlsMaterial {
    return this.current;
  }

  onChange(run: (material: TlsMaterial) => void): void {
    this.listeners.add(run);
  }

  /** True when what the files hold is in force now. */
  reload(): boolean {
    this.stamps = this.look();
    try {
      this.current = readMaterial(this.options.files);
    } catch (error) {
      this.counters.failedReloads++;
      const code = error instanceof TrunklineError ? error.code : 'sip.bad-certificate';
      this.options.log.warn('the new certificate cannot be used: the old one stays', { code, error: String(error) });
      return false;
    }
    this.counters.reloads++;
    this.options.log.info('the SIP certificate was read anew', {
      expires: this.current.expiresAt === undefined ? undefined : new Date(this.current.expiresAt).toISOString(),
    });
    for (const run of this.listeners) run(this.current);
    return true;
  }

  close(): void {
    this.timer?.cancel();
    this.listeners.clear();
  }

  private watch(): void {
    this.timer = this.options.clock.after(lookEveryMs, () => {
      if (this.look() !== this.stamps) this.reload();
      this.watch();
    });
  }

  private look(): string {
    const { cert, key, ca, trust } = this.options.files;
    return [cert, key, ca, trust].map((path) => (path === undefined ? '' : stampOf(path))).join(' ');
  }
}

function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'absent' : `${found.ino}:${found.size}:${found.mtimeMs}`;
}

function readMaterial(files: TlsFiles): TlsMaterial {
  try {
    const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
    const cert = read(files.cert);
    const key = read(files.key);
    const ca = read(files.ca);
    const trust = files.trust === undefined ? undefined : [...rootCertificates, readFileSync(files.trust)];
    // Says so when certificate and key do not belong together, or when one of them is something else.
    createSecureContext({ cert, key, ca });
    if (trust !== undefined) createSecureContext({ ca: trust.slice(-1) });
    const expiresAt = cert === undefined ? undefined : Date.parse(new X509Certificate(cert).validTo);
    return { cert, key, ca, trust, expiresAt };
  } catch (cause) {
    throw new TrunklineError('sip.bad-certificate', 'The certificate files of sip.tls cannot be used.', {
      fix: 'cert and key must be PEM files that belong together; ca and trust PEM files of authorities.',
      cause,
      details: { cert: files.cert, because: cause instanceof Error ? cause.message : String(cause) },
    });
  }
}
