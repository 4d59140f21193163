/**
 * The certificate that we show in DTLS-SRTP (RFC 5763): made anew at each start, signed by itself, worth what the
 * fingerprint in SDP makes it worth. X.509 version 3 (RFC 5280) in DER (ITU-T X.690), ECDSA on P-256 with SHA-256.
 */
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { DtlsIdentity } from '../media/protocol';

const validDays = 365;
const dayMs = 24 * 3600 * 1000;

const ecdsaWithSha256 = sequence(tagged(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
const commonName = Buffer.from('550403', 'hex');

export interface IdentityWithFingerprint extends DtlsIdentity {
  /** `sha-256 AB:CD:…`, as `a=fingerprint` has it (RFC 8122 §5). */
  readonly fingerprint: string;
}

export function makeDtlsIdentity(now: Date): IdentityWithFingerprint {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const name = sequence(
    tagged(0x31, sequence(tagged(0x06, commonName), tagged(0x0c, Buffer.from('trunkline', 'utf8')))),
  );
  const serial = randomBytes(16);
  // Positive, and without a leading zero (X.690 §8.3.2).
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, serial),
    ecdsaWithSha256,
    name,
    sequence(utcTime(new Date(now.getTime() - dayMs)), utcTime(new Date(now.getTime() + validDays * dayMs))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = createSign('sha256').update(body).sign(privateKey);
  const certificate = sequence(body, ecdsaWithSha256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  const digest = createHash('sha256').update(certificate).digest('hex').toUpperCase();
  return {
    certificatePem: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: `sha-256 ${digest.match(/../g)!.join(':')}`,
  };
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** Tag, length (one byte below 128, else a count and the bytes), contents. */
function tagged(tag: number, contents: Buffer): Buffer {
  const { length } = contents;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), contents]);
}

/** `YYMMDDHHMMSSZ`, which means the years to 2049 (RFC 5280 §4.1.2.5.1). */
function utcTime(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`, 'latin1'));
}
