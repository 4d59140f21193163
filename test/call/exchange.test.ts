/** What the exchange refuses before there is a call, and with which code. */
import { Exchange, type ExchangeParts } from '../../src/call/exchange';
import { ManualClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { MediaRouter } from '../../src/media/media-router';
import type { SipUserAgent } from '../../src/sip/user-agent';

function exchange(options: { calls?: number } = {}) {
  const placed: string[] = [];
  const router = new MediaRouter({ post: () => undefined });
  const parts = {
    userAgent: { drain: () => undefined } as unknown as SipUserAgent,
    lines: router,
    peers: router,
    publish: (event: { type: string }) => placed.push(event.type),
    notReady: () => undefined,
    clock: new ManualClock(),
    log: silentLogger,
    events: { newId: () => 'e', now: () => new Date(0) },
    newCallId: () => `call_${placed.length}`,
    rtp: { bindAddressFor: () => '127.0.0.1', ports: [20_000, 20_100], timeoutMs: 1_000 },
    limits: { calls: options.calls ?? 1, callSeconds: 60 },
  } as unknown as ExchangeParts;
  const made = new Exchange(parts);
  const dial = (to: string, from?: string): string =>
    made.dialOut({ to, from, ringSeconds: 10, action: { type: 'echo' } });
  return { made, dial, placed };
}

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
