/** Candidate lines of a peer: what is used, what is refused, and why. */
import fc from 'fast-check';

import { readCandidate } from '../../src/webrtc/ice-candidate';

const HOST = 'candidate:1 1 udp 2122260223 192.168.1.7 54321 typ host generation 0 ufrag abcd network-cost 999';

describe('an ICE candidate', () => {
  test('is read, and rebuilt without what nobody needs', () => {
    expect(readCandidate(`a=${HOST}`)).toEqual({
      kind: 'usable',
      candidate: {
        foundation: '1',
        priority: 2122260223,
        address: '192.168.1.7',
        port: 54321,
        type: 'host',
        text: 'candidate:1 1 udp 2122260223 192.168.1.7 54321 typ host',
      },
    });
  });

  test.each([
    ['a public IPv6 address', 'candidate:9 1 UDP 1 2001:db8::7 9 typ srflx raddr :: rport 9'],
    ['a relayed address', 'candidate:a+/1 1 udp 41 203.0.113.9 3478 typ relay raddr 192.0.2.1 rport 5'],
  ])('is used with %s', (_what, line) => {
    expect(readCandidate(line).kind).toBe('usable');
  });

  test.each([
    ['not-udp', HOST.replace(' udp ', ' tcp ')],
    ['not-component-1', HOST.replace(':1 1 ', ':1 2 ')],
    // An mDNS name would have us ask the network; the peer's own checks reach us without it.
    ['host-name', HOST.replace('192.168.1.7', '4f1c1d2e.local')],
    ['host-name', HOST.replace('192.168.1.7', 'metadata.internal')],
    ['address', HOST.replace('192.168.1.7', '255.255.255.255')],
    ['address', HOST.replace('192.168.1.7', '224.0.0.251')],
    ['address', HOST.replace('192.168.1.7', '0.0.0.0')],
    ['address', HOST.replace('192.168.1.7', '::')],
    ['address', HOST.replace('192.168.1.7', 'ff02::fb')],
    ['port', HOST.replace('54321', '0')],
    ['port', HOST.replace('54321', '65536')],
    ['malformed', HOST.replace('2122260223', '4294967296')],
    ['malformed', HOST.replace('typ host', 'typ best')],
    ['malformed', HOST.replace('candidate:1 ', 'candidate: ')],
    ['malformed', 'candidate:'],
    ['malformed', 'a=mid:0'],
    ['malformed', HOST + ' x'.repeat(300)],
  ])('is refused as %s', (reason, line) => {
    expect(readCandidate(line)).toEqual({ kind: 'refused', reason });
  });

  test('never throws, and what it lets through reads the same again', () => {
    const word = fc.oneof(
      fc.constantFrom('candidate:1', '1', 'udp', 'tcp', '99', '10.0.0.1', '::1', 'typ', 'host', '0', '70000', ''),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 10 }), (words) => {
        const reading = readCandidate(words.join(' '));
        if (reading.kind === 'usable') expect(readCandidate(reading.candidate.text)).toEqual(reading);
      }),
      { numRuns: 2_000 },
    );
  });
});
