/** Real messages, damaged: what a broken or hostile sender might produce. */
import fc from 'fast-check';
import { sdpBody, wire } from './endpoint-driver';
import { tortureMessages } from './torture-messages';

const seeds = [
  ...tortureMessages.map(({ bytes }) => bytes),
  Buffer.from(wire({ method: 'INVITE', body: sdpBody, extra: 'Content-Type: application/sdp' })),
  Buffer.from(wire({ method: 'CANCEL' })),
  Buffer.from(wire({ method: 'ACK', toTag: 'x' })),
];

/** Real messages with bytes overwritten, removed, doubled, and joined from halves. */
export const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.constantFrom(...seeds),
    fc.nat(3),
    fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { maxLength: 12 }),
    fc.nat(4000),
    fc.nat(60),
  )
  .map(([first, second, how, changes, at, length]) => {
    let bytes = Buffer.from(first);
    if (how === 1) bytes = Buffer.concat([first.subarray(0, at), second.subarray(at)]);
    if (how === 2) bytes = Buffer.concat([first.subarray(0, at), first.subarray(at + length)]);
    if (how === 3) bytes = Buffer.concat([first.subarray(0, at), first.subarray(Math.max(0, at - length))]);
    for (const [index, value] of changes) if (index < bytes.length) bytes[index] = value;
    return bytes;
  });
