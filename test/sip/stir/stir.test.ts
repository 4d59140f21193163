/** STIR/SHAKEN: statements made here, made wrong, and carried between two agents. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SystemClock } from '../../../src/core/clock';
import { silentLogger } from '../../../src/core/log';
import { SrfUserAgent } from '../../../src/sip/srf-user-agent';
import { StirCertificates } from '../../../src/sip/stir/certificates';
import { canonicalNumber, parseIdentity, signIdentity } from '../../../src/sip/stir/passport';
import { Stir, type StirOptions } from '../../../src/sip/stir/stir';
import { type CallIdentity, IdentityVerifier } from '../../../src/sip/stir/verifier';
import { makeCertificate } from '../../support/certificates';
import { sdpBody } from '../embedded/endpoint-driver';

const withOpenssl = spawnSync('openssl', ['version']).error === undefined ? it : it.skip;

const at = new Date('2026-03-01T12:00:00Z');
const from = new Date('2026-01-01T00:00:00Z');
const to = new Date('2027-01-01T00:00:00Z');
const authority = makeCertificate({ name: 'STI-CA', authority: true, from, to });
const carrier = makeCertificate({ name: 'SHAKEN 1234', issuer: authority, from, to });
const stranger = makeCertificate({
  name: 'SHAKEN 9999',
  issuer: makeCertificate({ name: 'Other', authority: true }),
  from,
  to,
});
const certificateUrl = 'https://certificates.example/shaken/carrier.pem';

const folders: string[] = [];
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-stir-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function statement(more: Partial<Parameters<typeof signIdentity>[0]> = {}, key = carrier.key): string {
  const usual = {
    from: '+1 202-555-0100',
    to: '+12025550199',
    attestation: 'A' as const,
    originId: 'o-1',
    at,
    certificateUrl,
  };
  return signIdentity({ ...usual, ...more }, key) ?? '';
}

interface Checking {
  readonly files?: Readonly<Record<string, string>>;
  readonly fetch?: (url: string) => Promise<string>;
  readonly nowMs?: number;
}

function verifier({ files = { 'carrier.pem': carrier.certificate }, fetch, nowMs = at.getTime() }: Checking = {}) {
  const now = (): number => nowMs;
  return new IdentityVerifier(new StirCertificates({ folder: folderOf(files), fetch, nowMs: now }), now);
}

function check(identity: string | undefined, given: Checking = {}, claim = {}): Promise<CallIdentity> {
  const usual = { callId: 'call-1', identity, from: '+12025550100', to: '12025550199' };
  return verifier(given).verify({ ...usual, ...claim });
}

describe('a statement of who calls', () => {
  it('holds: its attestation and origin are told', async () => {
    expect(await check(statement())).toEqual({ status: 'valid', attestation: 'A', originId: 'o-1' });
    expect(await check(statement({ attestation: 'C' }))).toMatchObject({ attestation: 'C' });
  });

  it.each([
    ['another caller', 'wrong-caller', statement(), {}, { from: '+12025550111' }],
    ['another callee', 'wrong-callee', statement(), {}, { to: '100' }],
    ['a minute ago and more', 'stale', statement({ at: new Date(at.getTime() - 61_000) }), {}, {}],
    ['a minute ahead and more', 'stale', statement({ at: new Date(at.getTime() + 61_000) }), {}, {}],
    ['somebody else’s key', 'signature', statement({}, stranger.key), {}, {}],
    ['no certificate that we have', 'certificate-unavailable', statement(), { files: {} }, {}],
    [
      'a certificate that has ended',
      'certificate-untrusted',
      statement({ at: new Date(to.getTime() + 1000) }),
      { nowMs: to.getTime() + 1000 },
      {},
    ],
    ['a token cut short', 'malformed', statement().slice(40), {}, {}],
    [
      'another address outside than inside',
      'malformed',
      statement().replace('info=<https://certificates', 'info=<https://other'),
      {},
      {},
    ],
    ['no ppt', 'malformed', statement().replace(';ppt=shaken', ''), {}, {}],
  ])('does not hold that is of %s: %s', async (_what, reason, identity, given, claim) => {
    // Nothing that it claims is repeated.
    expect(await check(identity, given, claim)).toEqual({ status: 'invalid', reason });
  });

  it('does not hold when a claim was changed after it was signed', async () => {
    const whole = statement({ attestation: 'C' });
    const body = whole.split('.')[1] ?? '';
    const claims = Buffer.from(body, 'base64url').toString().replace('"attest":"C"', '"attest":"A"');
    const forged = whole.replace(body, Buffer.from(claims).toString('base64url'));
    expect(await check(forged)).toEqual({ status: 'invalid', reason: 'signature' });
  });

  it('holds for one call only', async () => {
    const once = verifier();
    const claim = { identity: statement(), from: '12025550100', to: '12025550199' };
    expect(await once.verify({ ...claim, callId: 'one' })).toMatchObject({ status: 'valid' });
    // The same INVITE with credentials.
    expect(await once.verify({ ...claim, callId: 'one' })).toMatchObject({ status: 'valid' });
    expect(await once.verify({ ...claim, callId: 'two' })).toEqual({ status: 'invalid', reason: 'replayed' });
  });

  it('may stand beside others', async () => {
    expect(await check(`${statement({}, stranger.key)}, ${statement()}`)).toMatchObject({ status: 'valid' });
  });

  it('may be missing', async () => {
    expect(await check(undefined)).toEqual({ status: 'absent', reason: 'missing' });
  });

  it('is not believed, and breaks nothing, whatever it is', () => {
    const parts = fc.constantFrom(
      '.',
      ';',
      'info=<',
      '>',
      'ppt=shaken',
      'eyJhIjoxfQ',
      '=',
      '"',
      ...statement().split('.'),
    );
    return fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ maxLength: 300 }),
          fc.array(parts, { maxLength: 9 }).map((all) => all.join('')),
        ),
        async (text) => {
          parseIdentity(text);
          expect((await check(text)).status).not.toBe('valid');
        },
      ),
      { numRuns: 60 },
    );
  });

  withOpenssl('is signed in ES256 as openssl understands it', () => {
    const passport = parseIdentity(statement())!;
    const half = (at: number): Buffer => {
      const bytes = passport.signature.subarray(at, at + 32);
      const padded = (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
      return Buffer.concat([Buffer.from([2, padded.length]), padded]);
    };
    const body = Buffer.concat([half(0), half(32)]);
    const folder = folderOf({ 'carrier.pem': carrier.certificate, signed: passport.signed });
    writeFileSync(join(folder, 'signature'), Buffer.concat([Buffer.from([0x30, body.length]), body]));
    const key = spawnSync('openssl', ['x509', '-in', join(folder, 'carrier.pem'), '-pubkey', '-noout']).stdout;
    writeFileSync(join(folder, 'key.pem'), key);
    const verified = spawnSync('openssl', [
      'dgst',
      '-sha256',
      '-verify',
      join(folder, 'key.pem'),
      '-signature',
      join(folder, 'signature'),
      join(folder, 'signed'),
    ]);
    expect(verified.stdout.toString()).toContain('Verified OK');
  });

  it('is made for telephone numbers alone', () => {
    expect(
      signIdentity({ from: 'alice', to: '100', attestation: 'A', originId: 'o', at, certificateUrl }, carrier.key),
    ).toBeUndefined();
    expect(canonicalNumber('+1 (202) 555-0100')).toBe('12025550100');
    expect(canonicalNumber('+')).toBeUndefined();
  });
});

describe('certificates that are fetched', () => {
  const files = { 'root.pem': authority.certificate };

  it('are believed when an authority in the folder stands behind them, and asked for once', async () => {
    let fetched = 0;
    const fetch = async (): Promise<string> => {
      fetched++;
      return carrier.certificate;
    };
    const one = verifier({ files, fetch });
    const claim = { from: '12025550100', to: '12025550199' };
    for (const originId of ['1', '2']) {
      const identity = statement({ originId });
      expect(await one.verify({ ...claim, callId: originId, identity })).toMatchObject({ status: 'valid' });
    }
    expect(fetched).toBe(1);
  });

  it('are not, without one, however good the signature', async () => {
    const fetch = async (): Promise<string> => stranger.certificate;
    expect(await check(statement({}, stranger.key), { files, fetch })).toMatchObject({
      reason: 'certificate-untrusted',
    });
  });

  it('are not when what should stand behind them may not sign others', async () => {
    const middle = makeCertificate({ name: 'No authority', issuer: authority, from, to });
    const leaf = makeCertificate({ name: 'leaf', issuer: middle, from, to });
    const fetch = async (): Promise<string> => leaf.certificate + middle.certificate;
    expect(await check(statement({}, leaf.key), { files, fetch })).toMatchObject({ reason: 'certificate-untrusted' });
  });

  it('may be out of reach', async () => {
    const fetch = (): Promise<string> => Promise.reject(new Error('no'));
    expect(await check(statement(), { files, fetch })).toMatchObject({ reason: 'certificate-unavailable' });
  });
});

describe('two agents', () => {
  const opened: SrfUserAgent[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.stop();
  });

  function stir(more: Partial<StirOptions> = {}): Stir {
    const files = folderOf({ 'carrier.pem': carrier.certificate });
    const usual = {
      onInvalid: 'refuse',
      required: true,
      attestation: 'B',
      now: () => at,
      newId: () => 'origin',
    } as const;
    return new Stir({ ...usual, trust: files, ...more });
  }

  async function agent(signer?: Stir): Promise<SrfUserAgent> {
    const made = new SrfUserAgent({
      listen: { host: '127.0.0.1', port: 0 },
      clock: new SystemClock(),
      log: silentLogger,
      userAgentName: 'Trunkline test',
      ...(signer === undefined ? {} : { signedHeaders: (call) => signer.headersFor(call) }),
    });
    opened.push(made);
    await made.start();
    return made;
  }

  it('sign and believe each other; a call that is not signed gets 428', async () => {
    const callee = await agent();
    const checker = stir();
    const seen: CallIdentity[] = [];
    callee.onInvite((invite) => {
      void checker.check(invite).then((checked) => {
        if (checked !== undefined) seen.push(checked.identity);
        if (checked?.refuse === undefined) void invite.accept(sdpBody);
        else invite.reject(checked.refuse);
      });
    });
    const key = join(folderOf({ 'key.pem': carrier.key }), 'key.pem');
    const signing = await agent(stir({ key, certificateUrl }));
    const to = `sip:+12025550199@127.0.0.1:${callee.local[0]?.port}`;
    const { dialog } = await signing.invite({ to, from: '+12025550100', offerSdp: sdpBody });
    expect(seen).toEqual([{ status: 'valid', attestation: 'B', originId: 'origin' }]);
    await dialog.bye();
    const silent = (await agent()).invite({ to, from: '+12025550100', offerSdp: sdpBody });
    await expect(silent).rejects.toMatchObject({ details: { status: 428 } });
  });

  it('do not start with a key of another kind, or a folder that is not there', () => {
    const key = join(folderOf({ 'key.pem': 'hello' }), 'key.pem');
    expect(() => stir({ key, certificateUrl })).toThrow(expect.objectContaining({ code: 'sip.bad-stir-files' }));
    expect(() => stir({ trust: '/nowhere' })).toThrow(expect.objectContaining({ code: 'sip.bad-stir-files' }));
  });
});
