/**
 * The newest RTP packets of one call in a ring of equal slots, so that keeping one costs a copy and no allocation. Without
 * payload a slot holds the header alone; of telephone events and of secure input there never is a payload.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |   wall time, milliseconds, IEEE 754 double, big endian (64)   |
 *   |                                                               |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |  kept bytes of the packet     |  its bytes on the wire        |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |  1: sent      |  zero                                         |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |  RTP header (RFC 3550 §5.1), then as much payload as is kept  |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import type { RtpCapture } from '../core/call-trace';
import { type RtpPacket, rtpHeaderBytes, writeRtp } from '../rtp/packet';

export const captureRecordBytes = 16;
/** A packet of 20 ms of G.711 is 160 bytes, one of Opus less; of longer ones the rest is cut off. */
export const captureMostPayloadBytes = 240;

const NOTHING = new Uint8Array(0);

export class PacketCapture {
  private readonly slotBytes: number;
  private readonly ring: Uint8Array;
  private readonly view: DataView;
  private noted = 0;

  constructor(
    private readonly packets: number,
    private readonly payload: boolean,
  ) {
    this.slotBytes = captureRecordBytes + rtpHeaderBytes + (payload ? captureMostPayloadBytes : 0);
    this.ring = new Uint8Array(packets * this.slotBytes);
    this.view = new DataView(this.ring.buffer);
  }

  /** `secret`: its payload says what nobody may read. */
  note(packet: RtpPacket, sent: boolean, wallMs: number, secret: boolean): void {
    if (this.packets === 0) return;
    const at = (this.noted++ % this.packets) * this.slotBytes;
    const kept = this.payload && !secret ? packet.payload.subarray(0, captureMostPayloadBytes) : NOTHING;
    const slot = this.ring.subarray(at, at + this.slotBytes);
    this.view.setFloat64(at, wallMs);
    this.view.setUint16(at + 8, rtpHeaderBytes + kept.length);
    this.view.setUint16(at + 10, Math.min(0xffff, rtpHeaderBytes + packet.payload.length));
    slot[12] = sent ? 1 : 0;
    const { payloadType, sequenceNumber, timestampTicks, ssrc, marker } = packet;
    const header = { payloadType, sequenceNumber, timestampTicks, ssrc, marker, payload: kept };
    writeRtp(header, slot.subarray(captureRecordBytes));
  }

  /** Copied out, oldest first. */
  get(addresses: Pick<RtpCapture, 'local' | 'remote'>): RtpCapture {
    const { packets, slotBytes, ring, noted } = this;
    const held = Math.min(noted, packets);
    const records = new Uint8Array(held * slotBytes);
    const first = noted > packets ? (noted % packets) * slotBytes : 0;
    records.set(ring.subarray(first, held * slotBytes));
    if (first > 0) records.set(ring.subarray(0, first), held * slotBytes - first);
    return { records, slotBytes, dropped: noted - held, ...addresses };
  }
}

export interface CapturedPacket {
  readonly wallMs: number;
  readonly sent: boolean;
  /** On the wire. */
  readonly bytes: number;
  /** Header, and what was kept of the payload. */
  readonly kept: Uint8Array;
}

export function* capturedPackets({ records, slotBytes }: RtpCapture): Generator<CapturedPacket> {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let at = 0; at + slotBytes <= records.length; at += slotBytes) {
    const kept = records.subarray(at + captureRecordBytes, at + captureRecordBytes + view.getUint16(at + 8));
    yield { wallMs: view.getFloat64(at), sent: records[at + 12] === 1, bytes: view.getUint16(at + 10), kept };
  }
}
