import fc from 'fast-check';
import { ManualClock } from '../../src/core/clock';
import { TrunklineError } from '../../src/core/errors';
import { Inbound } from '../../src/media/inbound';
import type { FromMedia, ToMedia } from '../../src/media/protocol';
import { Sessions } from '../../src/media/sessions';
import type { OpenPeer, TransportHooks } from '../../src/media/transport';
import { LoopbackTransport, pcmuFormat } from '../support/loopback-transport';
import { seededRandom, sine } from '../support/signal';

const openWebrtc: Extract<ToMedia, { type: 'open-webrtc' }> = {
  type: 'open-webrtc',
  sessionId: 'w',
  offerSdp: 'v=0',
  iceServers: [],
  advertised: [],
  ports: [30_000, 30_100],
  timeoutMs: 0,
};

function makeSessions(openPeer: (hooks: TransportHooks, transport: LoopbackTransport) => ReturnType<OpenPeer>) {
  const clock = new ManualClock();
  const messages: FromMedia[] = [];
  const transport = new LoopbackTransport(pcmuFormat, () => clock.nowMs());
  let hooks: TransportHooks | undefined;
  const sessions = new Sessions({
    clock,
    wallClockMs: () => 0,
    random: seededRandom(3),
    post: (message) => messages.push(message),
    openPeer: (_message, given) => {
      hooks = given;
      return openPeer(given, transport);
    },
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, messages, transport, sessions, settle, hooks: () => hooks! };
}

describe('sessions over WebRTC', () => {
  it('answer the offer, send once connected, and carry events both ways', async () => {
    const call = makeSessions(async (_hooks, transport) => ({ answerSdp: 'v=0 answer', transport }));
    call.sessions.receive(openWebrtc);
    await call.settle();
    expect(call.messages).toEqual([{ type: 'webrtc-answer', sessionId: 'w', answerSdp: 'v=0 answer' }]);
    call.clock.advance(500);
    expect(call.transport.sent).toHaveLength(0);
    call.hooks().onState('connected');
    call.clock.advance(500);
    expect(call.transport.sent.length).toBeGreaterThanOrEqual(24);
    call.sessions.receive({ type: 'send-event', sessionId: 'w', json: '{"a":1}' });
    expect(call.transport.events).toEqual(['{"a":1}']);
    call.hooks().onEvent('{"text":"hello"}');
    expect(call.messages.at(-1)).toEqual({ type: 'event', sessionId: 'w', json: '{"text":"hello"}' });
  });

  it('report why an offer could not be served, and forget the session', async () => {
    const call = makeSessions(async () => {
      throw new TrunklineError('webrtc.bad-offer', 'The offer is no SDP.');
    });
    call.sessions.receive(openWebrtc);
    await call.settle();
    expect(call.messages[0]).toMatchObject({ type: 'failed', sessionId: 'w', code: 'webrtc.bad-offer' });
    call.sessions.receive({ type: 'close', sessionId: 'w' });
    expect(call.sessions.dump()).toMatchObject({ sessions: [], strayMessages: 1 });
  });

  it('close the peer that was opened for a call which ended meanwhile', async () => {
    let open = () => {};
    const call = makeSessions(
      (_hooks, transport) => new Promise((resolve) => (open = () => resolve({ answerSdp: '', transport }))),
    );
    call.sessions.receive(openWebrtc);
    call.sessions.receive({ type: 'close', sessionId: 'w' });
    open();
    await call.settle();
    expect(call.transport.closed).toBe(true);
    expect(call.messages.map(({ type }) => type)).toEqual(['closed']);
  });

  it('close all, each once', async () => {
    const call = makeSessions(async (_hooks, transport) => ({ answerSdp: '', transport }));
    call.sessions.receive(openWebrtc);
    await call.settle();
    await call.sessions.closeAll();
    await call.sessions.closeAll();
    expect(call.messages.filter(({ type }) => type === 'closed')).toHaveLength(1);
  });
});

describe('the inbound line', () => {
  const packets = fc.array(
    fc.record({
      payloadType: fc.constantFrom(0, 0, 0, 101, 13, 127),
      sequenceNumber: fc.nat(0xffff),
      timestampTicks: fc.oneof(fc.nat(20_000), fc.nat(0xffff_ffff)),
      ssrc: fc.constantFrom(1, 1, 1, 2),
      marker: fc.boolean(),
      payload: fc.oneof(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ minLength: 160, maxLength: 160 })),
    }),
    { maxLength: 80 },
  );

  it.each([
    pcmuFormat,
    { codec: { name: 'opus' as const, payloadType: 0, clockRate: 48_000, packetMs: 20 }, telephoneEvent: undefined },
  ])('gives 320 samples per tick whatever packets say ($codec.name)', (format) => {
    fc.assert(
      fc.property(packets, (list) => {
        const inbound = new Inbound(format, () => {});
        let nowMs = 0;
        for (const packet of list) {
          inbound.push(packet, nowMs);
          nowMs += 20;
          expect(inbound.tick(nowMs).length).toBe(320);
        }
        expect(inbound.callSample).toBe(list.length * 320);
      }),
      { numRuns: 100 },
    );
  });

  it('drops and counts payload types that were not negotiated', () => {
    const inbound = new Inbound(pcmuFormat, () => {});
    for (let i = 0; i < 5; i++) {
      const packet = { payloadType: 18, sequenceNumber: i, timestampTicks: i * 160, ssrc: 1, marker: false };
      inbound.push({ ...packet, payload: Uint8Array.of(...sine(100, 50, 8000, 4)) }, i * 20);
    }
    expect(inbound.stats.packetsDropped).toBe(5);
  });
});
