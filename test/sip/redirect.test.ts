import fc from 'fast-check';
import { redirectTargets, sameHost } from '../../src/sip/redirect';
import { uriIdentity } from '../../src/sip/uri';

describe('a redirect', () => {
  it('names places to try, the best first, never one that was tried', () => {
    const contact =
      '<sip:c@192.0.2.3>;q=0.1, "B, the second" <sip:b@192.0.2.2>;q=0.5, <sip:a@192.0.2.1>, <sip:old@192.0.2.9>';
    expect(redirectTargets(302, contact, new Set([uriIdentity('sip:old@192.0.2.9')]))).toEqual([
      'sip:a@192.0.2.1',
      'sip:b@192.0.2.2',
      'sip:c@192.0.2.3',
    ]);
  });

  // RFC 3261 §19.1.4 has these.
  it.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp', true],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5', true],
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP', false],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060', false],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp', false],
    ['sip:bob@biloxi.com', 'sips:bob@biloxi.com', false],
  ])('to %s leads to a place that was tried as %s: %p', (one, other, same) => {
    expect(redirectTargets(302, `<${one}>`, new Set([uriIdentity(other)]))).toHaveLength(same ? 0 : 1);
  });

  it('is not followed to a telephone number, a web page, a proxy or another service', () => {
    expect(redirectTargets(302, '<tel:+4930123>, <https://example.com/>', new Set())).toEqual([]);
    expect(redirectTargets(305, '<sip:proxy.example.com>', new Set())).toEqual([]);
    expect(redirectTargets(380, '<sip:a@192.0.2.1>', new Set())).toEqual([]);
    expect(redirectTargets(302, undefined, new Set())).toEqual([]);
  });

  it('is read from any Contact', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        redirectTargets(302, text, new Set());
      }),
    );
  });

  it('to another host gets no credentials of ours', () => {
    expect(sameHost('sip:a@Example.com:5070', 'sip:b@example.COM')).toBe(true);
    expect(sameHost('sip:a@example.com', 'sip:a@example.com.evil.test')).toBe(false);
    expect(sameHost('nonsense', 'nonsense')).toBe(false);
  });
});
