import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { ManualClock } from '../../src/core/clock';
import { authorization, parseChallenge, parseCredentials, splitChallenges } from '../../src/sip/digest';
import { DigestGuard } from '../../src/sip/digest-guard';

const here = '192.0.2.1';
const request = { method: 'REGISTER', uri: 'sip:trunkline' };
let clock: ManualClock;
let guard: DigestGuard;
let drawn = 0;

beforeEach(() => {
  clock = new ManualClock();
  guard = new DigestGuard({
    realm: 'trunkline',
    algorithms: ['SHA-256', 'MD5'],
    passwords: new Map([['alice', ['secret', 'other']]]),
    clock,
    random: (bytes) =>
      createHash('sha256')
        .update(String(drawn++))
        .digest('hex')
        .slice(0, bytes * 2),
  });
});

function answer(
  password: string,
  more: { username?: string; count?: number; challenge?: string; uri?: string } = {},
): string {
  const challenge = parseChallenge(more.challenge ?? guard.challenge(here));
  if (challenge === undefined) throw new Error('no challenge');
  return authorization(
    challenge,
    { username: more.username ?? 'alice', password },
    { ...request, ...(more.uri === undefined ? {} : { uri: more.uri }) },
    'c0ffee',
    more.count,
  );
}

const check = (header: string | undefined, source = here) => guard.check(header, request, source).kind;

describe('the digest guard', () => {
  it('asks in SHA-256 and in MD5, each a line of its own, the stronger first', () => {
    const lines = splitChallenges(guard.challenge(here));
    expect(lines.map((line) => parseChallenge(line)?.algorithm)).toEqual(['SHA-256', 'MD5']);
    expect(lines.every((line) => line.includes('qop="auth"'))).toBe(true);
  });

  it.each([0, 1])('lets a right answer pass, whichever algorithm was chosen (%s)', (line) => {
    expect(check(answer('secret', { challenge: splitChallenges(guard.challenge(here))[line]! }))).toBe('passed');
    expect(check(answer('other'))).toBe('passed');
  });

  it('treats a wrong password, an unknown name, and a nonce that it never gave alike', () => {
    expect(check(answer('guess'))).toBe('wrong');
    expect(check(answer('secret', { username: 'bob' }))).toBe('wrong');
    const forged = guard.challenge(here).replace(/nonce="[^"]+"/g, 'nonce="0.00.00"');
    expect(check(answer('secret', { challenge: forged }))).toBe('wrong');
    expect(check(undefined)).toBe('absent');
  });

  it('does not take an answer that was meant for another request', () => {
    expect(check(answer('secret', { uri: 'sip:elsewhere' }))).toBe('wrong');
    expect(guard.check(answer('secret'), { ...request, method: 'INVITE' }, here).kind).toBe('wrong');
  });

  it('calls an answer stale that comes twice or too late, and takes the same nonce with a higher count', () => {
    const challenge = guard.challenge(here);
    expect(check(answer('secret', { challenge }))).toBe('passed');
    expect(check(answer('secret', { challenge }))).toBe('stale');
    expect(check(answer('secret', { challenge, count: 2 }))).toBe('passed');
    clock.advance(5 * 60_000 + 1);
    expect(check(answer('secret', { challenge, count: 3 }))).toBe('stale');
    expect(parseChallenge(guard.challenge(here, true))?.stale).toBe(true);
  });

  it('checks nothing any more for a minute from an address that guessed ten times, without saying so', () => {
    for (let guess = 0; guess < 10; guess++) expect(check(answer(`guess ${guess}`))).toBe('wrong');
    expect(check(answer('secret'))).toBe('wrong');
    expect(check(answer('secret', { challenge: guard.challenge('192.0.2.2') }), '192.0.2.2')).toBe('passed');
    clock.advance(60_001);
    expect(check(answer('secret'))).toBe('passed');
  });

  it('takes an answer from nowhere but where it asked, and locks nobody out for what others send in his name', () => {
    const elsewhere = guard.challenge('192.0.2.2');
    for (let guess = 0; guess < 20; guess++) {
      expect(check(answer('guess', { challenge: elsewhere }))).toBe('wrong');
    }
    expect(check(answer('secret', { challenge: elsewhere }))).toBe('wrong');
    expect(guard.counters).toMatchObject({ foreign: 21, wrong: 0, lockedOut: 0 });
    expect(check(answer('secret'))).toBe('passed');
  });

  it('is not moved by any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 400 }),
          fc
            .array(
              fc.constantFrom('Digest ', 'realm="trunkline"', 'nonce="x.y.z"', 'username=', '"', ',', 'nc=1', 'alice'),
              { maxLength: 30 },
            )
            .map((parts) => parts.join('')),
        ),
        (text) => {
          expect(['absent', 'wrong']).toContain(guard.check(text, request, 'x').kind);
          parseCredentials(text);
          splitChallenges(text);
        },
      ),
    );
  });
});
