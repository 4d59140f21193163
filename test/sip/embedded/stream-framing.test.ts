import { connect } from 'node:net';
import fc from 'fast-check';
import { parserCaps } from '../../../src/sip/embedded/parser';
import { StreamFraming } from '../../../src/sip/embedded/stream-framing';
import { TcpTransport } from '../../../src/sip/embedded/tcp-transport';
import { sdpBody, wire } from './endpoint-driver';

const messages = [
  wire({ method: 'INVITE', body: sdpBody }),
  wire({ method: 'OPTIONS' }),
  wire({ method: 'INFO', body: 'Signal=é\r\n\r\nl: 99' }).replace('Content-Length', 'l'),
];

describe('StreamFraming', () => {
  it('finds the same messages however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...messages), { maxLength: 6 }),
        fc.integer({ min: 1, max: 400 }),
        (sent, size) => {
          const stream = Buffer.from(sent.join(''));
          const framing = new StreamFraming();
          const found: string[] = [];
          for (let at = 0; at < stream.length; at += size) {
            const { messages: some, broken } = framing.push(stream.subarray(at, at + size));
            expect(broken).toBeUndefined();
            found.push(...some.map((one) => one.toString()));
          }
          expect(found).toEqual(sent);
        },
      ),
    );
  });

  it('counts pings between messages', () => {
    const framing = new StreamFraming();
    expect(framing.push(Buffer.from('\r\n')).pings).toBe(0);
    expect(framing.push(Buffer.from('\r\n'))).toMatchObject({ pings: 1, messages: [] });
    expect(framing.push(Buffer.from(`\r\n\r\n${messages[1]}`)).messages).toHaveLength(1);
  });

  it.each([
    ['no Content-Length', wire({ method: 'OPTIONS' }).replace(/Content-Length.*\r\n/, '')],
    ['letters in it', wire({ method: 'OPTIONS' }).replace('Length: 0', 'Length: abc')],
    ['a negative one', wire({ method: 'OPTIONS' }).replace('Length: 0', 'Length: -5')],
    ['two of them', wire({ method: 'OPTIONS', extra: 'l: 0' })],
    ['one beyond the cap', wire({ method: 'OPTIONS' }).replace('Length: 0', 'Length: 99999')],
    ['headers without end', 'x'.repeat(parserCaps.datagramBytes + 1)],
  ])('gives a stream up that has %s', (_what, text) => {
    expect(new StreamFraming().push(Buffer.from(text)).broken).toBeDefined();
  });

  it('never throws and never holds more than one message', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 3000 }),
            fc.constantFrom(...messages.map((one) => new Uint8Array(Buffer.from(one)))),
          ),
          { maxLength: 20 },
        ),
        (chunks) => {
          const framing = new StreamFraming();
          for (const chunk of chunks) if (framing.push(Buffer.from(chunk)).broken !== undefined) return;
        },
      ),
    );
  });
});

describe('TcpTransport', () => {
  it('answers on the connection a message came by, and closes one that cannot be framed', async () => {
    const transport = new TcpTransport({ host: '127.0.0.1', port: 0 });
    await transport.start((_bytes, from) => transport.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'), from, () => {}));
    const client = connect(transport.local.port, '127.0.0.1');
    let heard = '';
    client.on('data', (chunk) => {
      heard += chunk.toString();
    });
    client.write(wire({ method: 'OPTIONS' }));
    client.write(wire({ method: 'OPTIONS', branch: 'two' }));
    for (let turn = 0; turn < 200 && heard.length < 36; turn++) await new Promise((done) => setTimeout(done, 5));
    expect(heard).toBe('SIP/2.0 200 OK\r\n\r\n'.repeat(2));
    client.write('OPTIONS sip:x SIP/2.0\r\nContent-Length: lots\r\n\r\n');
    await new Promise((closed) => client.once('close', closed));
    expect(transport.dump()).toMatchObject({ connections: 0, brokenStreams: 1, messagesIn: 2 });
    await transport.stop();
  });

  it('reports a far end that refuses the connection', async () => {
    const transport = new TcpTransport({ host: '127.0.0.1', port: 0 });
    await transport.start(() => {});
    const free = new TcpTransport({ host: '127.0.0.1', port: 0 });
    await free.start(() => {});
    const { port } = free.local;
    await free.stop();
    await new Promise<void>((failed) =>
      transport.send(Buffer.from('x'), { transport: 'tcp', address: '127.0.0.1', port }, () => failed()),
    );
    expect(transport.dump()).toMatchObject({ connections: 0, sendErrors: 1 });
    await transport.stop();
  });

  it('says plainly that its port is taken', async () => {
    const first = new TcpTransport({ host: '127.0.0.1', port: 0 });
    await first.start(() => {});
    const second = new TcpTransport({ host: '127.0.0.1', port: first.local.port });
    await expect(second.start(() => {})).rejects.toMatchObject({ code: 'sip.listen-failed' });
    await first.stop();
  });
});
