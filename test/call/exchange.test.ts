/** What the exchange refuses before there is a call, and with which code. */
import { Exchange } from '../../src/call/exchange';
import type { ExchangeParts } from '../../src/call/exchange-parts';
import { ManualClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { Action, AgentAction, DirectAction } from '../../src/dialplan/dialplan';
import { MediaRouter } from '../../src/media/media-router';
import type { FromMedia } from '../../src/media/protocol';
import type { IncomingInvite, SipUserAgent } from '../../src/sip/user-agent';

function exchange(options: { calls?: number; engineCalls?: number; chosen?: DirectAction } = {}) {
  const placed: string[] = [];
  let serial = 1;
  // A media thread that opens nothing, but gives back what it is told to close.
  const router: MediaRouter = new MediaRouter({
    post: (message) => {
      if (message.type !== 'close') return;
      const closed = { type: 'closed', sessionId: message.sessionId, stats: {} } as unknown as FromMedia;
      setImmediate(() => router.receive(closed));
    },
  });
  const parts = {
    userAgent: { drain: () => undefined } as unknown as SipUserAgent,
    lines: router,
    peers: router,
    publish: (event: { type: string }) => placed.push(event.type),
    notReady: () => undefined,
    route: ({ number }: { number: string }): Action =>
      number === 'agent' ? agent : number === 'application' ? application : { type: 'echo' },
    ask: async () => ({ action: options.chosen ?? { type: 'echo' }, fallbackBecause: undefined }),
    trusts: () => false,
    music: () => undefined,
    dialledAs: () => undefined,
    negotiation: () => ({}),
    webrtc: () => ({}),
    clock: new ManualClock(),
    log: silentLogger,
    events: { newId: () => 'e', now: () => new Date(0) },
    newCallId: () => `call_${serial++}`,
    rtp: { bindAddressFor: () => '127.0.0.1', ports: [20_000, 20_100], timeoutMs: 1_000 },
    limits: { calls: options.calls ?? 1, callSeconds: 60, engineCalls: options.engineCalls ?? 1 },
  } as unknown as ExchangeParts;
  const made = new Exchange(parts);
  const dial = (to: string, from?: string, action: DirectAction = { type: 'echo' }): string =>
    made.dialOut({ to, from, ringSeconds: 10, action });
  return { made, dial, placed };
}

/** A call from outside that is never answered by the media behind it: what the exchange does to it at once is the test. */
function ring(made: Exchange, number: string) {
  const refusals: { status: number; reason: string | undefined; retryAfter: string | undefined }[] = [];
  const invite = {
    calledNumber: number,
    from: { user: 'alice', uri: 'sip:alice@192.0.2.1' },
    to: { uri: `sip:${number}@192.0.2.9` },
    sipCallId: 'x',
    headers: {},
    header: () => undefined,
    source: { address: '192.0.2.1', port: 5060 },
    onCancelled: () => undefined,
    // As on the wire: the first final response ends the transaction.
    reject: (status: number, reason?: string, headers: Readonly<Record<string, string>> = {}) => {
      if (refusals.length === 0) refusals.push({ status, reason, retryAfter: headers['Retry-After'] });
    },
  };
  made.takeInvite(invite as unknown as IncomingInvite);
  return refusals;
}

const persona = { id: 'p', name: 'P', instructions: '', facts: [] };
const application = { type: 'webhook' } as unknown as Action;
const agent: AgentAction = { type: 'agent', persona } as unknown as AgentAction;
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('an outgoing call', () => {
  it.each(['nonsense', '+4930123', 'tel:+4930123', 'sip:', 'sip:a\r\nX: y@192.0.2.1', 'http://192.0.2.1/'])(
    'to %j is refused before it exists',
    (to) => {
      const { dial, placed } = exchange();
      expect(() => dial(to)).toThrow(expect.objectContaining({ code: 'sip.bad-uri' }));
      expect(placed).toEqual([]);
    },
  );

  it('from something that would end its header line is refused too', () => {
    const { dial, placed } = exchange();
    expect(() => dial('sip:a@192.0.2.1', 'me\r\nX: y')).toThrow(expect.objectContaining({ code: 'sip.bad-uri' }));
    expect(placed).toEqual([]);
  });

  it('is told whether there is no room or the agent is shutting down', () => {
    const full = exchange({ calls: 0 });
    expect(() => full.dial('sip:a@192.0.2.1')).toThrow(expect.objectContaining({ code: 'call.refused' }));
    const closing = exchange();
    void closing.made.drain();
    expect(() => closing.dial('sip:a@192.0.2.1')).toThrow(expect.objectContaining({ code: 'call.draining' }));
  });
});

describe('listening in', () => {
  const browser = { address: '192.0.2.1', userAgent: undefined };

  it('needs a call that there is, and that is answered', async () => {
    const { made, dial } = exchange({ calls: 10 });
    await expect(made.web.listen('call_x', '', browser)).rejects.toMatchObject({ code: 'call.not-found' });
    const id = dial('sip:a@192.0.2.1');
    await expect(made.web.listen(id, '', browser)).rejects.toMatchObject({ code: 'call.wrong-state' });
    expect(made.live).toBe(1);
  });
});

describe('a call beyond engine.maxCalls', () => {
  const offer = { address: '192.0.2.1', userAgent: undefined };
  const busy = [{ status: 503, reason: 'engine.full', retryAfter: '30' }];

  it('is refused on SIP, in the browser and on the way out alike, while calls without an agent go on', async () => {
    const { made, dial } = exchange({ calls: 10, engineCalls: 1 });
    dial('sip:a@192.0.2.1', undefined, agent);
    expect(ring(made, 'agent')).toEqual(busy);
    await expect(made.web.place('agent', '', offer)).rejects.toMatchObject({
      code: 'engine.full',
      details: { retryAfterSeconds: 30 },
    });
    expect(() => dial('sip:b@192.0.2.1', undefined, agent)).toThrow(expect.objectContaining({ code: 'engine.full' }));
    expect(made.live).toBe(1);
    expect(ring(made, 'echo')).toEqual([]);
    dial('sip:c@192.0.2.1');
    expect(made.live).toBe(3);
    expect(made.dump()).toMatchObject({ refused: 3 });
  });

  it('is refused too when it is an application that chooses the agent', async () => {
    const { made, dial } = exchange({ calls: 10, engineCalls: 1, chosen: agent });
    dial('sip:a@192.0.2.1', undefined, agent);
    const refusals = ring(made, 'application');
    const web = made.web.place('application', '', offer);
    await expect(web).rejects.toMatchObject({ code: 'engine.full' });
    await settle();
    expect(refusals).toEqual(busy);
    expect(made.live).toBe(1);
  });

  it('is taken again when a call with an agent has ended', async () => {
    const { made, dial } = exchange({ calls: 10, engineCalls: 1 });
    const id = dial('sip:a@192.0.2.1', undefined, agent);
    expect(ring(made, 'agent')).toEqual(busy);
    await made.find(id)?.close('hangup-requested');
    expect(ring(made, 'agent')).toEqual([]);
  });
});
