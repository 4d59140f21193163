/** Bodies of WHIP's PATCH. */
import fc from 'fast-check';

import { hasCode } from '../../src/core/errors';
import {
  MAX_CANDIDATES_PER_FRAGMENT,
  MAX_FRAGMENT_BYTES,
  readTrickleFragment,
} from '../../src/webrtc/trickle-fragment';

const FRAGMENT = [
  'a=ice-ufrag:EsAw',
  'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
  'm=audio 9 UDP/TLS/RTP/SAVPF 0',
  'a=mid:0',
  'a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1',
  'a=candidate:3471623853 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0',
  'a=candidate:473322822 1 udp 2122129151 secret.local 61764 typ host',
  'a=end-of-candidates',
  '',
].join('\r\n');

function codeOf(text: string): string | undefined {
  try {
    readTrickleFragment(text);
    return undefined;
  } catch (error) {
    if (hasCode(error, 'webrtc.bad-candidates')) return error.code;
    throw error;
  }
}

describe('a trickle fragment', () => {
  test('names its ICE session and adds the candidates that can be used', () => {
    const { usernameFragment, candidates, endOfCandidates, refused } = readTrickleFragment(FRAGMENT);
    expect(usernameFragment).toBe('EsAw');
    expect(candidates).toHaveLength(1);
    expect(candidates[0]).toMatchObject({ mid: '0', candidate: { address: '192.0.2.1', port: 61764 } });
    expect(endOfCandidates).toBe(true);
    expect(refused).toEqual({ 'not-udp': 1, 'host-name': 1 });
  });

  test.each([
    ['is empty', '\r\n'],
    ['is something else', '{"candidate":""}'],
    ['has a mangled ice-ufrag', 'a=ice-ufrag:a b\r\n'],
    ['has an endless mid', `a=mid:${'x'.repeat(65)}\r\n`],
    ['is too long', `a=x:${'y'.repeat(MAX_FRAGMENT_BYTES)}`],
    [
      'has too many candidates',
      Array.from(
        { length: MAX_CANDIDATES_PER_FRAGMENT + 1 },
        (_, index) => `a=candidate:1 1 udp 1 192.0.2.1 ${1000 + index} typ host`,
      ).join('\r\n'),
    ],
  ])('is a coded error when it %s', (_what, text) => {
    expect(codeOf(text)).toBe('webrtc.bad-candidates');
  });

  test('any text is read or refused with the code', () => {
    const line = fc.oneof(fc.constantFrom(...FRAGMENT.split('\r\n')), fc.string({ maxLength: 60 }));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom('\r\n', '\n', '\r'), (lines, end) => {
        codeOf(lines.join(end));
      }),
      { numRuns: 1_500 },
    );
  });
});
