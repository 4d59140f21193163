/** A transport that keeps what is sent, and lets a test speak through the session's hooks. */
import { G711, pcmu } from '../../src/codecs/g711';
import type {
  MediaFormat,
  MediaPacket,
  MediaTransport,
  StreamReport,
  TransportCounters,
} from '../../src/media/transport';

export const pcmuFormat: MediaFormat = {
  codec: { name: 'PCMU', payloadType: 0, clockRate: 8000, packetMs: 20 },
  telephoneEvent: { payloadType: 101, clockRate: 8000 },
};

export class LoopbackTransport implements MediaTransport {
  readonly kind = 'rtp';
  readonly ssrc = 1;
  readonly sent: (MediaPacket & { atMs: number })[] = [];
  readonly reports: StreamReport[] = [];
  readonly events: string[] = [];
  closed = false;
  /** What the far end reports of our stream, if a test lets it. */
  remote: TransportCounters['remote'];

  constructor(
    readonly format: MediaFormat,
    private readonly nowMs: () => number,
  ) {}

  send(packet: MediaPacket): boolean {
    this.sent.push({ ...packet, payload: packet.payload.slice(), atMs: this.nowMs() });
    return true;
  }

  report(report: StreamReport): void {
    this.reports.push(report);
  }

  sendEvent(json: string): boolean {
    this.events.push(json);
    return true;
  }

  addCandidates(): boolean {
    return false;
  }

  counters() {
    return { malformed: 0, foreign: 0, sendFailed: 0, roundTripMs: undefined, remote: this.remote };
  }

  close(): void {
    this.closed = true;
  }

  /** Everything sent as mu-law, decoded. */
  pcm(from = 0): Int16Array {
    const codec = new G711(pcmu);
    const out = new Int16Array(codec.maxDecodedSamples);
    const all: number[] = [];
    for (const packet of this.sent.slice(from)) {
      if (packet.payloadType === 0) all.push(...out.subarray(0, codec.decode(packet.payload, out)));
    }
    return Int16Array.from(all);
  }
}
