/** RFC 4475 and RFC 5118, message by message, through the whole agent: parser, transactions, drachtio-srf, user agent, SDP. */
import fc from 'fast-check';
import { SystemClock } from '../../../src/core/clock';
import { silentLogger } from '../../../src/core/log';
import { parseMessage } from '../../../src/sip/embedded/parser';
import { answerOffer } from '../../../src/sip/offer-answer';
import type { RegisterAnswer } from '../../../src/sip/registrar';
import { SrfUserAgent } from '../../../src/sip/srf-user-agent';
import type { IncomingInvite } from '../../../src/sip/user-agent';
import { MemoryTransport } from './memory-transport';
import { mutated } from './mutated-messages';
import { tortureMessages } from './torture-messages';
import { ipv6TortureMessages } from './torture-messages-ipv6';

const local = { address: '127.0.0.1', port: 4000, codecs: ['PCMU'] } as const;
const everyMessage = [...tortureMessages, ...ipv6TortureMessages];

/** Answers as a call is answered, or refuses what cannot be. */
function take(invite: IncomingInvite): void {
  const result = answerOffer(invite.offerSdp ?? '', local, { sessionId: '1' });
  if (result.kind === 'refused') invite.reject(488);
  else void invite.accept(result.sdp).catch(() => undefined);
}

describe.each([
  ['an agent without users', undefined],
  [
    'an agent that is a registrar',
    (): RegisterAnswer => ({ status: 401, headers: { 'WWW-Authenticate': 'Digest realm="r", nonce="n"' } }),
  ],
])('RFC 4475 and RFC 5118: %s', (_what, onRegister) => {
  let agent: SrfUserAgent;
  let transport: MemoryTransport;

  beforeAll(async () => {
    transport = new MemoryTransport({ address: '127.0.0.1', port: 5060 });
    agent = new SrfUserAgent({
      listen: { host: '127.0.0.1', port: 5060 },
      clock: new SystemClock(),
      log: silentLogger,
      userAgentName: 'Trunkline test',
      transports: [transport],
      ...(onRegister === undefined ? {} : { onRegister }),
      // No copies of earlier answers in between.
      timers: { t1Ms: 60_000, t2Ms: 60_000, t4Ms: 60_000 },
    });
    agent.onInvite(take);
    await agent.start();
  });

  afterAll(() => agent.stop());

  /** Several messages share a branch, so each comes from a port of its own, as a new sent-by would. */
  async function finalStatus(bytes: Buffer, index: number): Promise<number | 'dropped'> {
    transport.sent.length = 0;
    transport.inject(bytes, { transport: 'udp', address: `192.0.2.${index + 1}`, port: 5060 });
    // A probe behind it: when that is answered, the message before it has been dealt with.
    transport.inject(
      `OPTIONS sip:probe@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.250;branch=z9hG4bKprobe${index}\nMax-Forwards: 70\nFrom: <sip:p@example.com>;tag=p\nTo: <sip:probe@example.com>\nCall-ID: probe${index}\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n`,
      { transport: 'udp', address: '192.0.2.250', port: 5060 },
    );
    const probed = (): boolean => transport.sent.some(({ text }) => text.includes(`Call-ID: probe${index}\r\n`));
    for (let turn = 0; turn < 400 && !probed(); turn++) await new Promise((done) => setTimeout(done, 5));
    expect(probed()).toBe(true);
    const responses = transport.sent.filter(({ text }) => !text.includes('Call-ID: probe'));
    const finals = responses.map(({ text }) => Number(text.slice(8, 11))).filter((status) => status >= 200);
    return finals[0] ?? 'dropped';
  }

  it('has all 49 and 12 messages', () => {
    expect(tortureMessages).toHaveLength(49);
    expect(new Set(tortureMessages.map(({ section }) => section)).size).toBe(49);
    expect(new Set(ipv6TortureMessages.map(({ name }) => name)).size).toBe(12);
  });

  it.each(everyMessage.map((one, index) => ({ ...one, index })))(
    '$section $name -> $outcome',
    async ({ bytes, outcome, index }) => {
      // Nobody has shown a password yet.
      const registers = onRegister !== undefined && outcome === 405 && bytes.toString('latin1', 0, 9) === 'REGISTER ';
      expect(await finalStatus(bytes, index)).toBe(registers ? 401 : outcome);
    },
  );

  it('leaves no request unanswered by the application, however damaged it was', async () => {
    const embedded = (): Record<string, unknown> => agent.dump()['embedded'] as Record<string, unknown>;
    const before = Number(embedded()['requestsIn']);
    for (const [at, bytes] of fc.sample(mutated, { numRuns: 1200, seed: 42 }).entries()) {
      // Each its own transaction and call.
      const own = bytes.toString('latin1').replace(/(z9hG4bK|Call-ID: |i: )/g, `$1${at}`);
      transport.inject(Buffer.from(own, 'latin1'), { transport: 'udp', address: '198.51.100.1', port: 5060 });
    }
    expect(Number(embedded()['requestsIn']) - before).toBeGreaterThan(100);
    for (let turn = 0; turn < 2000 && embedded()['awaitingApplication'] !== 0; turn++) {
      await new Promise((done) => setTimeout(done, 5));
    }
    expect(embedded()['awaitingApplication']).toBe(0);
  });
});

describe('the messages that no server would answer', () => {
  it.each([
    ['unreason', true],
    ['noreason', true],
    ['scalarlg', false],
    ['bigcode', false],
  ])('%s is a response that can be read: %s', (name, readable) => {
    const found = tortureMessages.find((one) => one.name.startsWith(name));
    expect(parseMessage(found!.bytes).kind).toBe(readable ? 'message' : 'malformed');
  });
});
