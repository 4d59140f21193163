import fc from 'fast-check';
import {
  directionOf,
  formatSdp,
  isUnicastLiteral,
  parseSdp,
  type SessionDescription,
  sdpCaps,
} from '../../src/sip/sdp';
import { audioFormats, packetMsOf } from '../../src/sip/sdp-formats';

const phoneOffer = [
  'v=0',
  'o=alice 2890844526 2890844526 IN IP4 192.0.2.10',
  's=-',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 49170 RTP/AVP 0 8 111 101',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 useinbandfec=1',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=ptime:20',
  'a=sendrecv',
  '',
].join('\r\n');

function session(text: string): SessionDescription {
  const parsed = parseSdp(text);
  if (parsed.kind !== 'session') throw new Error(`${parsed.reason} in line ${parsed.line}`);
  return parsed.session;
}

describe('parseSdp', () => {
  it('reads what a phone offers', () => {
    const { origin, connection, media } = session(phoneOffer);
    expect(origin).toMatchObject({ username: 'alice', sessionId: '2890844526', sessionVersion: '2890844526' });
    expect(connection).toEqual({ address: '192.0.2.10', family: 'IP4' });
    expect(media).toHaveLength(1);
    expect(media[0]).toMatchObject({
      kind: 'audio',
      port: 49170,
      protocol: 'RTP/AVP',
      formats: ['0', '8', '111', '101'],
    });
  });

  it('takes bare line feeds and unknown line types', () => {
    const text = phoneOffer.replace(/\r\n/g, '\n').replace('t=0 0', 'i=a talk\nb=AS:80\nt=0 0\nz=odd');
    expect(session(text).media[0]?.port).toBe(49170);
  });

  it('reads IPv6 addresses and strips the TTL of multicast', () => {
    expect(session(phoneOffer.replace('c=IN IP4 192.0.2.10', 'c=IN IP6 2001:db8::1')).connection?.address).toBe(
      '2001:db8::1',
    );
    expect(session(phoneOffer.replace('c=IN IP4 192.0.2.10', 'c=IN IP4 224.2.1.1/127/3')).connection?.address).toBe(
      '224.2.1.1',
    );
    expect(isUnicastLiteral('224.2.1.1')).toBe(false);
    expect(isUnicastLiteral('ff02::1')).toBe(false);
    expect(isUnicastLiteral('host.example')).toBe(false);
    expect(isUnicastLiteral('192.0.2.1')).toBe(true);
  });

  it('lets the direction of an m-line win over the one of the session', () => {
    const both = phoneOffer.replace('t=0 0', 't=0 0\r\na=recvonly').replace('a=sendrecv', 'a=sendonly');
    const text = session(both);
    expect(directionOf(text, text.media[0]!)).toBe('sendonly');
    const inherited = session(both.replace('\r\na=sendonly', ''));
    expect(directionOf(inherited, inherited.media[0]!)).toBe('recvonly');
  });

  it.each([
    ['another version', phoneOffer.replace('v=0', 'v=1')],
    ['no origin', phoneOffer.replace(/o=.*\r\n/, '')],
    ['an origin without numbers', phoneOffer.replace('2890844526 2890844526', 'x y')],
    ['a port above 65535', phoneOffer.replace('49170', '70000')],
    ['an m-line without formats', phoneOffer.replace('0 8 111 101', '')],
    ['a line that is no type=value', phoneOffer.replace('s=-', 'hello')],
    ['nothing', ''],
  ])('refuses %s', (_what, text) => {
    expect(parseSdp(text).kind).toBe('malformed');
  });

  it('holds its caps', () => {
    const many = (line: string, count: number): string => phoneOffer + `${line}\r\n`.repeat(count);
    expect(parseSdp(many('m=audio 4 RTP/AVP 0', sdpCaps.media)).kind).toBe('malformed');
    expect(parseSdp(many('a=x', sdpCaps.attributes)).kind).toBe('malformed');
    expect(parseSdp(many(`a=${'x'.repeat(sdpCaps.lineChars)}`, 1)).kind).toBe('malformed');
    expect(parseSdp(many('a=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', 400)).kind).toBe('malformed');
  });

  it('never throws and stays inside its caps, whatever it is given', () => {
    const lines = phoneOffer.split('\r\n');
    const mutated = fc
      .array(fc.oneof(fc.constantFrom(...lines), fc.string({ maxLength: 60 })), { maxLength: 40 })
      .map((all) => all.join('\r\n'));
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 400 }), mutated), (text) => {
        const parsed = parseSdp(text);
        if (parsed.kind !== 'session') return;
        expect(parsed.session.media.length).toBeLessThanOrEqual(sdpCaps.media);
        for (const media of parsed.session.media) {
          expect(media.port).toBeLessThanOrEqual(65535);
          for (const format of audioFormats(media)) expect(format.payloadType).toBeLessThanOrEqual(127);
          expect([10, 20, 30, 40, 60]).toContain(packetMsOf(media, 20));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(
        fc.nat(65535),
        fc.uniqueArray(fc.nat(127), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        (port, types, id) => {
          const written: SessionDescription = {
            origin: {
              username: '-',
              sessionId: String(id),
              sessionVersion: '1',
              address: { address: '192.0.2.1', family: 'IP4' },
            },
            connection: { address: '192.0.2.1', family: 'IP4' },
            attributes: [],
            media: [
              {
                kind: 'audio',
                port,
                protocol: 'RTP/AVP',
                formats: types.map(String),
                connection: undefined,
                attributes: [{ name: 'ptime', value: '20' }],
              },
            ],
          };
          expect(session(formatSdp(written))).toEqual(written);
        },
      ),
    );
  });
});

describe('audioFormats', () => {
  it('knows the static payload types without an rtpmap, and lets an rtpmap win', () => {
    const media = session(phoneOffer.replace('a=ptime:20', 'a=rtpmap:8 PCMU/8000')).media[0]!;
    expect(audioFormats(media).map((one) => `${one.payloadType} ${one.encoding}/${one.clockRate}`)).toEqual([
      '0 pcmu/8000',
      '8 pcmu/8000',
      '111 opus/48000',
      '101 telephone-event/8000',
    ]);
  });
});

describe('packetMsOf', () => {
  it.each([
    ['a=ptime:30', 30],
    ['a=ptime:35', 20],
    ['a=maxptime:10', 10],
    ['a=ptime:60\r\na=maxptime:40', 40],
    ['a=ptime:x', 20],
  ])('%s -> %d ms', (line, expected) => {
    expect(packetMsOf(session(phoneOffer.replace('a=ptime:20', line)).media[0]!, 20)).toBe(expected);
  });
});
