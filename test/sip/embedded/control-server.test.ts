import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { SystemClock } from '../../../src/core/clock';
import { silentLogger } from '../../../src/core/log';
import { encodeFrame, FrameReader, parseCommand } from '../../../src/sip/embedded/control-frame';
import { type EmbeddedEndpoint, openEmbeddedEndpoint } from '../../../src/sip/embedded/embedded-endpoint';
import { wire } from './endpoint-driver';
import { MemoryTransport } from './memory-transport';

describe('FrameReader', () => {
  it('finds the frames however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), { maxLength: 10 }),
        fc.nat(20),
        (payloads, cut) => {
          const stream = Buffer.concat(payloads.map(encodeFrame));
          const reader = new FrameReader(4096);
          const found: string[] = [];
          for (let at = 0; at < stream.length; at += cut + 1) {
            const { payloads: some, broken } = reader.push(stream.subarray(at, at + cut + 1));
            expect(broken).toBe(false);
            found.push(...some);
          }
          expect(found).toEqual(payloads.map((one) => Buffer.from(one, 'utf8').toString('utf8')));
        },
      ),
    );
  });

  it('counts bytes, not characters', () => {
    expect(encodeFrame('é').toString('latin1', 0, 2)).toBe('2#');
  });

  it.each(['x#abc', '-1#a', '99999999#', '5000#', '#abc', '1.5#a'])('gives up on %s', (text) => {
    expect(new FrameReader(4096).push(Buffer.from(text)).broken).toBe(true);
  });

  it('never throws and never keeps more than one frame', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 30 }), (chunks) => {
        const reader = new FrameReader(256);
        for (const chunk of chunks) {
          const { payloads, broken } = reader.push(Buffer.from(chunk));
          for (const payload of payloads) parseCommand(payload);
          if (broken) return;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the control server', () => {
  let endpoint: EmbeddedEndpoint;
  let transport: MemoryTransport;
  let client: Socket;
  let received: string[];
  let closed: boolean;

  beforeEach(async () => {
    transport = new MemoryTransport({ address: '127.0.0.1', port: 5060 });
    endpoint = await openEmbeddedEndpoint({ transports: [transport], clock: new SystemClock(), log: silentLogger });
    received = [];
    closed = false;
    const mine = connect(endpoint.control.port, '127.0.0.1');
    client = mine;
    const reader = new FrameReader(65_536);
    client.on('data', (chunk) => received.push(...reader.push(chunk).payloads));
    // The client of the test before may be told of its end only now.
    client.on('close', () => {
      closed ||= mine === client;
    });
    client.on('error', () => undefined);
    await new Promise((connected) => client.once('connect', connected));
  });

  afterEach(async () => {
    client.destroy();
    await endpoint.stop();
  });

  async function until(condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < 400 && !condition(); turn++) await new Promise((done) => setTimeout(done, 5));
    expect(condition()).toBe(true);
  }

  const say = (payload: string): void => void client.write(encodeFrame(payload));
  const replyTo = (id: string): string => received.find((one) => one.includes(`|response|${id}|`)) ?? '';

  it('greets who knows the secret with its addresses and version', async () => {
    say(`m1|authenticate|${endpoint.control.secret}|`);
    await until(() => replyTo('m1') !== '');
    expect(replyTo('m1')).toMatch(/\|response\|m1\|OK\|udp\/127\.0\.0\.1:5060\|v0\.9\.\d+\|/);
  });

  it('closes on a wrong secret, and on anything before the secret', async () => {
    say('m1|authenticate|guess|');
    await until(() => closed);
    expect(replyTo('m1')).toContain('|NO|');
    expect(endpoint.dump()['control']).toMatchObject({ refusedConnections: 1 });
  });

  it('lets nobody take calls who has not authenticated', async () => {
    say('m1|route|invite');
    await until(() => closed);
    transport.inject(wire({ method: 'INVITE' }));
    expect(transport.lines).toEqual(['SIP/2.0 503 Service Unavailable']);
  });

  it('answers pings, and refuses what it does not know without closing', async () => {
    say(`m1|authenticate|${endpoint.control.secret}|`);
    say('m2|ping');
    say('m3|frobnicate');
    say('m4|sip||\r\nhello');
    await until(() => replyTo('m4') !== '');
    expect(replyTo('m2')).toContain('|OK|pong');
    expect(replyTo('m3')).toContain('|NO|');
    expect(replyTo('m4')).toContain('|NO|');
    expect(closed).toBe(false);
  });

  it('delivers requests of registered verbs and echoes a response before it leaves', async () => {
    say(`m1|authenticate|${endpoint.control.secret}|`);
    say('m2|route|invite');
    await until(() => replyTo('m2') !== '');
    transport.inject(wire({ method: 'INVITE' }));
    await until(() => received.some((one) => one.includes('|sip|network|')));
    const [head] = received.find((one) => one.includes('|sip|network|'))?.split('\r\n') ?? [];
    const fields = head?.split('|') ?? [];
    expect(fields.slice(4, 7)).toEqual(['udp', '192.0.2.1', '5060']);
    expect(fields.slice(9)).toEqual(['', '127.0.0.1', '5060', '']);
    say(`m5|sip|${fields[8]}|\r\nSIP/2.0 486 Busy Here\r\n\r\n`);
    await until(() => replyTo('m5') !== '');
    expect(replyTo('m5')).toMatch(/\|OK\|application\|\d+\|udp\|192\.0\.2\.1\|5060\|[^|]+\|s\d+\|/);
    expect(transport.lines.at(-1)).toBe('SIP/2.0 486 Busy Here');
  });

  it('stops delivering a verb that was removed, and only that one', async () => {
    say(`m1|authenticate|${endpoint.control.secret}|`);
    say('m2|route|invite');
    say('m3|route|options');
    say('m4|remove_route|invite');
    await until(() => replyTo('m4') !== '');
    transport.inject(wire({ method: 'INVITE' }));
    expect(transport.lines).toEqual(['SIP/2.0 503 Service Unavailable']);
    transport.inject(wire({ method: 'OPTIONS', branch: 'o', callId: 'o' }));
    await until(() => received.some((one) => one.includes('OPTIONS sip:')));
  });

  it('closes on a stream that is no frames', async () => {
    client.write('GET / HTTP/1.1\r\n\r\n');
    await until(() => closed);
  });
});
