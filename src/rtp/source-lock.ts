/**
 * Whose packets are the call's (symmetric RTP, RFC 4961, with the care that "RTP bleed" taught): the address of the SDP
 * is believed at once, any other address after three packets in sequence, and from then on nobody else. The lock opens
 * again only for a new SDP or when the locked source has been silent for long.
 *
 *   open --packet from the expected address--------------> locked
 *   open --3 packets in sequence from one other address--> locked
 *   locked --expect(new address) | silence---------------> open
 */
export interface PacketSource {
  readonly address: string;
  readonly port: number;
}

export type LockDecision = 'accepted' | 'locked' | 'foreign';

const learnPackets = 3;
const silenceMs = 5000;

export class SourceLock {
  private expected: PacketSource | undefined;
  private holder: PacketSource | undefined;
  private candidate: { source: PacketSource; ssrc: number; nextSequence: number; packets: number } | undefined;
  private heardMs = 0;

  get locked(): PacketSource | undefined {
    return this.holder;
  }

  /** Where to send: to who is heard, else to where the SDP says. */
  get destination(): PacketSource | undefined {
    return this.holder ?? this.expected;
  }

  /** The far end's SDP. The same address again changes nothing; another one opens the lock. */
  expect(source: PacketSource): void {
    if (this.expected !== undefined && same(this.expected, source)) return;
    this.expected = source;
    this.holder = undefined;
    this.candidate = undefined;
  }

  /** `locked` once per lock, for the packet that closed it. */
  judge(source: PacketSource, packet: { ssrc: number; sequenceNumber: number }, nowMs: number): LockDecision {
    if (this.holder !== undefined) {
      if (same(this.holder, source)) {
        this.heardMs = nowMs;
        return 'accepted';
      }
      if (nowMs - this.heardMs < silenceMs) return 'foreign';
      this.holder = undefined;
      this.candidate = undefined;
    }
    if (this.expected !== undefined && same(this.expected, source)) return this.lock(source, nowMs);
    const candidate = this.candidate;
    if (
      candidate !== undefined &&
      same(candidate.source, source) &&
      candidate.ssrc === packet.ssrc &&
      candidate.nextSequence === packet.sequenceNumber
    ) {
      candidate.packets++;
      candidate.nextSequence = (packet.sequenceNumber + 1) & 0xffff;
      if (candidate.packets >= learnPackets) return this.lock(source, nowMs);
    } else {
      this.candidate = {
        source: { address: source.address, port: source.port },
        ssrc: packet.ssrc,
        nextSequence: (packet.sequenceNumber + 1) & 0xffff,
        packets: 1,
      };
    }
    return 'foreign';
  }

  private lock(source: PacketSource, nowMs: number): LockDecision {
    this.holder = { address: source.address, port: source.port };
    this.candidate = undefined;
    this.heardMs = nowMs;
    return 'locked';
  }
}

function same(a: PacketSource, b: PacketSource): boolean {
  return a.port === b.port && a.address === b.address;
}
