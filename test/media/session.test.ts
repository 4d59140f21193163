import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { rms } from '../../src/audio/pcm';
import { dtmfFrequencies, Tone } from '../../src/audio/tone';
import { readWav } from '../../src/audio/wav';
import { G711, pcmu } from '../../src/codecs/g711';
import { Opus } from '../../src/codecs/opus';
import type { QualitySample } from '../../src/core/call-trace';
import { ManualClock } from '../../src/core/clock';
import { capturedPackets } from '../../src/media/packet-capture';
import type { FromMedia, ToListener } from '../../src/media/protocol';
import { Session } from '../../src/media/session';
import type { MediaFormat } from '../../src/media/transport';
import { Pacer } from '../../src/rtp/pacer';
import { LoopbackTransport, pcmuFormat } from '../support/loopback-transport';
import { amplitudeAt, concat, seededRandom, sharpestBend, sine } from '../support/signal';

function makeCall(format: MediaFormat = pcmuFormat) {
  const clock = new ManualClock();
  const pacer = new Pacer(clock);
  const messages: FromMedia[] = [];
  const samples: QualitySample[] = [];
  const listener = new MessageChannel();
  const session = new Session('s', {
    clock,
    wallClockMs: () => 0,
    pacer,
    random: seededRandom(11),
    post: (message) => {
      if (message.type === 'quality') samples.push(message.sample);
      else messages.push(message);
    },
    listener: () => listener.port1,
  });
  const transport = new LoopbackTransport(format, () => clock.nowMs());
  session.attach(transport);
  const heard = (): ToListener[] => {
    const out: ToListener[] = [];
    for (;;) {
      const received = receiveMessageOnPort(listener.port2);
      if (received === undefined) return out;
      out.push(received.message);
    }
  };
  const codec = new G711(pcmu);
  let frame = 0;
  /** Far end and session side by side; `lost` frames never arrive. */
  const talk = (pcm: Int16Array, lost: (frame: number) => boolean = () => false) => {
    for (let at = 0; at + 160 <= pcm.length; at += 160) {
      const payload = codec.encode(pcm.subarray(at, at + 160)).slice();
      const packet = {
        payloadType: 0,
        sequenceNumber: (65_500 + frame) & 0xffff,
        timestampTicks: (0xffff_ff00 + frame * 160) >>> 0,
        ssrc: 9,
        marker: frame === 0,
        payload,
      };
      if (!lost(frame++)) session.hooks.onPacket(packet, clock.nowMs());
      clock.advance(20);
    }
  };
  const run = (more: Partial<{ send: boolean; receive: boolean; timeoutMs: number }> = {}) =>
    session.run(format, { send: true, receive: true, timeoutMs: 0, ...more });
  const close = async () => {
    await session.close();
    listener.port1.close();
  };
  return { clock, session, transport, messages, samples, heard, talk, run, close };
}

const audioOf = (messages: ToListener[]) =>
  concat(messages.flatMap((message) => (message.type === 'audio' ? [Int16Array.from(message.pcm)] : [])));

describe('a session', () => {
  it('gives the listener a frame of 320 samples each 20 ms on one sample clock, silence included', async () => {
    const call = makeCall();
    call.run();
    call.clock.advance(200);
    call.talk(sine(500, 8000, 8000, 8000));
    call.clock.advance(200);
    const frames = call.heard();
    expect(frames.length).toBeGreaterThanOrEqual(69);
    frames.forEach((frame, i) => {
      expect(frame).toMatchObject({ type: 'audio', sessionId: 's', startSample: i * 320 });
      if (frame.type === 'audio') expect(frame.pcm.length).toBe(320);
    });
    await call.close();
    expect(call.heard().at(-1)).toEqual({ type: 'session-closed', sessionId: 's' });
  });

  it('brings what was said to 16 kHz unchanged, with little delay', async () => {
    const call = makeCall();
    call.run();
    call.talk(sine(500, 8000, 8000, 8000));
    const audio = audioOf(call.heard());
    expect(amplitudeAt(audio.slice(6000, 15_000), 500, 16_000)).toBeGreaterThan(7500);
    const onset = audio.findIndex((sample) => Math.abs(sample) > 2000);
    expect(onset / 16).toBeLessThan(70);
    await call.close();
  });

  it('conceals lost packets without a click', async () => {
    const call = makeCall();
    call.run();
    const voice = sine(200, 8000, 8000, 16_000);
    call.talk(voice, (frame) => frame > 10 && frame % 7 === 0);
    const audio = audioOf(call.heard());
    const own = sharpestBend(sine(200, 8000, 16_000, 16_000));
    // G.711 itself adds its steps to the bend.
    expect(sharpestBend(audio, 4000, 30_000)).toBeLessThan(own + 900);
    expect(call.session.stats()).toMatchObject({ packetsLost: 13 });
    expect(call.session.stats().concealedMs).toBeGreaterThan(200);
    await call.close();
  });

  it('sends a packet every 20 ms whether there is something to say or not', async () => {
    const call = makeCall();
    call.run();
    call.clock.advance(1000);
    call.session.receive({
      type: 'play',
      sessionId: 's',
      turnId: 1,
      pcm: sine(400, 8000, 22_050, 11_025),
      sampleRate: 22_050,
      words: [],
    });
    call.clock.advance(2000);
    const { sent } = call.transport;
    expect(sent.length).toBeGreaterThanOrEqual(149);
    for (let i = 1; i < sent.length; i++) {
      expect(sent[i]!.atMs - sent[i - 1]!.atMs).toBeCloseTo(20, 6);
      expect((sent[i]!.timestampTicks - sent[i - 1]!.timestampTicks) >>> 0).toBe(160);
    }
    const silence = call.transport.pcm().slice(0, 4000);
    expect(rms(silence)).toBeGreaterThan(0);
    expect(rms(silence)).toBeLessThan(40);
    await call.close();
  });

  it('puts the place of playout on the call sample clock', async () => {
    const call = makeCall();
    call.run();
    call.clock.advance(1000);
    const words = [{ text: 'hello', startSample: 0, endSample: 8000 }];
    const pcm = sine(400, 8000, 16_000, 8000);
    call.session.receive({ type: 'play', sessionId: 's', turnId: 4, pcm, sampleRate: 16_000, words });
    call.session.receive({ type: 'play-end', sessionId: 's', turnId: 4 });
    call.clock.advance(1000);
    const playout = call.messages.filter((message) => message.type === 'playout');
    const started = playout[0]!;
    const finished = playout.at(-1)!;
    expect(started).toMatchObject({ turnId: 4, state: 'started', callSample: 16_000 });
    expect(finished).toMatchObject({ turnId: 4, state: 'finished', playedMs: 500, heardText: 'hello' });
    // The last part of a frame and the filter's tail end within two frames of the half second.
    expect(finished.callSample - started.callSample).toBeGreaterThanOrEqual(7680);
    expect(finished.callSample - started.callSample).toBeLessThanOrEqual(8640);
    await call.close();
  });

  it('sends nothing on hold, hears silence, and goes on where it was', async () => {
    const call = makeCall();
    call.run();
    call.session.receive({
      type: 'play',
      sessionId: 's',
      turnId: 1,
      pcm: sine(400, 8000, 8000, 16_000),
      sampleRate: 8000,
      words: [],
    });
    call.clock.advance(500);
    call.run({ send: false, receive: false });
    const held = call.transport.sent.length;
    call.heard();
    call.talk(sine(500, 8000, 8000, 8000));
    expect(call.transport.sent.length).toBe(held);
    expect(rms(audioOf(call.heard()))).toBe(0);
    call.run();
    call.session.receive({ type: 'play-end', sessionId: 's', turnId: 1 });
    call.clock.advance(1700);
    const finished = call.messages.findLast((message) => message.type === 'playout');
    expect(finished).toMatchObject({ state: 'finished', playedMs: 2000 });
    expect(call.transport.sent[held]!.marker).toBe(true);
    expect((call.transport.sent[held]!.timestampTicks - call.transport.sent[held - 1]!.timestampTicks) >>> 0).toBe(
      51 * 160,
    );
    await call.close();
  });

  it('skips time after a stall instead of sending a burst', async () => {
    const call = makeCall();
    const lateClock = call.clock;
    call.run();
    lateClock.advance(200);
    const before = call.transport.sent.length;
    // The thread stood still: timers that were due run once, late.
    const nowMs = lateClock.nowMs.bind(lateClock);
    let offsetMs = 0;
    lateClock.nowMs = () => nowMs() + offsetMs;
    offsetMs = 1000;
    lateClock.advance(20);
    const { sent } = call.transport;
    expect(sent.length - before).toBeLessThanOrEqual(2);
    expect((sent[before]!.timestampTicks - sent[before - 1]!.timestampTicks) >>> 0).toBeGreaterThanOrEqual(49 * 160);
    expect(sent[before]!.sequenceNumber).toBe((sent[before - 1]!.sequenceNumber + 1) & 0xffff);
    const frames = call.heard();
    expect(frames.map((frame) => 'startSample' in frame && frame.startSample)).toEqual(frames.map((_, i) => i * 320));
    expect(call.session.stats().skippedFrames).toBeGreaterThanOrEqual(49);
    await call.close();
  });

  it('presses keys as events of one timestamp while audio waits', async () => {
    const call = makeCall();
    call.run();
    call.clock.advance(100);
    call.session.receive({ type: 'send-dtmf', sessionId: 's', digits: '42' });
    call.clock.advance(1000);
    const events = call.transport.sent.filter((packet) => packet.payloadType === 101);
    expect(new Set(events.map((packet) => packet.timestampTicks)).size).toBe(2);
    expect(events.filter((packet) => packet.marker).map((packet) => packet.payload[0])).toEqual([4, 2]);
    const { sent } = call.transport;
    for (let i = 1; i < sent.length; i++) {
      expect(sent[i]!.sequenceNumber).toBe((sent[i - 1]!.sequenceNumber + 1) & 0xffff);
    }
    await call.close();
  });

  it('sings keys in band where the far end takes no events', async () => {
    const call = makeCall({ codec: pcmuFormat.codec });
    call.run();
    call.session.receive({ type: 'send-dtmf', sessionId: 's', digits: '5' });
    call.clock.advance(400);
    const pcm = call.transport.pcm().slice(0, 960);
    expect(amplitudeAt(pcm, 770, 8000)).toBeGreaterThan(3000);
    expect(amplitudeAt(pcm, 1336, 8000)).toBeGreaterThan(3000);
    expect(amplitudeAt(pcm, 1000, 8000)).toBeLessThan(300);
    await call.close();
  });

  it('reports a silent far end once, and again only after it was heard', async () => {
    const call = makeCall();
    call.run({ timeoutMs: 1000 });
    call.clock.advance(3000);
    expect(call.messages.filter((message) => message.type === 'media-timeout')).toHaveLength(1);
    call.talk(new Int16Array(1600));
    call.clock.advance(3000);
    expect(call.messages.filter((message) => message.type === 'media-timeout')).toHaveLength(2);
    await call.close();
  });

  it('tells its quality every two seconds', async () => {
    const call = makeCall();
    call.run();
    call.talk(new Int16Array(16_000 * 2), (frame) => frame >= 100 && frame % 5 === 0);
    expect(call.samples.map(({ atMs }) => atMs)).toEqual([2000, 4000]);
    const [clean, lossy] = call.samples;
    expect(clean).toMatchObject({ lostShare: 0, packetsSent: 100 });
    expect(lossy?.lostShare).toBeGreaterThan(0.1);
    expect(lossy?.mos).toBeLessThan(clean?.mos ?? 0);
    await call.close();
  });

  it('hands over its newest packets before it says that it is closed', async () => {
    const call = makeCall();
    call.session.receive({ type: 'capture', sessionId: 's', packets: 4, payload: false });
    call.run();
    call.talk(new Int16Array(1600));
    await call.close();
    const [captured, closed] = call.messages.slice(-2);
    expect(closed?.type).toBe('closed');
    const packets = captured?.type === 'captured' ? [...capturedPackets(captured.capture)] : [];
    expect(packets.map(({ sent, bytes }) => [sent, bytes])).toEqual([
      [false, 172],
      [true, 172],
      [false, 172],
      [true, 172],
    ]);
  });

  it('keeps no time-out while it is not to receive', async () => {
    const call = makeCall();
    call.run({ timeoutMs: 1000, receive: false });
    call.clock.advance(5000);
    expect(call.messages).toEqual([]);
    await call.close();
  });

  it('reports the stream every few seconds', async () => {
    const call = makeCall();
    call.run();
    for (let i = 0; i < 20; i++) call.talk(new Int16Array(8000));
    expect(call.transport.reports.length).toBeGreaterThanOrEqual(2);
    expect(call.transport.reports.length).toBeLessThanOrEqual(8);
    expect(call.transport.reports.at(-1)).toMatchObject({ received: { ssrc: 9, cumulativeLost: 0 } });
    await call.close();
  });

  it('changes from G.711 to Opus and back in the middle of a turn', async () => {
    const opusFormat: MediaFormat = { codec: { name: 'opus', payloadType: 111, clockRate: 48_000, packetMs: 20 } };
    const call = makeCall();
    call.run();
    const pcm = sine(400, 8000, 22_050, 44_100);
    call.session.receive({ type: 'play', sessionId: 's', turnId: 1, pcm, sampleRate: 22_050, words: [] });
    call.session.receive({ type: 'play-end', sessionId: 's', turnId: 1 });
    call.clock.advance(500);
    call.session.run(opusFormat, { send: true, receive: true, timeoutMs: 0 });
    const from = call.transport.sent.length;
    call.clock.advance(500);
    const opus = new Opus();
    const out = new Int16Array(opus.maxDecodedSamples);
    const frames = call.transport.sent.slice(from).map((packet) => {
      expect(packet.payloadType).toBe(111);
      return out.slice(0, opus.decode(packet.payload, out));
    });
    expect(amplitudeAt(concat(frames).slice(3000), 400, 16_000)).toBeGreaterThan(6000);
    call.session.run(pcmuFormat, { send: true, receive: true, timeoutMs: 0 });
    call.clock.advance(1500);
    expect(call.messages.at(-1)).toMatchObject({ state: 'finished', playedMs: 2000 });
    await call.close();
  });

  it('repeats more of each packet in the next one when the far end reports losses', async () => {
    const opusFormat: MediaFormat = { codec: { name: 'opus', payloadType: 111, clockRate: 48_000, packetMs: 20 } };
    const call = makeCall(opusFormat);
    call.run();
    const told = jest.spyOn(Opus.prototype, 'expectLoss');
    call.clock.advance(8000);
    expect(told).not.toHaveBeenCalled();
    call.transport.remote = { lostShare: 0.2, lost: 50, jitterTicks: 0 };
    call.clock.advance(8000);
    expect(told).toHaveBeenCalledWith(0.2);
    told.mockRestore();
    await call.close();
  });

  it('sends longer G.711 packets if the far end asks for them', async () => {
    const call = makeCall({ codec: { ...pcmuFormat.codec, packetMs: 40 } });
    call.run();
    call.clock.advance(1000);
    const { sent } = call.transport;
    expect(sent.length).toBeGreaterThanOrEqual(24);
    expect(sent.every((packet) => packet.payload.length === 320)).toBe(true);
    for (let i = 1; i < sent.length; i++) {
      expect((sent[i]!.timestampTicks - sent[i - 1]!.timestampTicks) >>> 0).toBe(320);
    }
    await call.close();
  });

  it('closes once, with its figures', async () => {
    const call = makeCall();
    call.run();
    call.talk(sine(300, 5000, 8000, 1600));
    await call.close();
    await call.session.close();
    const closed = call.messages.filter((message) => message.type === 'closed');
    expect(closed).toHaveLength(1);
    expect(closed[0]).toMatchObject({ stats: { packetsReceived: 10, packetsLost: 0, packetsDropped: 0 } });
    expect(call.transport.closed).toBe(true);
    const sent = call.transport.sent.length;
    call.clock.advance(500);
    expect(call.transport.sent.length).toBe(sent);
  });

  it('hears keys in the voice band of a far end that sends no events, and only of that one', async () => {
    const key = (digit: string): Int16Array => {
      const pcm = new Int16Array(800);
      new Tone(dtmfFrequencies(digit) ?? [], -12, 8000).fill(pcm);
      return pcm;
    };
    const keys = (messages: FromMedia[]): string[] =>
      messages.flatMap((message) => (message.type === 'dtmf' ? [message.digit] : []));
    const plain = makeCall({ codec: pcmuFormat.codec });
    plain.run();
    for (const digit of '42') plain.talk(concat([key(digit), new Int16Array(1600)]));
    plain.clock.advance(400);
    expect(keys(plain.messages)).toEqual(['4', '2']);
    await plain.close();
    const modern = makeCall({ codec: pcmuFormat.codec, telephoneEvent: { payloadType: 101, clockRate: 8000 } });
    modern.run();
    modern.talk(concat([key('4'), new Int16Array(1600)]));
    modern.clock.advance(400);
    expect(keys(modern.messages)).toEqual([]);
    await modern.close();
  });

  it('is silent to the listener and to the recording while input is secure, but goes on in time', async () => {
    const call = makeCall();
    call.run();
    call.talk(sine(500, 8000, 8000, 1600));
    call.session.receive({ type: 'secure', sessionId: 's', on: true });
    call.clock.advance(200);
    call.heard();
    call.talk(sine(500, 8000, 8000, 8000));
    expect(rms(audioOf(call.heard()))).toBe(0);
    call.session.receive({ type: 'secure', sessionId: 's', on: false });
    call.talk(sine(500, 8000, 8000, 8000));
    expect(rms(audioOf(call.heard()))).toBeGreaterThan(1000);
    await call.close();
  });

  it('is silent to the listener while it is muted, and recorded all the same', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'session-'));
    const path = join(folder, 'call.wav');
    const call = makeCall();
    call.run();
    call.session.receive({ type: 'record', sessionId: 's', path });
    call.session.receive({ type: 'mute', sessionId: 's', on: true });
    call.talk(sine(500, 8000, 8000, 8000));
    expect(rms(audioOf(call.heard()))).toBe(0);
    call.session.receive({ type: 'mute', sessionId: 's', on: false });
    call.talk(sine(500, 8000, 8000, 8000));
    expect(rms(audioOf(call.heard()))).toBeGreaterThan(1000);
    await call.close();
    const { pcm, sampleRate } = readWav(readFileSync(path));
    expect(rms(pcm[0]!.subarray(0.5 * sampleRate, 0.9 * sampleRate))).toBeGreaterThan(1000);
    rmSync(folder, { recursive: true, force: true });
  });

  it('records one file per call: what left stands at the sample at which it left, whatever is performed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'session-'));
    const path = join(folder, 'call.wav');
    const call = makeCall();
    call.run();
    call.session.receive({ type: 'record', sessionId: 's', path });
    call.clock.advance(400);
    const pcm = sine(500, 8000, 8000, 1600);
    call.session.receive({ type: 'play', sessionId: 's', turnId: 1, pcm, sampleRate: 8000, words: [] });
    call.session.receive({ type: 'play-end', sessionId: 's', turnId: 1 });
    call.clock.advance(400);
    call.session.receive({ type: 'record', sessionId: 's', path });
    call.clock.advance(400);
    const started = call.messages.find((message) => message.type === 'playout' && message.state === 'started');
    await call.close();
    const { pcm: sides, sampleRate } = readWav(readFileSync(path));
    expect(sides[0]!.length / sampleRate).toBeCloseTo(1.2, 1);
    const first = sides[1]!.findIndex((sample) => Math.abs(sample) > 1000);
    expect(Math.abs(first - (started?.type === 'playout' ? started.callSample : 0))).toBeLessThanOrEqual(320);
    expect(call.messages.at(-1)).toMatchObject({
      type: 'closed',
      stats: { recordedMs: (sides[0]!.length * 1000) / sampleRate },
    });
    rmSync(folder, { recursive: true, force: true });
  });

  it('counts turns from 1 again for the next performance, and says which one it speaks of', async () => {
    const call = makeCall();
    call.run();
    const play = (turnId: number): void => {
      const pcm = sine(500, 3000, 8000, 320);
      call.session.receive({ type: 'play', sessionId: 's', turnId, pcm, sampleRate: 8000, words: [] });
      call.session.receive({ type: 'play-end', sessionId: 's', turnId });
    };
    play(5);
    call.session.receive({ type: 'flush', sessionId: 's', turnId: 5 });
    call.session.receive({ type: 'next-performance', sessionId: 's' });
    play(1);
    call.clock.advance(200);
    const told = call.messages.flatMap((message) => (message.type === 'playout' ? [message] : []));
    expect(told.map(({ turnId, state, performance }) => [performance, turnId, state])).toEqual([
      [undefined, 5, 'flushed'],
      [1, 1, 'started'],
      [1, 1, 'finished'],
    ]);
    await call.close();
  });
});
