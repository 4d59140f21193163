import fc from 'fast-check';
import {
  formatNameAddr,
  formatVia,
  isToken,
  parseCSeq,
  parseNameAddr,
  parseParams,
  parseVia,
  splitValues,
} from '../../src/sip/header-values';
import { localAddressFor } from '../../src/sip/local-address';
import { parseSipUri, unescapeUser } from '../../src/sip/uri';

describe('parseSipUri', () => {
  it.each([
    ['sip:alice@example.com', { user: 'alice', host: 'example.com', port: undefined }],
    [
      'SIPS:alice:secret@example.com:5061;transport=tcp;lr',
      { scheme: 'sips', user: 'alice', host: 'example.com', port: 5061 },
    ],
    ['sip:[2001:db8::1]:5070', { user: '', host: '2001:db8::1', port: 5070 }],
    ['sip:1?2;3/4@example.com?subject=x', { user: '1?2;3/4', host: 'example.com' }],
    ['sip:+1-555%40x@192.0.2.1', { user: '+1-555%40x', host: '192.0.2.1' }],
  ])('reads %s', (text, expected) => expect(parseSipUri(text)).toMatchObject(expected));

  it.each([
    '',
    'sip:',
    'sip:@x',
    'tel:+1',
    'sip:a@',
    'sip:a@b:0',
    'sip:a@b:70000',
    'sip:a@[::1',
    'sip:a@[zz]',
    'sip:a b@c',
    'sip:a@b c',
    'sip:a@<b>',
  ])('refuses %s', (text) => expect(parseSipUri(text)).toBeUndefined());

  it('keeps the parameters, names in lower case', () => {
    expect([...(parseSipUri('sip:x;Transport=TCP;lr;a=b=c')?.params ?? [])]).toEqual([
      ['transport', 'TCP'],
      ['lr', ''],
      ['a', 'b=c'],
    ]);
  });

  it('undoes escapes where they are whole', () => {
    expect(unescapeUser('%41%d0%b1%zz%4')).toBe('Aб%zz%4');
  });
});

describe('parseNameAddr', () => {
  it.each([
    ['"A \\"B\\", C" <sip:a@b;lr>;tag=1', 'A "B", C', 'sip:a@b;lr', '1'],
    ['Ann Other <sip:a@b> ; tag = 2', 'Ann Other', 'sip:a@b', '2'],
    ['sip:a@b;tag=3', undefined, 'sip:a@b', '3'],
    ['<sip:a@b>;x="y;z";tag=4', undefined, 'sip:a@b', '4'],
  ])('reads %s', (text, displayName, uri, tag) => {
    const parsed = parseNameAddr(text);
    expect(parsed).toMatchObject({ displayName, uri });
    expect(parsed?.params.get('tag')).toBe(tag);
  });

  it.each([
    '',
    '<>',
    '<sip:a@b',
    '"open <sip:a@b>',
    'A, B <sip:a@b>',
    'sip:a?b=c',
    '< sip:a@b >',
    '<sip:a@b> x',
    '<sip:a@b>;"',
  ])('refuses %s', (text) => expect(parseNameAddr(text)).toBeUndefined());

  it('reads back what formatNameAddr wrote', () => {
    const name = fc.option(
      fc.string({ minLength: 1 }).filter((text) => !/[\r\n]/.test(text)),
      { nil: undefined },
    );
    fc.assert(
      fc.property(name, fc.string({ maxLength: 20 }), (displayName, value) => {
        const params = value === '' ? new Map<string, string>() : new Map([['p', value]]);
        const written = formatNameAddr({ displayName, uri: 'sip:a@b', params });
        expect(parseNameAddr(written)).toEqual({ displayName, uri: 'sip:a@b', params });
      }),
    );
  });
});

describe('parseVia', () => {
  it('reads IPv6, odd blanks and parameters without a value', () => {
    expect(parseVia('SIP / 2.0 / UDP\t[2001:db8::1] : 5070 ; rport ;branch=z9hG4bKx')).toMatchObject({
      transport: 'UDP',
      host: '2001:db8::1',
      port: 5070,
    });
    expect(formatVia(parseVia('SIP/2.0/TCP [::1];rport')!)).toBe('SIP/2.0/TCP [::1];rport');
  });

  it.each([
    '',
    'SIP/2.0/UDP',
    'HTTP/1.1/TCP x',
    'SIP/2.0/UDP a:b',
    'SIP/2.0/UDP x;=',
    'SIP/2.0/UDP x y;z='.replace(' y', ',y'),
  ])('refuses %s', (text) => {
    expect(parseVia(text)).toBeUndefined();
  });
});

describe('parseCSeq', () => {
  it('takes 31 bits and a method', () => {
    expect(parseCSeq('0009  INVITE')).toEqual({ number: 9, method: 'INVITE' });
    expect(parseCSeq(`${2 ** 31 - 1} BYE`)?.number).toBe(2 ** 31 - 1);
    for (const bad of ['', '1', 'INVITE', '-1 BYE', `${2 ** 31} BYE`, '1 B YE', '1.5 BYE'])
      expect(parseCSeq(bad)).toBeUndefined();
  });
});

describe('value lists', () => {
  it('split at commas outside of quotes and brackets', () => {
    expect(splitValues('a, "b,c" <d,e>;f, ')).toEqual(['a', '"b,c" <d,e>;f', '']);
    expect(splitValues('"open')).toBeUndefined();
    expect(splitValues('<open')).toBeUndefined();
  });

  it('never make a parser throw', () => {
    const text = fc
      .array(
        fc.oneof(
          fc.constantFrom('"', '<', '>', ';', ',', '=', '\\', ' ', '[', ']', ':', '@', 'sip:', 'SIP/2.0/UDP '),
          fc.string(),
        ),
      )
      .map((all) => all.join(''));
    fc.assert(
      fc.property(text, (value) => {
        for (const parse of [parseNameAddr, parseVia, parseCSeq, parseSipUri, parseParams, splitValues, unescapeUser])
          parse(value);
        isToken(value);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('localAddressFor', () => {
  const card = (address: string, cidr: string, family: 'IPv4' | 'IPv6' = 'IPv4', internal = false) => ({
    address,
    cidr,
    family,
    internal,
    netmask: '',
    mac: '',
    scopeid: 0,
  });
  const interfaces = {
    lo: [card('127.0.0.1', '127.0.0.1/8', 'IPv4', true)],
    eth0: [card('203.0.113.5', '203.0.113.5/24'), card('2001:db8::5', '2001:db8::5/64', 'IPv6')] as never[],
    docker0: [card('172.17.0.1', '172.17.0.1/16')],
  };

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['172.17.0.9', '172.17.0.1'],
    ['203.0.113.77', '203.0.113.5'],
    ['198.51.100.1', '203.0.113.5'],
    ['2001:db8::77', '2001:db8::5'],
    ['::1', '::1'],
  ])('shows a peer at %s our %s', (peer, expected) => {
    expect(localAddressFor(peer, { bound: '0.0.0.0', interfaces })).toBe(expected);
  });

  it('prefers what the operator advertises, except towards this machine', () => {
    expect(localAddressFor('198.51.100.1', { bound: '0.0.0.0', advertised: '192.0.2.1', interfaces })).toBe(
      '192.0.2.1',
    );
    expect(localAddressFor('127.0.0.1', { bound: '0.0.0.0', advertised: '192.0.2.1', interfaces })).toBe('127.0.0.1');
    expect(localAddressFor('198.51.100.1', { bound: '10.0.0.1', interfaces })).toBe('10.0.0.1');
  });
});
