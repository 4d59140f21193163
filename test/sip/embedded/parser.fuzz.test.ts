/** Bytes from strangers: the parser and the endpoint never throw, never hang, and never answer what cannot be read. */
import fc from 'fast-check';
import { formatForApp } from '../../../src/sip/embedded/app-message';
import { serializeMessage } from '../../../src/sip/embedded/message';
import { parseMessage, parserCaps } from '../../../src/sip/embedded/parser';
import { EndpointDriver, wire } from './endpoint-driver';
import { mutated } from './mutated-messages';

const anything = fc.oneof(
  { arbitrary: mutated, weight: 4 },
  { arbitrary: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)), weight: 1 },
);

describe('the parser', () => {
  it('gives a message, a keep-alive or a reason for every datagram', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const parsed = parseMessage(bytes);
        if (parsed.kind !== 'message') return;
        expect(parsed.message.headers.size).toBeLessThanOrEqual(parserCaps.headers);
        for (const { value } of parsed.message.headers) expect(value).not.toMatch(/[\r\n]/);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const parsed = parseMessage(bytes);
        if (parsed.kind !== 'message') return;
        const again = parseMessage(serializeMessage(parsed.message));
        if (again.kind !== 'message') throw new Error(`not read back: ${JSON.stringify(again)}`);
        expect([...again.message.headers].filter(({ key }) => key !== 'content-length')).toEqual(
          [...parsed.message.headers].filter(({ key }) => key !== 'content-length'),
        );
        expect(again.message.body.equals(parsed.message.body)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('writes for the application only short plain lines, one header each', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const parsed = parseMessage(bytes);
        if (parsed.kind !== 'message') return;
        const text = formatForApp(parsed.message);
        for (const line of text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n').slice(1)) {
          expect(line).toMatch(/^[^\s:]+: /);
          expect(line).not.toMatch(/ {2}|\t|[\r\n]/);
        }
      }),
      { numRuns: 500 },
    );
  });

  const big = parserCaps.datagramBytes - 400;
  it.each([
    ['blanks in Contact', `Contact: ${' '.repeat(7000)}<sip:x@y>${' '.repeat(1000)}x`],
    ['blanks before anything', `X:${' '.repeat(8000)}`],
    ['commas', `Via: ${','.repeat(8000)}`],
    ['semicolons', `Contact: <sip:x@y>${';'.repeat(8000)}`],
    ['open brackets', `Contact: ${'<'.repeat(8000)}`],
    ['quotes', `From: ${'"\\"'.repeat(2500)}`],
    ['folded lines', `X: a${'\r\n '.repeat(2600)}`],
    ['headers', 'a:b\r\n'.repeat(2600).trimEnd()],
    ['header names', `${'x'.repeat(8000)}: y`],
    ['a long line', `X: ${'y'.repeat(big)}`],
  ])('does not labour over many %s', (_what, header) => {
    const bytes = Buffer.from(wire({ method: 'OPTIONS', extra: header }));
    // A quadratic step would run into the time-out of the test: one took 10 s in a parser that has it.
    for (let round = 0; round < 50; round++) {
      const parsed = parseMessage(bytes);
      if (parsed.kind === 'message') formatForApp(parsed.message);
    }
    expect(bytes.length).toBeLessThan(parserCaps.datagramBytes);
  });

  it('refuses more bytes than its cap', () => {
    expect(parseMessage(Buffer.alloc(parserCaps.datagramBytes + 1, 0x20)).kind).toBe('malformed');
  });

  it('takes bare line ends for a keep-alive', () => {
    expect(parseMessage(Buffer.from('\r\n\r\n')).kind).toBe('keep-alive');
    expect(parseMessage(Buffer.alloc(4)).kind).toBe('keep-alive');
    expect(parseMessage(Buffer.alloc(0)).kind).toBe('keep-alive');
  });
});

describe('the endpoint', () => {
  it('survives everything that a stranger sends and forgets it again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { maxLength: 8 }), async (datagrams) => {
        const near = await new EndpointDriver().start();
        for (const bytes of datagrams) near.transport.inject(bytes);
        for (const { message, transactionId } of near.deliveries) {
          if (message.kind === 'request' && message.method !== 'ACK')
            near.answer(transactionId, 'SIP/2.0 480 Later\n\n');
        }
        near.clock.advance(120_000);
        expect(near.dump).toMatchObject({ dialogs: 0, transactions: { servers: 0, clients: 0 } });
      }),
      { numRuns: 200 },
    );
  });
});
