/** What the far end's stream lost and how unevenly it arrived: RFC 3550 §6.4.1, appendix A.3 (loss) and A.8 (jitter). */
import { Unwrapper } from './sequence';

/** Packets that may be missing in a row, and come late, before the numbers mean another stream (A.1). */
const maxDropout = 3000;
const maxMisorder = 100;

export class ReceptionStatistics {
  private readonly sequence = new Unwrapper(16);
  private first: number | undefined;
  private highest = 0;
  private received = 0;
  private jitter = 0;
  private lastTransit: number | undefined;
  private expectedBefore = 0;
  private receivedBefore = 0;
  /** Loss under earlier SSRCs. */
  private lostBefore = 0;
  private ssrc: number | undefined;
  /** What must come next for a leap of the numbers to be believed. */
  private leapedTo: number | undefined;

  constructor(private clockRate: number) {}

  push(packet: { ssrc: number; sequenceNumber: number; timestampTicks: number }, arrivalMs: number): void {
    if (packet.ssrc !== this.ssrc) this.restart(packet.ssrc);
    else if (this.leaps(packet.sequenceNumber)) return;
    const extended = this.sequence.unwrap(packet.sequenceNumber);
    if (this.first === undefined) {
      this.first = extended;
      this.highest = extended;
    } else if (extended > this.highest) this.highest = extended;
    this.received++;
    // A.8: D = difference of transit times; J += (|D| - J) / 16. Transit is kept modulo 2^32 like the timestamp.
    const transit = ((arrivalMs * this.clockRate) / 1000 - packet.timestampTicks) | 0;
    if (this.lastTransit !== undefined) {
      const difference = Math.abs((transit - this.lastTransit) | 0);
      // A jump of the sender's clock is no jitter.
      if (difference < 2 * this.clockRate) this.jitter += (difference - this.jitter) / 16;
    }
    this.lastTransit = transit;
  }

  get lost(): number {
    return this.lostBefore + this.lostNow();
  }

  get jitterMs(): number {
    return (this.jitter * 1000) / this.clockRate;
  }

  /** The clock changes with the codec; nothing else is forgotten. */
  setClockRate(clockRate: number): void {
    if (clockRate === this.clockRate) return;
    this.jitter = (this.jitter * clockRate) / this.clockRate;
    this.clockRate = clockRate;
    this.lastTransit = undefined;
  }

  /** A report block's figures since the last call, undefined before the first packet. */
  report() {
    if (this.ssrc === undefined || this.first === undefined) return undefined;
    const expected = this.highest - this.first + 1;
    const expectedInterval = expected - this.expectedBefore;
    const receivedInterval = this.received - this.receivedBefore;
    this.expectedBefore = expected;
    this.receivedBefore = this.received;
    const lostInterval = expectedInterval - receivedInterval;
    const fractionLost =
      expectedInterval <= 0 || lostInterval <= 0
        ? 0
        : Math.min(255, Math.floor((lostInterval * 256) / expectedInterval));
    return {
      ssrc: this.ssrc,
      fractionLost,
      cumulativeLost: this.lostNow(),
      extendedHighestSequence: this.highest >>> 0,
      jitterTicks: Math.floor(this.jitter),
    };
  }

  private lostNow(): number {
    return this.first === undefined ? 0 : Math.max(0, this.highest - this.first + 1 - this.received);
  }

  /**
   * A.1: numbers far from where they were are no loss but a sender that began anew, once two packets in sequence say so.
   * Until then the packet is not counted.
   */
  private leaps(sequenceNumber: number): boolean {
    const distance = this.sequence.peek(sequenceNumber) - this.highest;
    if (this.first === undefined || (distance < maxDropout && distance > -maxMisorder)) {
      this.leapedTo = undefined;
      return false;
    }
    if (sequenceNumber === this.leapedTo && this.ssrc !== undefined) {
      this.leapedTo = undefined;
      this.restart(this.ssrc);
      return false;
    }
    this.leapedTo = (sequenceNumber + 1) & 0xffff;
    return true;
  }

  private restart(ssrc: number): void {
    this.lostBefore = this.lost;
    this.ssrc = ssrc;
    this.sequence.reset();
    this.first = undefined;
    this.highest = 0;
    this.received = 0;
    this.expectedBefore = 0;
    this.receivedBefore = 0;
    this.lastTransit = undefined;
  }
}
