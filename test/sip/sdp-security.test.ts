import fc from 'fast-check';
import type { SocketAddress } from '../../src/media/protocol';
import { parseSdp } from '../../src/sip/sdp';
import { parseCrypto } from '../../src/sip/sdp-security';
import { SdpSession, type SrtpOptions } from '../../src/sip/sdp-session';

const local: SocketAddress = { address: '192.0.2.1', port: 4000 };
const fingerprint = `sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`;
const theirFingerprint = `sha-256 ${Array.from({ length: 32 }, () => 'CD').join(':')}`;
/** 30 bytes. */
const key = (fill: number, bytes = 30) => Buffer.alloc(bytes, fill).toString('base64');

let made = 0;
function session(srtp: Partial<SrtpOptions> | undefined): SdpSession {
  return new SdpSession({
    sessionId: '1',
    address: local.address,
    codecs: ['PCMU'],
    srtp: srtp && {
      policy: 'prefer',
      keying: 'sdes',
      fingerprint,
      randomBytes: (bytes) => new Uint8Array(bytes).fill(++made),
      ...srtp,
    },
  });
}

function description(protocol: string, ...lines: string[]): string {
  const head = ['v=0', 'o=- 7 1 IN IP4 192.0.2.9', 's=-', 'c=IN IP4 192.0.2.9', 't=0 0', `m=audio 5000 ${protocol} 0`];
  return `${[...head, ...lines].join('\r\n')}\r\n`;
}

const sdes80 = `a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:${key(9)}|2^20|1:4`;
const sdes80plain = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key(9)}|2^31`;
const dtls = [`a=fingerprint:${theirFingerprint}`, 'a=setup:actpass'];

function attributes(sdp: string, name: string): (string | undefined)[] {
  const parsed = parseSdp(sdp);
  if (parsed.kind !== 'session') throw new Error(parsed.reason);
  return parsed.session.media[0]!.attributes.filter((one) => one.name === name).map(({ value }) => value);
}
const protocolOf = (sdp: string) => /m=audio \d+ (\S+)/.exec(sdp)?.[1];

describe('the protection of a stream in SDP', () => {
  it('takes keys in SDP with the tag of the line that it takes, and gives a key of its own', () => {
    const { sdp, connect } = session({}).answer(description('RTP/SAVP', sdes80, sdes80plain), local);
    expect(protocolOf(sdp)).toBe('RTP/SAVP');
    // The first line has an MKI, which we do not speak.
    expect(attributes(sdp, 'crypto')[0]).toMatch(/^1 AES_CM_128_HMAC_SHA1_80 inline:[A-Za-z0-9+/]{40}$/);
    if (connect.srtp?.kind !== 'sdes') throw new Error('no SDES');
    expect(Buffer.from(connect.srtp.remoteMaster).toString('base64')).toBe(key(9));
    expect(attributes(sdp, 'crypto')[0]).toContain(Buffer.from(connect.srtp.localMaster).toString('base64'));
  });

  it.each([
    ['AEAD_AES_256_GCM', 44],
    ['AEAD_AES_128_GCM', 28],
    ['AES_CM_128_HMAC_SHA1_80', 30],
    ['AES_CM_128_HMAC_SHA1_32', 30],
  ])('answers %s', (suite, bytes) => {
    const offer = description('RTP/SAVP', `a=crypto:1 ${suite} inline:${key(3, bytes)}`);
    const { connect } = session({}).answer(offer, local);
    expect(connect.srtp).toMatchObject({ kind: 'sdes', suite });
  });

  it.each([
    ['a suite nobody knows', `a=crypto:1 F8_128_HMAC_SHA1_80 inline:${key(9)}`],
    ['a key that is too short', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key(9, 20)}`],
    ['packets that would not be encrypted', `${sdes80plain} UNENCRYPTED_SRTP`],
    ['packets that would not be authenticated', `${sdes80plain} UNAUTHENTICATED_SRTP`],
    ['two keys', `${sdes80plain};inline:${key(8)}`],
    ['nothing at all', 'a=sendrecv'],
  ])('refuses SAVP with %s rather than answer in the clear', (_what, line) => {
    expect(() => session({}).answer(description('RTP/SAVP', line), local)).toThrow(/no crypto suite/);
  });

  it('takes DTLS as the active side, on one port for RTP and RTCP where that is offered', () => {
    const offer = description('UDP/TLS/RTP/SAVP', ...dtls, 'a=rtcp-mux');
    const { sdp, connect } = session({}).answer(offer, local);
    expect(protocolOf(sdp)).toBe('UDP/TLS/RTP/SAVP');
    expect(attributes(sdp, 'setup')).toEqual(['active']);
    expect(attributes(sdp, 'fingerprint')).toEqual([fingerprint]);
    expect(attributes(sdp, 'rtcp-mux')).toHaveLength(1);
    expect(connect.srtp).toEqual({ kind: 'dtls', role: 'client', fingerprints: [theirFingerprint.toLowerCase()] });
    expect(connect.rtcpMux).toBe(true);
  });

  it('keeps its part in DTLS when the session goes on', () => {
    const one = session({});
    const first = description('UDP/TLS/RTP/SAVP', `a=fingerprint:${theirFingerprint}`, 'a=setup:active');
    expect(one.answer(first, local).connect.srtp).toMatchObject({ role: 'server' });
    const { sdp, connect } = one.answer(description('UDP/TLS/RTP/SAVP', ...dtls), local);
    expect(connect.srtp).toMatchObject({ role: 'server' });
    expect(attributes(sdp, 'setup')).toEqual(['passive']);
  });

  describe('by policy', () => {
    const plain = description('RTP/AVP');

    it('prefer: plain for a plain offer, protected for one that leaves the choice (RFC 8643)', () => {
      expect(session({}).answer(plain, local).connect.srtp).toBeUndefined();
      const { sdp, connect } = session({}).answer(description('RTP/AVP', sdes80plain), local);
      expect(protocolOf(sdp)).toBe('RTP/AVP');
      expect(connect.srtp?.kind).toBe('sdes');
    });

    it('require: refuses a plain offer, and a plain answer to ours', () => {
      expect(() => session({ policy: 'require' }).answer(plain, local)).toThrow(/SRTP is required/);
      const calling = session({ policy: 'require' });
      expect(protocolOf(calling.offer(local))).toBe('RTP/SAVP');
      expect(() => calling.accept(plain)).toThrow(/SRTP is required/);
      // RTP/SAVP in the answer, but no key: that is no better.
      expect(() => calling.accept(description('RTP/SAVP'))).toThrow(/no crypto suite/);
    });

    it('off: refuses what would be protected, and offers nothing', () => {
      expect(() => session({ policy: 'off' }).answer(description('RTP/SAVP', sdes80plain), local)).toThrow(
        /switched off/,
      );
      expect(
        session({ policy: 'off' }).answer(description('RTP/AVP', sdes80plain), local).connect.srtp,
      ).toBeUndefined();
      expect(attributes(session({ policy: 'off' }).offer(local), 'crypto')).toEqual([]);
      expect(attributes(session(undefined).offer(local), 'crypto')).toEqual([]);
    });

    it('prefer: offers keys beside plain RTP and does what the answer says', () => {
      const calling = session({});
      const offer = calling.offer(local);
      expect(protocolOf(offer)).toBe('RTP/AVP');
      expect(calling.accept(plain).connect.srtp).toBeUndefined();
      const tag = attributes(offer, 'crypto')
        .find((one) => one?.includes('SHA1_80'))
        ?.split(' ')[0];
      const answer = `a=crypto:${tag} AES_CM_128_HMAC_SHA1_80 inline:${key(5)}`;
      expect(calling.accept(description('RTP/AVP', answer)).connect.srtp).toMatchObject({
        kind: 'sdes',
        suite: 'AES_CM_128_HMAC_SHA1_80',
      });
    });

    it('is not talked out of protection that stands', () => {
      const one = session({});
      one.answer(description('RTP/AVP', sdes80plain), local);
      expect(() => one.answer(plain, local)).toThrow(/must stay/);
      expect(protocolOf(one.offer(local))).toBe('RTP/SAVP');
    });

    it('offers DTLS where that is configured, as either side', () => {
      const calling = session({ policy: 'require', keying: 'dtls' });
      const offer = calling.offer(local);
      expect(protocolOf(offer)).toBe('UDP/TLS/RTP/SAVP');
      expect(attributes(offer, 'setup')).toEqual(['actpass']);
      expect(attributes(offer, 'rtcp-mux')).toHaveLength(1);
      const answer = description('UDP/TLS/RTP/SAVP', `a=fingerprint:${theirFingerprint}`, 'a=setup:active');
      expect(calling.accept(answer).connect.srtp).toMatchObject({ kind: 'dtls', role: 'server' });
    });
  });

  it('keeps its key while the far end keeps its own, and takes a new one when another party takes over', () => {
    const one = session({});
    const ours = (sdp: string) => attributes(sdp, 'crypto')[0]!.split('inline:')[1];
    const first = ours(one.answer(description('RTP/SAVP', sdes80plain), local).sdp);
    expect(ours(one.answer(description('RTP/SAVP', sdes80plain), local).sdp)).toBe(first);
    const moved = one.answer(description('RTP/SAVP', `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key(77)}`), local);
    expect(ours(moved.sdp)).not.toBe(first);
  });

  it('reads any crypto line as an offer or as none', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (line) => {
        const parsed = parseCrypto(line);
        expect(parsed === undefined || parsed.master.length >= 28).toBe(true);
      }),
    );
  });
});
