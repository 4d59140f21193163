import fc from 'fast-check';
import { authorization, parseChallenge } from '../../src/sip/digest';
import { parseReasons, q850Cause } from '../../src/sip/sip-reason';

describe('authorization', () => {
  const request = { method: 'GET', uri: '/dir/index.html' };
  const credentials = { username: 'Mufasa', password: 'Circle of Life' };

  it('gives the answers of RFC 7616 §3.9.1', () => {
    const challenge = (algorithm: string): string =>
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
    const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
    const md5 = parseChallenge(challenge('MD5'));
    const sha = parseChallenge(challenge('SHA-256'));
    if (md5 === undefined || sha === undefined) throw new Error('the challenge was not understood');
    expect(authorization(md5, credentials, request, cnonce)).toContain('response="8ca523f5e9506fed4657c9700eebdbec"');
    expect(authorization(sha, credentials, request, cnonce)).toContain(
      'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"',
    );
  });

  it('gives the answer of RFC 2617 without qop as RFC 2069 did', () => {
    const challenge = parseChallenge('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"');
    if (challenge === undefined) throw new Error('the challenge was not understood');
    const text = authorization(challenge, { username: 'Mufasa', password: 'Circle Of Life' }, request, 'x');
    expect(text).toContain('response="670fd8c2df070c60b045671b8b24ff02"');
    expect(text).not.toContain('qop');
  });
});

describe('parseChallenge', () => {
  it('takes the strongest of several, whatever commas and quotes are in them', () => {
    const challenge = parseChallenge(
      'Basic realm="x", Digest realm="a, b", nonce="n\\"1", algorithm=MD5, DIGEST realm="c", nonce="2", algorithm="SHA-256", qop="auth,auth-int", stale=TRUE',
    );
    expect(challenge).toMatchObject({ realm: 'c', nonce: '2', algorithm: 'SHA-256', qopAuth: true, stale: true });
    expect(parseChallenge('Digest realm="a, b", nonce="n\\"1"')).toMatchObject({
      realm: 'a, b',
      nonce: 'n"1',
      qopAuth: false,
    });
  });

  it.each([
    '',
    'Basic realm="x"',
    'Digest realm="x"',
    'Digest realm="x", nonce="1", algorithm=SHA-512',
    'Digest realm="x", nonce="1", qop="auth-int"',
  ])('has no answer to %s', (header) => expect(parseChallenge(header)).toBeUndefined());

  it('never throws', () => {
    const piece = fc.oneof(
      fc.constantFrom('Digest ', 'realm="x"', 'nonce="', ',', '"', '\\', 'qop=auth', '='),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => void parseChallenge(pieces.join(''))),
      { numRuns: 500 },
    );
  });
});

describe('the Reason header', () => {
  it('is read value by value', () => {
    expect(parseReasons('SIP;cause=486;text="Busy Here", Q.850;cause=17;text="User busy"')).toEqual([
      { protocol: 'SIP', cause: 486, text: 'Busy Here' },
      { protocol: 'Q.850', cause: 17, text: 'User busy' },
    ]);
    expect(q850Cause('SIP;cause=200, q.850;cause=16')).toBe(16);
  });

  it.each([
    undefined,
    '',
    'Q.850',
    'Q.850;cause=0',
    'Q.850;cause=999',
    'Q.850;cause=x',
    'Q.850;cause="',
    'SIP;cause=16',
  ])('%s names no Q.850 cause', (header) => {
    expect(q850Cause(header)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseReasons(text)));
  });
});
