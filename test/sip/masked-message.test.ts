/** Whoever reads a SIP message on the console learns no password, digest, media key or key that was pressed. */
import * as fc from 'fast-check';
import { maskedMessage } from '../../src/sip/masked-message';

const head = (lines: readonly string[]): string => ['INVITE sip:demo@192.0.2.1 SIP/2.0', ...lines].join('\r\n');
const digest =
  'Digest username="alice", realm="home", nonce="NONCE-1", uri="sip:demo@192.0.2.1", response="RESPONSE-1", cnonce="CNONCE-1", qop=auth, nc=00000001';

describe('a SIP message that people may read', () => {
  it('keeps who answered a challenge, and nothing by which the password could be guessed', () => {
    const shown = maskedMessage(`${head([`Proxy-Authorization: ${digest}`, 'Call-ID: a'])}\r\n\r\n`);
    expect(shown).toContain('username="alice"');
    expect(shown).toContain('Call-ID: a');
    expect(shown).not.toMatch(/NONCE-1|RESPONSE-1|CNONCE-1/);
  });

  it('reads a header that is folded, and one without quotes', () => {
    const shown = maskedMessage(`${head(['Authorization: Digest username="a",\r\n  response=RESPONSE-1'])}\r\n\r\n`);
    expect(shown).not.toContain('RESPONSE-1');
  });

  it('masks a token whole', () => {
    expect(maskedMessage(`${head(['Authorization: Bearer TOKEN-1'])}\r\n\r\n`)).not.toContain('TOKEN-1');
  });

  it('masks the password of an address', () => {
    const shown = maskedMessage(`${head(['From: <sip:alice:PASSWORD-1@192.0.2.1;transport=tcp>'])}\r\n\r\n`);
    expect(shown).not.toContain('PASSWORD-1');
    expect(shown).toContain('@192.0.2.1;transport=tcp>');
  });

  it('masks the keys of media, and leaves what a call turns on', () => {
    const sdp = [
      'v=0',
      'c=IN IP4 192.0.2.7',
      'm=audio 4000 RTP/SAVP 0',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:KEY-1|2^20',
      'a=ice-pwd:KEY-2',
      'a=ice-ufrag:abcd',
      'k=clear:KEY-3',
    ].join('\r\n');
    const shown = maskedMessage(`${head(['Content-Type: application/sdp'])}\r\n\r\n${sdp}\r\n`);
    expect(shown).not.toMatch(/KEY-\d/);
    expect(shown).toContain('a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:');
    expect(shown).toContain('m=audio 4000 RTP/SAVP 0');
    expect(shown).toContain('a=ice-ufrag:abcd');
  });

  it.each(['Signal=7\r\nDuration=160\r\n', '7'])('keeps no key that was pressed: %j', (body) => {
    const info = ['INFO sip:x SIP/2.0', 'CSeq: 3 INFO', 'Content-Type: application/dtmf-relay'].join('\r\n');
    expect(maskedMessage(`${info}\r\n\r\n${body}`)).not.toContain('7');
  });

  it('never throws, and never shows a digest, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 200 }), (before, after) => {
        const clean = (text: string): string => text.replace(/[\r\n]/g, ' ');
        const lines = [`X-Before: ${clean(before)}`, `Authorization: ${digest}`, `X-After: ${clean(after)}`];
        expect(maskedMessage(`${head(lines)}\r\n\r\n${after}`)).not.toMatch(/NONCE-1|RESPONSE-1/);
        expect(typeof maskedMessage(before)).toBe('string');
      }),
    );
  });
});
