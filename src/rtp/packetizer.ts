/**
 * Numbers what we send (RFC 3550 §5.1): sequence numbers without a gap, timestamps that run with time whether or not a
 * packet leaves, the marker on the first packet of a talkspurt (RFC 3551 §4.1).
 */
import type { RtpPacket } from './packet';

export class Packetizer {
  readonly ssrc: number;
  private sequenceNumber: number;
  private timestamp: number;
  private talking = false;
  sentPackets = 0;
  sentBytes = 0;

  /** `random` yields 0…1; starting values are unpredictable (§5.1). */
  constructor(random: () => number) {
    this.ssrc = Math.floor(random() * 0x1_0000_0000) >>> 0;
    this.sequenceNumber = Math.floor(random() * 0x1_0000);
    this.timestamp = Math.floor(random() * 0x1_0000_0000) >>> 0;
  }

  /** Timestamp of the next packet. */
  get timestampTicks(): number {
    return this.timestamp;
  }

  /** The packet whose first sample is at `timestampTicks`. Time moves only by `advance`. */
  packet(payloadType: number, payload: Uint8Array, timestampTicks = this.timestamp): RtpPacket {
    const packet = this.number(payloadType, payload, timestampTicks, !this.talking);
    this.talking = true;
    return packet;
  }

  /** For RFC 4733 events: shares the sequence numbers, keeps the timestamp of the event's beginning (§2.5.1.2). */
  eventPacket(payloadType: number, payload: Uint8Array, timestampTicks: number, marker: boolean): RtpPacket {
    return this.number(payloadType, payload, timestampTicks, marker);
  }

  advance(ticks: number): void {
    this.timestamp = (this.timestamp + ticks) >>> 0;
  }

  /** Nothing is sent for a while: the next packet begins a talkspurt. */
  pause(): void {
    this.talking = false;
  }

  private number(payloadType: number, payload: Uint8Array, timestampTicks: number, marker: boolean): RtpPacket {
    const packet = {
      payloadType,
      sequenceNumber: this.sequenceNumber,
      timestampTicks,
      ssrc: this.ssrc,
      marker,
      payload,
    };
    this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
    this.sentPackets++;
    this.sentBytes += payload.length;
    return packet;
  }
}
