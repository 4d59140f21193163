import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rms } from '../../src/audio/pcm';
import { readWav } from '../../src/audio/wav';
import { Opus } from '../../src/codecs/opus';
import { MediaThread } from '../../src/media/media-thread';
import type { FromMedia, NegotiatedCodec, SocketAddress, ToMedia } from '../../src/media/protocol';
import { writeTelephoneEvent } from '../../src/rtp/telephone-event';
import { workerEntry } from '../../src/workers/locate';
import { frequencyOf, RtpPhone, toneFrames } from '../support/rtp-phone';
import { amplitudeAt, concat } from '../support/signal';

const pcmu: NegotiatedCodec = { name: 'PCMU', payloadType: 0, clockRate: 8000, packetMs: 20 };
const telephoneEvent = { payloadType: 101, clockRate: 8000 };

class Call {
  readonly messages: FromMedia[] = [];
  private lastRequest = 0;
  private waiting: { wanted: (message: FromMedia) => boolean; done: (message: FromMedia) => void }[] = [];

  constructor(readonly thread: { post: MediaThread['post'] }) {}

  on(message: FromMedia): void {
    this.messages.push(message);
    this.waiting = this.waiting.filter((waiter) => {
      if (!waiter.wanted(message)) return true;
      waiter.done(message);
      return false;
    });
  }

  /** The next message of a type for which `test` holds, or one that came already. */
  until<T extends FromMedia['type']>(
    type: T,
    test: (message: Extract<FromMedia, { type: T }>) => boolean = () => true,
  ): Promise<Extract<FromMedia, { type: T }>> {
    const wanted = (message: FromMedia) => message.type === type && test(message as Extract<FromMedia, { type: T }>);
    const known = this.messages.find(wanted);
    if (known !== undefined) return Promise.resolve(known as Extract<FromMedia, { type: T }>);
    return new Promise((resolve) => {
      this.waiting.push({ wanted, done: (message) => resolve(message as Extract<FromMedia, { type: T }>) });
    });
  }

  async open(sessionId = 'call'): Promise<SocketAddress> {
    this.thread.post({ type: 'open-rtp', sessionId, bindAddress: '127.0.0.1', ports: [0, 0] });
    return (await this.until('opened', (message) => message.sessionId === sessionId)).local;
  }

  /** Resolves when the thread has seen everything posted before. */
  async dump(): Promise<void> {
    const requestId = ++this.lastRequest;
    this.thread.post({ type: 'dump', requestId });
    await this.until('dumped', (message) => message.requestId === requestId);
  }

  connect(remote: SocketAddress, more: Partial<Extract<ToMedia, { type: 'connect-rtp' }>> = {}): void {
    this.thread.post({
      type: 'connect-rtp',
      sessionId: 'call',
      remote,
      codec: pcmu,
      telephoneEvent,
      send: true,
      receive: true,
      timeoutMs: 0,
      ...more,
    });
  }
}

/** Until `enough` holds; the test's own time limit ends it otherwise. */
async function waitFor(enough: () => boolean): Promise<void> {
  while (!enough()) await sleep(10);
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function tonePcm(frequencyHz: number, seconds: number, sampleRate: number): Int16Array {
  return Int16Array.from({ length: seconds * sampleRate }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRate)),
  );
}

describe('the media thread, over real UDP', () => {
  let thread: MediaThread;
  let call: Call;
  let phone: RtpPhone;
  let phones: RtpPhone[];
  const anotherPhone = async () => {
    const another = await RtpPhone.open();
    phones.push(another);
    return another;
  };

  beforeEach(async () => {
    expect(existsSync(workerEntry('media'))).toBe(true);
    thread = MediaThread.start({
      name: 'media-test',
      entry: workerEntry('media'),
      onMessage: (message) => call.on(message),
    });
    call = new Call(thread);
    phones = [];
    phone = await anotherPhone();
  });

  afterEach(async () => {
    for (const each of phones) each.close();
    await thread.close();
  });

  it('echoes a tone at its own frequency and level', async () => {
    const local = await call.open();
    call.connect(phone.address);
    thread.post({ type: 'source', sessionId: 'call', source: { kind: 'echo' } });
    const tone = toneFrames(500, 8000);
    await phone.stream(local, (frame) => (frame < 60 ? tone(frame) : undefined));
    const started = await call.until('media-started');
    expect(started.remote).toEqual(phone.address);
    const echoed = phone.pcm().slice(-4000);
    expect(frequencyOf(echoed, 8000)).toBeCloseTo(500, 0);
    expect(rms(echoed)).toBeGreaterThan(5000);
  });

  it('numbers its packets without a gap and marks the first', async () => {
    await call.open();
    call.connect(phone.address);
    thread.post({ type: 'source', sessionId: 'call', source: { kind: 'tone', frequencyHz: 1000, levelDbm0: -10 } });
    await waitFor(() => phone.heard.length > 25);
    const packets = phone.heard.map(({ packet }) => packet);
    expect(packets.length).toBeGreaterThan(20);
    expect(packets[0]!.marker).toBe(true);
    for (let i = 1; i < packets.length; i++) {
      expect(packets[i]!.sequenceNumber).toBe((packets[i - 1]!.sequenceNumber + 1) & 0xffff);
      expect(packets[i]!.marker).toBe(false);
    }
    expect(frequencyOf(phone.pcm(), 8000)).toBeCloseTo(1000, 0);
  });

  it('plays a turn and tells which words were heard', async () => {
    await call.open();
    call.connect(phone.address);
    const pcm = tonePcm(700, 1, 22_050);
    const words = [
      { text: 'good', startSample: 0, endSample: 8000 },
      { text: 'morning', startSample: 9000, endSample: 20_000 },
    ];
    thread.post({ type: 'play', sessionId: 'call', turnId: 1, pcm, sampleRate: 22_050, words });
    thread.post({ type: 'play-end', sessionId: 'call', turnId: 1 });
    const finished = await call.until('playout', (message) => message.state === 'finished');
    expect(finished).toMatchObject({ turnId: 1, heardText: 'good morning', playedMs: 1000 });
    const loud = phone.heard.filter(({ packet }) => packet.payload.some((byte) => (byte & 0x7f) < 0x50));
    expect(loud.length).toBeGreaterThanOrEqual(48);
    expect(loud.length).toBeLessThanOrEqual(52);
  });

  it('lets at most two packets of speech out after a flush, and keeps sending', async () => {
    await call.open();
    call.connect(phone.address);
    const pcm = tonePcm(700, 5, 22_050);
    const words = Array.from({ length: 50 }, (_, i) => ({
      text: `w${i}`,
      startSample: i * 2205,
      endSample: (i + 1) * 2205,
    }));
    thread.post({ type: 'play', sessionId: 'call', turnId: 1, pcm, sampleRate: 22_050, words });
    await call.until('playout', (message) => message.state === 'progress' && message.playedMs > 500);
    const before = phone.heard.length;
    thread.post({ type: 'flush', sessionId: 'call', turnId: 1 });
    const flushed = await call.until('playout', (message) => message.state === 'flushed');
    await waitFor(() => phone.heard.length > before + 15);
    const after = phone.heard.slice(before);
    const loud = after.filter(({ packet }) => packet.payload.some((byte) => (byte & 0x7f) < 0x50));
    expect(loud.length).toBeLessThanOrEqual(2);
    expect(after.length).toBeGreaterThan(10);
    expect(flushed.heardText.split(' ').length).toBe(Math.floor((flushed.playedMs + 50) / 100));
  });

  it('pauses without losing a sample and goes on after', async () => {
    await call.open();
    call.connect(phone.address);
    const pcm = tonePcm(700, 1, 16_000);
    thread.post({ type: 'play', sessionId: 'call', turnId: 3, pcm, sampleRate: 16_000, words: [] });
    thread.post({ type: 'play-end', sessionId: 'call', turnId: 3 });
    await call.until('playout', (message) => message.state === 'progress');
    thread.post({ type: 'pause', sessionId: 'call', turnId: 3 });
    await sleep(300);
    expect(call.messages.some((message) => message.type === 'playout' && message.state === 'finished')).toBe(false);
    thread.post({ type: 'resume', sessionId: 'call', turnId: 3 });
    const finished = await call.until('playout', (message) => message.state === 'finished');
    expect(finished.playedMs).toBe(1000);
    const loudSamples = phone.pcm().filter((sample) => Math.abs(sample) > 500).length;
    expect(loudSamples).toBeGreaterThan(0.93 * 8000);
    expect(loudSamples).toBeLessThan(8000);
  });

  it('reports a pressed key once and presses keys itself', async () => {
    const local = await call.open();
    call.connect(phone.address);
    const payload = new Uint8Array(4);
    for (let i = 1; i <= 5; i++) {
      writeTelephoneEvent({ event: 5, end: i >= 4, volume: 10, durationTicks: Math.min(i, 4) * 160 }, payload);
      phone.raw(local, { payloadType: 101, payload, marker: i === 1, timestampTicks: 4000 });
      await sleep(20);
    }
    expect(await call.until('dtmf')).toMatchObject({ digit: '5', durationMs: 80 });
    thread.post({ type: 'send-dtmf', sessionId: 'call', digits: '1#' });
    await waitFor(() => phone.heard.filter(({ packet }) => packet.payloadType === 101).length >= 16);
    const events = phone.heard.map(({ packet }) => packet).filter((packet) => packet.payloadType === 101);
    const keys = new Map(events.map((packet) => [packet.timestampTicks, packet.payload[0]]));
    expect([...keys.values()]).toEqual([1, 11]);
    expect(events.filter((packet) => packet.payload[1]! & 0x80).length).toBe(6);
    expect(call.messages.filter((message) => message.type === 'dtmf')).toHaveLength(1);
  });

  it('hears nobody but the locked source, and follows a new SDP to another port', async () => {
    const local = await call.open();
    const intruder = await anotherPhone();
    const second = await anotherPhone();
    call.connect(phone.address);
    thread.post({ type: 'source', sessionId: 'call', source: { kind: 'echo' } });
    const low = toneFrames(400, 8000);
    const high = toneFrames(1500, 8000);
    await Promise.all([
      phone.stream(local, (frame) => (frame < 40 ? low(frame) : undefined)),
      intruder.stream(local, (frame) => (frame < 40 ? high(frame) : undefined)),
    ]);
    expect(intruder.heard).toHaveLength(0);
    expect(frequencyOf(phone.pcm().slice(-3000), 8000)).toBeCloseTo(400, 0);

    call.connect(second.address);
    await second.stream(local, (frame) => (frame < 40 ? high(frame) : undefined));
    expect(frequencyOf(second.pcm().slice(-3000), 8000)).toBeCloseTo(1500, -1);
    thread.post({ type: 'close', sessionId: 'call' });
    const { stats } = await call.until('closed');
    expect(stats.packetsDropped).toBeGreaterThanOrEqual(40);
  });

  it('sends nothing on hold and goes on after', async () => {
    await call.open();
    call.connect(phone.address);
    await waitFor(() => phone.heard.length > 5);
    call.connect(phone.address, { send: false });
    // What was on its way when the message crossed.
    await call.dump();
    await sleep(60);
    const held = phone.heard.length;
    await sleep(200);
    expect(phone.heard.length).toBe(held);
    call.connect(phone.address);
    await waitFor(() => phone.heard.length > held + 3);
    expect(phone.heard[held]!.packet.marker).toBe(true);
    const held2 = phone.heard[held]!.packet.timestampTicks - phone.heard[held - 1]!.packet.timestampTicks;
    expect(held2 >>> 0).toBeGreaterThan(1000);
  });

  it('reports silence of the far end once', async () => {
    await call.open();
    call.connect(phone.address, { timeoutMs: 200 });
    await call.until('media-timeout');
    await sleep(300);
    expect(call.messages.filter((message) => message.type === 'media-timeout')).toHaveLength(1);
  });

  it('survives junk, and still carries the call', async () => {
    const local = await call.open();
    call.connect(phone.address);
    thread.post({ type: 'source', sessionId: 'call', source: { kind: 'echo' } });
    for (let i = 0; i < 500; i++) {
      const junk = new Uint8Array(i % 60);
      for (let k = 0; k < junk.length; k++) junk[k] = (i * 31 + k * 17) & 0xff;
      phone.bytes(local, junk);
    }
    const tone = toneFrames(600, 8000);
    await phone.stream(local, (frame) => (frame < 40 ? tone(frame) : undefined));
    expect(frequencyOf(phone.pcm().slice(-3000), 8000)).toBeCloseTo(600, 0);
  });

  it('records both sides in step', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'trunkline-media-'));
    const file = path.join(folder, 'call.wav');
    const local = await call.open();
    thread.post({ type: 'record', sessionId: 'call', path: file });
    thread.post({ type: 'source', sessionId: 'call', source: { kind: 'tone', frequencyHz: 1000, levelDbm0: -10 } });
    call.connect(phone.address);
    const tone = toneFrames(400, 8000);
    await phone.stream(local, (frame) => (frame < 60 ? tone(frame) : undefined));
    thread.post({ type: 'close', sessionId: 'call' });
    await call.until('closed');
    const wav = readWav(await readFile(file));
    expect(wav).toMatchObject({ channels: 2, sampleRate: 16_000 });
    expect(frequencyOf(wav.pcm[0]!.slice(8000, 16_000), 16_000)).toBeCloseTo(400, 0);
    expect(frequencyOf(wav.pcm[1]!.slice(8000, 16_000), 16_000)).toBeCloseTo(1000, 0);
    await rm(folder, { recursive: true });
  });

  it('carries Opus both ways in a thread of its own', async () => {
    const local = await call.open();
    const opus = new Opus();
    call.connect(phone.address, {
      codec: { name: 'opus', payloadType: 111, clockRate: 48_000, packetMs: 20 },
      telephoneEvent: undefined,
    });
    thread.post({ type: 'source', sessionId: 'call', source: { kind: 'echo' } });
    const tone = tonePcm(600, 2, opus.description.encodeRate);
    for (let frame = 0; frame < 60; frame++) {
      const payload = opus.encode(tone.subarray(frame * 480, (frame + 1) * 480)).slice();
      phone.raw(local, { payloadType: 111, payload, marker: frame === 0, timestampTicks: frame * 960 });
      await sleep(19);
    }
    const out = new Int16Array(opus.maxDecodedSamples);
    const heard = phone.heard.map(({ packet }) => out.slice(0, opus.decode(packet.payload, out)));
    expect(phone.heard.every(({ packet }) => packet.payloadType === 111)).toBe(true);
    expect(amplitudeAt(concat(heard.slice(-25)), 600, opus.description.decodeRate)).toBeGreaterThan(3000);
  });

  it('refuses a second session of the same name and a range without ports', async () => {
    await call.open();
    thread.post({ type: 'open-rtp', sessionId: 'call', bindAddress: '127.0.0.1', ports: [0, 0] });
    expect(await call.until('failed')).toMatchObject({ code: 'media.session-exists' });
    thread.post({ type: 'open-rtp', sessionId: 'other', bindAddress: '203.0.113.1', ports: [30_000, 30_010] });
    expect(await call.until('failed', (message) => message.sessionId === 'other')).toMatchObject({
      code: 'media.no-port',
    });
  });
});
