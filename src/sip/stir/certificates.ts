/**
 * Whom a PASSporT's signature is believed from: the certificates of a folder, and, only where the operator wants it, those
 * that are fetched (RFC 8226, RFC 5280 §6 as far as it is needed: issuers, signatures, dates).
 */
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TrunklineError } from '../../core/errors';

export interface StirCertificatesOptions {
  /** PEM files: authorities, and certificates of callers, which are believed as they are. */
  readonly folder: string;
  /** Rejects when there is nothing, or when it must not be asked for. Left out: nothing is ever fetched. */
  readonly fetch?: ((url: string) => Promise<string>) | undefined;
  /** Wall time in milliseconds. */
  readonly nowMs: () => number;
}

export type FoundCertificates =
  | { readonly kind: 'found'; readonly certificates: readonly X509Certificate[] }
  /** There is none to be had (RFC 8224: 436). */
  | { readonly kind: 'unavailable' }
  /** There is one, and nobody we believe stands behind it (437). */
  | { readonly kind: 'untrusted' };

const maxFiles = 256;
const maxChain = 6;
const maxFetched = 256;
const keepMs = 24 * 3_600_000;
const keepFailureMs = 60_000;

export class StirCertificates {
  private readonly authorities: readonly X509Certificate[];
  private readonly callers: readonly { readonly file: string; readonly certificate: X509Certificate }[];
  private readonly fetched = new Map<string, { readonly text: Promise<string | undefined>; untilMs: number }>();

  /** Throws `sip.bad-stir-files`. */
  constructor(private readonly options: StirCertificatesOptions) {
    const read = readFolder(options.folder);
    this.authorities = read.filter(({ certificate }) => certificate.ca).map(({ certificate }) => certificate);
    this.callers = read.filter(({ certificate }) => !certificate.ca);
  }

  /** By the name of its file where that is the last part of the URL, else whatever the folder has; fetched last. */
  async find(url: string): Promise<FoundCertificates> {
    const name = basename(new URL(url).pathname);
    const named = this.callers.filter(({ file }) => file === name);
    const own = (named.length > 0 ? named : this.callers)
      .map(({ certificate }) => certificate)
      .filter((one) => this.isCurrent(one));
    if (named.length > 0) return own.length > 0 ? found(own) : { kind: 'untrusted' };
    if (this.options.fetch !== undefined) {
      const text = await this.fetchOnce(url, this.options.fetch);
      const chain = text === undefined ? [] : certificatesIn(text);
      const leaf = chain[0];
      if (leaf !== undefined)
        return this.isTrusted(leaf, chain.slice(1)) ? found([leaf, ...own]) : { kind: 'untrusted' };
    }
    return own.length > 0 ? found(own) : { kind: 'unavailable' };
  }

  private fetchOnce(url: string, fetch: (url: string) => Promise<string>): Promise<string | undefined> {
    const nowMs = this.options.nowMs();
    const known = this.fetched.get(url);
    if (known !== undefined && known.untilMs > nowMs) return known.text;
    const entry = { text: fetch(url).catch(() => undefined), untilMs: nowMs + keepMs };
    void entry.text.then((text) => {
      if (text === undefined) entry.untilMs = this.options.nowMs() + keepFailureMs;
    });
    this.fetched.delete(url);
    this.fetched.set(url, entry);
    const oldest = this.fetched.keys().next();
    if (this.fetched.size > maxFetched && oldest.done !== true) this.fetched.delete(oldest.value);
    return entry.text;
  }

  private isTrusted(leaf: X509Certificate, between: readonly X509Certificate[]): boolean {
    let current = leaf;
    for (let step = 0; step < maxChain; step++) {
      if (!this.isCurrent(current) || (step > 0 && !current.ca)) return false;
      const root = this.authorities.find((one) => isIssuedBy(current, one) && this.isCurrent(one));
      if (root !== undefined) return true;
      const next = between.find((one) => isIssuedBy(current, one));
      if (next === undefined) return false;
      current = next;
    }
    return false;
  }

  private isCurrent(certificate: X509Certificate): boolean {
    const nowMs = this.options.nowMs();
    return Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
  }
}

function found(certificates: readonly X509Certificate[]): FoundCertificates {
  return { kind: 'found', certificates };
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function readFolder(folder: string): { readonly file: string; readonly certificate: X509Certificate }[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.(pem|crt|cer)$/i.test(name))
      .sort()
      .slice(0, maxFiles)
      .flatMap((file) =>
        certificatesIn(readFileSync(join(folder, file), 'utf8'), true).map((certificate) => ({ file, certificate })),
      );
  } catch (cause) {
    throw new TrunklineError('sip.bad-stir-files', 'The files of sip.stir cannot be used.', {
      fix: 'trust must be a folder of PEM files with certificates; key a PEM file with a P-256 key.',
      cause,
    });
  }
}

/** Of a PEM text; what is none is left out, or thrown about if `strict`. */
function certificatesIn(text: string, strict = false): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,16384}-----END CERTIFICATE-----/g) ?? [];
  const certificates: X509Certificate[] = [];
  for (const block of blocks.slice(0, maxChain)) {
    try {
      certificates.push(new X509Certificate(block));
    } catch (error) {
      if (strict) throw error;
    }
  }
  return certificates;
}
