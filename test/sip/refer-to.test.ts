import fc from 'fast-check';
import { formatReferTo, parseReferTo, sipfragStatus } from '../../src/sip/refer-to';
import { isReplaced, parseReplaces, replacesUs } from '../../src/sip/replaces';

describe('Refer-To', () => {
  it('names an address, and perhaps a call at it', () => {
    expect(parseReferTo('"Bob" <sip:bob@192.0.2.4;transport=tcp>')).toEqual({
      uri: 'sip:bob@192.0.2.4;transport=tcp',
      replaces: undefined,
    });
    expect(parseReferTo('<sip:bob@192.0.2.4?Subject=x&Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>')).toEqual({
      uri: 'sip:bob@192.0.2.4',
      replaces: 'a@b;to-tag=1;from-tag=2',
    });
  });

  it.each([
    ['nothing', undefined],
    ['two', '<sip:a@192.0.2.1>, <sip:b@192.0.2.1>'],
    ['a telephone number', '<tel:+4930123>'],
    ['a line break in its Replaces', '<sip:bob@192.0.2.4?Replaces=a%0D%0AX:y>'],
    ['an escape that is none', '<sip:bob@192.0.2.4?Replaces=%zz>'],
  ])('is not taken when it holds %s', (_what, value) => {
    expect(parseReferTo(value)).toBeUndefined();
  });

  it('comes back from what it was written as, whatever the call is named', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (replaces) => {
        const uri = 'sip:bob@192.0.2.4';
        expect(parseReferTo(formatReferTo({ uri, replaces }))).toEqual({ uri, replaces });
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseReferTo(text);
        sipfragStatus(text);
      }),
    );
  });

  it('is reported on by the first line of a message', () => {
    expect(sipfragStatus('SIP/2.0 486 Busy Here\r\nVia: x')).toBe(486);
    expect(sipfragStatus('SIP/2.0 200')).toBe(200);
    expect(sipfragStatus('SIP/2.0 4860 X')).toBeUndefined();
    expect(sipfragStatus(undefined)).toBeUndefined();
  });
});

describe('Replaces', () => {
  const name = { callId: 'a@b', localTag: 'ours', remoteTag: 'theirs' };

  it('names a call as its receiver knows it', () => {
    const sent = parseReplaces(replacesUs(name));
    const atFarEnd = { callId: 'a@b', localTag: 'theirs', remoteTag: 'ours' };
    expect(sent !== undefined && isReplaced(atFarEnd, sent)).toBe(true);
    expect(sent !== undefined && isReplaced(name, sent)).toBe(false);
    expect(parseReplaces(`${replacesUs(name)};early-only`)?.earlyOnly).toBe(true);
  });

  it('is not taken without both tags, and never throws', () => {
    for (const text of ['', 'a@b', 'a@b;to-tag=1', ';to-tag=1;from-tag=2']) expect(parseReplaces(text)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseReplaces(text);
        parseReplaces(`a@b;${text}`);
      }),
    );
  });
});
