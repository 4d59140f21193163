/** Two sessions of one media thread that are connected, and what a far end hears while it waits. */
import { rms } from '../../src/audio/pcm';
import { G711, pcmu } from '../../src/codecs/g711';
import { ManualClock } from '../../src/core/clock';
import { lineVoice } from '../../src/media/mix-minus';
import type { FromMedia, ToListener } from '../../src/media/protocol';
import { Sessions } from '../../src/media/sessions';
import type { TransportHooks } from '../../src/media/transport';
import { LoopbackTransport, pcmuFormat } from '../support/loopback-transport';
import { amplitudeAt, concat, seededRandom, sine } from '../support/signal';

/** Calls `a`, `b` and `c`, with far ends that can be heard and made to talk. */
async function someCalls() {
  const clock = new ManualClock();
  const messages: FromMedia[] = [];
  const lines = new Map<string, { transport: LoopbackTransport; hooks: TransportHooks; sequence: number }>();
  const sessions = new Sessions({
    clock,
    wallClockMs: () => 0,
    random: seededRandom(3),
    post: (message) => messages.push(message),
    openPeer: async ({ sessionId }, hooks) => {
      const transport = new LoopbackTransport(pcmuFormat, () => clock.nowMs());
      lines.set(sessionId, { transport, hooks, sequence: 0 });
      return { answerSdp: 'v=0', transport };
    },
  });
  for (const sessionId of ['a', 'b', 'c']) {
    sessions.receive({
      type: 'open-webrtc',
      sessionId,
      offerSdp: 'v=0',
      iceServers: [],
      advertised: [],
      ports: [30_000, 30_100],
      timeoutMs: 0,
    });
  }
  await new Promise((resolve) => setImmediate(resolve));
  const listened: Extract<ToListener, { type: 'audio' }>[] = [];
  const port = {
    postMessage: (message: ToListener) => message.type === 'audio' && listened.push(structuredClone(message)),
  };
  sessions.receive({ type: 'attach-listener', port: port as never });
  for (const { hooks } of lines.values()) hooks.onState('connected');
  const codec = new G711(pcmu);
  /** 20 ms steps in which the named far ends sound like that. */
  const talk = (sounds: Readonly<Record<string, Int16Array>>, frames: number): void => {
    for (let frame = 0; frame < frames; frame++) {
      for (const [sessionId, pcm] of Object.entries(sounds)) {
        const line = lines.get(sessionId)!;
        const payload = codec
          .encode(pcm.subarray((frame * 160) % pcm.length, ((frame * 160) % pcm.length) + 160))
          .slice();
        const sequenceNumber = line.sequence++;
        line.hooks.onPacket(
          { payloadType: 0, sequenceNumber, timestampTicks: sequenceNumber * 160, ssrc: 9, marker: false, payload },
          clock.nowMs(),
        );
      }
      clock.advance(20);
    }
  };
  const heard = (sessionId: string): Int16Array => {
    const out = new Int16Array(codec.maxDecodedSamples);
    const packets = lines.get(sessionId)!.transport.sent.splice(0);
    return concat(packets.map(({ payload }) => out.slice(0, codec.decode(payload, out))));
  };
  const bridge = (sessionId: string, peer: string): void =>
    sessions.receive({ type: 'source', sessionId, source: { kind: 'bridge', peers: [peer] } });
  const room = (sessionId: string, peers: readonly string[], playout = false): void =>
    sessions.receive({ type: 'source', sessionId, source: { kind: 'bridge', peers, ...(playout ? { playout } : {}) } });
  return { clock, sessions, talk, heard, bridge, room, listened };
}

const low = sine(400, 8000, 8000, 1600);
const high = sine(1500, 8000, 8000, 1600);
const strong = 3000;
const faint = 500;

const play = (sessions: Sessions, pcm: Int16Array): void => {
  sessions.receive({ type: 'play', sessionId: 'a', turnId: 1, pcm, sampleRate: 8000, words: [] });
  sessions.receive({ type: 'play-end', sessionId: 'a', turnId: 1 });
};

describe('two calls that are connected', () => {
  it('hear each other, and not themselves', async () => {
    const { talk, heard, bridge, sessions } = await someCalls();
    bridge('a', 'b');
    bridge('b', 'a');
    talk({ a: low, b: high }, 25);
    heard('a');
    heard('b');
    talk({ a: low, b: high }, 50);
    const atA = heard('a');
    const atB = heard('b');
    expect(amplitudeAt(atA, 1500, 8000)).toBeGreaterThan(strong);
    expect(amplitudeAt(atA, 400, 8000)).toBeLessThan(faint);
    expect(amplitudeAt(atB, 400, 8000)).toBeGreaterThan(strong);
    expect(amplitudeAt(atB, 1500, 8000)).toBeLessThan(faint);
    await sessions.closeAll();
  });

  it('hear nothing of each other any more once one is closed or does something else', async () => {
    const { talk, heard, bridge, sessions } = await someCalls();
    bridge('a', 'b');
    bridge('b', 'a');
    talk({ a: low, b: high }, 25);
    sessions.receive({ type: 'next-performance', sessionId: 'a' });
    talk({ a: low, b: high }, 10);
    heard('a');
    talk({ a: low, b: high }, 25);
    expect(rms(heard('a'))).toBeLessThan(faint);
    sessions.receive({ type: 'close', sessionId: 'a' });
    talk({ b: high }, 10);
    heard('b');
    talk({ b: high }, 25);
    expect(rms(heard('b'))).toBeLessThan(faint);
    await sessions.closeAll();
  });

  it('hear music over and over while they wait, and then what they heard before', async () => {
    const { clock, heard, sessions } = await someCalls();
    sessions.receive({ type: 'source', sessionId: 'a', source: { kind: 'tone', frequencyHz: 400, levelDbm0: -10 } });
    sessions.receive({
      type: 'music',
      sessionId: 'a',
      sound: { pcm: sine(1500, 8000, 16_000, 1600), sampleRate: 16_000 },
    });
    clock.advance(2_000);
    const waiting = heard('a');
    expect(amplitudeAt(waiting, 1500, 8000)).toBeGreaterThan(strong);
    expect(amplitudeAt(waiting, 400, 8000)).toBeLessThan(faint);
    sessions.receive({ type: 'music', sessionId: 'a' });
    clock.advance(40);
    heard('a');
    clock.advance(1_000);
    expect(amplitudeAt(heard('a'), 400, 8000)).toBeGreaterThan(strong);
    await sessions.closeAll();
  });

  it('hear music that stands still while something is said, and goes on behind it', async () => {
    const { clock, heard, sessions } = await someCalls();
    const sound = { pcm: sine(1500, 8000, 16_000, 1600), sampleRate: 16_000 };
    sessions.receive({ type: 'music', sessionId: 'a', sound, yields: true });
    clock.advance(1_000);
    expect(amplitudeAt(heard('a'), 1500, 8000)).toBeGreaterThan(strong);
    play(sessions, sine(400, 8000, 8000, 8000));
    clock.advance(40);
    heard('a');
    clock.advance(900);
    const said = heard('a');
    expect(amplitudeAt(said, 400, 8000)).toBeGreaterThan(strong);
    expect(amplitudeAt(said, 1500, 8000)).toBeLessThan(faint);
    clock.advance(200);
    heard('a');
    clock.advance(1_000);
    expect(amplitudeAt(heard('a'), 1500, 8000)).toBeGreaterThan(strong);
    await sessions.closeAll();
  });
});

describe('a conference', () => {
  const middle = sine(900, 8000, 8000, 1600);
  const tones = { a: 400, b: 900, c: 1500 } as const;
  const sounds = { a: low, b: middle, c: high };

  it('lets each of three hear the two others, and not itself', async () => {
    const { talk, heard, room, sessions } = await someCalls();
    room('a', ['b', 'c']);
    room('b', ['a', 'c']);
    room('c', ['a', 'b']);
    talk(sounds, 25);
    for (const one of ['a', 'b', 'c']) heard(one);
    talk(sounds, 50);
    for (const ear of ['a', 'b', 'c'] as const) {
      const pcm = heard(ear);
      // A packet each 20 ms, whoever talks.
      expect(pcm).toHaveLength(50 * 160);
      for (const [mouth, hz] of Object.entries(tones)) {
        if (mouth === ear) expect(amplitudeAt(pcm, hz, 8000)).toBeLessThan(faint);
        else expect(amplitudeAt(pcm, hz, 8000)).toBeGreaterThan(strong);
      }
    }
    await sessions.closeAll();
  });

  it('in which an agent stays lets both hear it, and its listener hear both', async () => {
    const { talk, heard, room, sessions, listened } = await someCalls();
    room('a', ['b'], true);
    room('b', ['a', 'a/agent']);
    play(sessions, sine(1500, 8000, 8000, 16_000));
    talk({ a: low, b: middle }, 25);
    for (const one of ['a', 'b']) heard(one);
    listened.length = 0;
    talk({ a: low, b: middle }, 50);
    const [atA, atB] = [heard('a'), heard('b')];
    expect(amplitudeAt(atA, 900, 8000)).toBeGreaterThan(strong);
    expect(amplitudeAt(atA, 1500, 8000)).toBeGreaterThan(strong);
    expect(amplitudeAt(atA, 400, 8000)).toBeLessThan(faint);
    expect(amplitudeAt(atB, 400, 8000)).toBeGreaterThan(strong);
    expect(amplitudeAt(atB, 1500, 8000)).toBeGreaterThan(strong);
    expect(amplitudeAt(atB, 900, 8000)).toBeLessThan(faint);
    const byAgent = concat(listened.filter(({ sessionId }) => sessionId === 'a').map(({ pcm }) => pcm));
    expect(amplitudeAt(byAgent, 400, 16_000)).toBeGreaterThan(strong);
    expect(amplitudeAt(byAgent, 900, 16_000)).toBeGreaterThan(strong);
    expect(amplitudeAt(byAgent, 1500, 16_000)).toBeLessThan(faint);
    await sessions.closeAll();
  });

  it('in which an agent is on hold repeats nothing of it', async () => {
    const { talk, heard, room, sessions } = await someCalls();
    room('a', ['b'], true);
    room('b', ['a', 'a/agent']);
    play(sessions, sine(1500, 8000, 8000, 32_000));
    talk({ a: low, b: middle }, 25);
    const sound = { pcm: sine(2000, 8000, 16_000, 1600), sampleRate: 16_000 };
    sessions.receive({ type: 'music', sessionId: 'a', sound });
    talk({ a: low, b: middle }, 10);
    heard('b');
    talk({ a: low, b: middle }, 50);
    expect(amplitudeAt(heard('b'), 1500, 8000)).toBeLessThan(faint);
    await sessions.closeAll();
  });
});

describe('who listens in on a call', () => {
  it('hears both of its sides, and is heard by neither', async () => {
    const { talk, heard, room, sessions } = await someCalls();
    room('c', ['a', lineVoice('a')]);
    play(sessions, sine(1500, 8000, 8000, 16_000));
    talk({ a: low, c: sine(2500, 8000, 8000, 1600) }, 25);
    heard('a');
    heard('c');
    talk({ a: low, c: sine(2500, 8000, 8000, 1600) }, 25);
    const atC = heard('c');
    expect(amplitudeAt(atC, 400, 8000)).toBeGreaterThan(strong);
    expect(amplitudeAt(atC, 1500, 8000)).toBeGreaterThan(strong);
    expect(amplitudeAt(atC, 2500, 8000)).toBeLessThan(faint);
    expect(amplitudeAt(heard('a'), 2500, 8000)).toBeLessThan(faint);
    await sessions.closeAll();
  });

  it('hears nothing while input is secure', async () => {
    const { talk, heard, room, sessions } = await someCalls();
    room('c', ['a', lineVoice('a')]);
    sessions.receive({ type: 'secure', sessionId: 'a', on: true });
    play(sessions, sine(1500, 8000, 8000, 16_000));
    talk({ a: low }, 25);
    heard('c');
    talk({ a: low }, 25);
    expect(rms(heard('c'))).toBeLessThan(faint);
    await sessions.closeAll();
  });

  it('hears no more of a call that is closed', async () => {
    const { talk, heard, room, sessions } = await someCalls();
    room('c', ['a', lineVoice('a')]);
    talk({ a: low }, 25);
    sessions.receive({ type: 'close', sessionId: 'a' });
    talk({}, 10);
    heard('c');
    talk({}, 25);
    expect(rms(heard('c'))).toBeLessThan(faint);
    await sessions.closeAll();
  });
});
