/** The outbound line, tick by tick: packet times, and silence that is described instead of sent. */
import { Outbound } from '../../src/media/outbound';
import type { MediaFormat } from '../../src/media/transport';
import { LoopbackTransport } from '../support/loopback-transport';

function run(format: MediaFormat, frames: number, speechFrames = frames): LoopbackTransport['sent'] {
  const outbound = new Outbound(
    format,
    () => 0.999_99,
    () => {},
  );
  let nowMs = 0;
  const transport = new LoopbackTransport(format, () => nowMs);
  outbound.playout.play(1, new Int16Array(speechFrames * 160).fill(5000), 8000, []);
  outbound.playout.end(1);
  for (let frame = 0; frame < frames; frame++) {
    nowMs = frame * 20;
    outbound.tick(transport);
  }
  return transport.sent;
}

const g711 = (packetMs: number): MediaFormat => ({
  codec: { name: 'PCMU', payloadType: 0, clockRate: 8000, packetMs },
});

describe('the outbound line', () => {
  it.each([10, 20, 30, 40, 60])('sends packets of %i ms, each beginning where the one before ended', (packetMs) => {
    for (const format of [
      g711(packetMs),
      { codec: { ...g711(packetMs).codec, name: 'G722' as const, payloadType: 9 } },
    ]) {
      const sent = run(format, 60);
      expect(sent).toHaveLength(1200 / packetMs);
      for (const [index, { payload, timestampTicks, sequenceNumber, marker }] of sent.entries()) {
        expect(payload).toHaveLength(packetMs * 8);
        expect(marker).toBe(index === 0);
        if (index === 0) continue;
        expect((timestampTicks - sent[index - 1]!.timestampTicks) >>> 0).toBe(packetMs * 8);
        expect((sequenceNumber - sent[index - 1]!.sequenceNumber) & 0xffff).toBe(1);
      }
    }
  });

  it('sends its silence as noise unless something else was agreed on', () => {
    expect(run(g711(20), 100, 20)).toHaveLength(100);
  });

  it('describes its silence where that was agreed on, now and then, and marks the words behind it', () => {
    const format = { ...g711(20), comfortNoise: { payloadType: 13 } };
    const outbound = new Outbound(
      format,
      () => 0.5,
      () => {},
    );
    let nowMs = 0;
    const transport = new LoopbackTransport(format, () => nowMs);
    const speak = (turnId: number) => {
      outbound.playout.play(turnId, new Int16Array(1600).fill(5000), 8000, []);
      outbound.playout.end(turnId);
    };
    speak(1);
    for (let frame = 0; frame < 150; frame++) {
      nowMs = frame * 20;
      if (frame === 120) speak(2);
      outbound.tick(transport);
    }
    const described = transport.sent.filter(({ payloadType }) => payloadType === 13);
    // Ten frames of words and ten of noise; then every 400 ms.
    expect(described.map(({ atMs }) => atMs)).toEqual([400, 800, 1200, 1600, 2000, 2800]);
    expect(described[0]!.payload).toHaveLength(1);
    expect(described[0]!.payload[0]).toBeGreaterThan(55);
    expect(described[0]!.payload[0]).toBeLessThan(75);
    const again = transport.sent.find(({ atMs, payloadType }) => payloadType === 0 && atMs >= 2400);
    expect(again).toMatchObject({ atMs: 2400, marker: true });
    const first = transport.sent[0]!;
    expect((again!.timestampTicks - first.timestampTicks) >>> 0).toBe(120 * 160);
    for (const [index, { sequenceNumber }] of transport.sent.entries()) {
      expect(sequenceNumber).toBe((first.sequenceNumber + index) & 0xffff);
    }
  });
});
