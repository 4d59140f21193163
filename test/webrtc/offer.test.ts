/** Offers of browsers: what is kept of them, and what they are refused for. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import fc from 'fast-check';

import { TrunklineError } from '../../src/core/errors';
import { writeAnswer } from '../../src/webrtc/answer';
import { checkOffer, MAX_CANDIDATES_PER_PEER, MAX_OFFER_BYTES } from '../../src/webrtc/offer';

/** Of Chromium 156 with audio, video and a data channel, after gathering. */
const CHROMIUM = readFileSync(path.join(__dirname, 'fixtures/chromium-offer.sdp'), 'utf8');
const CODES = ['webrtc.bad-offer', 'webrtc.offer-too-large', 'webrtc.no-common-codec'];

function codeOf(sdp: string): string | undefined {
  try {
    checkOffer(sdp);
    return undefined;
  } catch (error) {
    if (error instanceof TrunklineError && CODES.includes(error.code)) return error.code;
    throw error;
  }
}

/** As an offer with only these codecs would have it. */
function withCodecs(payloadTypes: string): string {
  return CHROMIUM.replace(/m=audio (\d+) (\S+) .*/, `m=audio $1 $2 ${payloadTypes}`);
}

describe('an offer of Chromium', () => {
  test('is answered with Opus and its digits, on one transport with the data channel', () => {
    const offer = checkOffer(CHROMIUM);
    expect(offer.format).toEqual({
      codec: { name: 'opus', payloadType: 111, clockRate: 48_000, packetMs: 20 },
      telephoneEvent: { payloadType: 110, clockRate: 48_000 },
    });
    expect(offer.hasDataChannel).toBe(true);
    expect(offer.sdp).toContain('a=group:BUNDLE 0 2\r\n');
    expect(offer.sdp).toContain('m=audio 9 UDP/TLS/RTP/SAVPF 111 110\r\n');
    expect(offer.sdp).not.toContain('m=video');
    expect(offer.candidateCount).toBe(2);
    expect(offer.refusedCandidates).toEqual({ 'not-udp': 2 });
  });

  test('gets its video turned down in its place (RFC 3264)', () => {
    const offer = checkOffer(CHROMIUM);
    expect(offer.sections.map(({ used }) => used)).toEqual([true, false, true]);
    const answer = writeAnswer(offer.sdp, offer, []);
    const sections = answer.split('\r\n').filter((line) => line.startsWith('m='));
    expect(sections.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'm=audio 9',
      'm=video 0',
      'm=application 9',
    ]);
  });

  test('is told only the addresses that are advertised', () => {
    const offer = checkOffer(CHROMIUM);
    const addresses = (advertised: string[]) =>
      [...writeAnswer(offer.sdp, offer, advertised).matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+)/gm)].map(
        ([, address]) => address,
      );
    expect(addresses([])).toEqual(['192.0.2.2', 'fd00::2']);
    expect(addresses(['fd00::2'])).toEqual(['fd00::2']);
    expect(addresses(['203.0.113.1'])).toEqual([]);
  });

  test.each([
    ['PCMU, by its static type', '0', { name: 'PCMU', payloadType: 0, clockRate: 8000, packetMs: 20 }, undefined],
    ['PCMA with digits', '8 126', { name: 'PCMA', payloadType: 8, clockRate: 8000, packetMs: 20 }, 126],
    [
      'Opus although PCMU comes first',
      '0 111',
      { name: 'opus', payloadType: 111, clockRate: 48_000, packetMs: 20 },
      undefined,
    ],
  ])('is answered with %s', (_what, payloadTypes, codec, eventType) => {
    const { format } = checkOffer(withCodecs(payloadTypes));
    expect(format.codec).toEqual(codec);
    expect(format.telephoneEvent?.payloadType).toBe(eventType);
  });

  test('goes without a data channel that is not bundled with the audio', () => {
    expect(checkOffer(CHROMIUM.replace('BUNDLE 0 1 2', 'BUNDLE 0 1')).hasDataChannel).toBe(false);
  });

  test('keeps no more candidates than a peer may have', () => {
    const many = Array.from(
      { length: 100 },
      (_, index) => `a=candidate:1 1 udp 1 192.0.2.1 ${1000 + index} typ host`,
    ).join('\r\n');
    const offer = checkOffer(CHROMIUM.replace('a=ice-ufrag', `${many}\r\na=ice-ufrag`));
    expect(offer.candidateCount).toBe(MAX_CANDIDATES_PER_PEER);
  });
});

describe('a bad offer', () => {
  test.each([
    ['is empty', '', 'webrtc.bad-offer'],
    ['is no SDP', '<html></html>', 'webrtc.bad-offer'],
    ['has no audio', CHROMIUM.replace('m=audio', 'm=text'), 'webrtc.bad-offer'],
    ['has its audio switched off', CHROMIUM.replace(/m=audio \d+/, 'm=audio 0'), 'webrtc.bad-offer'],
    ['wants RTCP on a port of its own', CHROMIUM.replace('a=rtcp-mux', 'a=x'), 'webrtc.bad-offer'],
    ['has no fingerprint', CHROMIUM.replaceAll('a=fingerprint', 'a=x'), 'webrtc.bad-offer'],
    ['has a short ice-pwd', CHROMIUM.replaceAll(/a=ice-pwd:.*/g, 'a=ice-pwd:short'), 'webrtc.bad-offer'],
    ['has no mid', CHROMIUM.replace('a=mid:0', 'a=x'), 'webrtc.bad-offer'],
    ['has a payload type of 999', withCodecs('999'), 'webrtc.bad-offer'],
    ['has G.722 only', withCodecs('9'), 'webrtc.no-common-codec'],
    ['is too long', `${CHROMIUM}a=x:${'y'.repeat(MAX_OFFER_BYTES)}`, 'webrtc.offer-too-large'],
    ['has a control character', CHROMIUM.replace('s=-', 's=\u0007'), 'webrtc.bad-offer'],
    ['has nine sections', CHROMIUM + 'm=audio 9 RTP/AVP 0\r\n'.repeat(6), 'webrtc.bad-offer'],
  ])('is refused when it %s', (_what, sdp, code) => {
    expect(codeOf(sdp)).toBe(code);
  });

  test('any text, and any mangled real offer, is read or refused with a code', () => {
    const lines = CHROMIUM.split('\r\n');
    const mangled = fc
      .array(
        fc.tuple(fc.nat(lines.length - 1), fc.constantFrom('drop', 'repeat', 'cut', 'swap', 'junk'), fc.string()),
        {
          maxLength: 8,
        },
      )
      .map((edits) => {
        const copy = [...lines];
        for (const [index, edit, junk] of edits) {
          const line = copy[index] ?? '';
          if (edit === 'drop') copy.splice(index, 1);
          else if (edit === 'repeat') copy.splice(index, 0, line);
          else if (edit === 'cut') copy[index] = line.slice(0, line.length / 2);
          else if (edit === 'swap') copy[index] = copy[copy.length - 1 - index] ?? '';
          else copy[index] = `${line.slice(0, 6)}${junk}`;
        }
        return copy.join('\r\n');
      });
    fc.assert(
      fc.property(fc.oneof(mangled, fc.string({ maxLength: 200 })), (sdp) => {
        codeOf(sdp);
      }),
      { numRuns: 1_500 },
    );
  });
});
