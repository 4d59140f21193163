/**
 * Whose packets are the call's (symmetric RTP, RFC 4961, with the care that "RTP bleed" taught). The address of the SDP
 * is believed at once; a phone behind a NAT, which speaks from elsewhere, after packets in sequence: few from a host that
 * signalling knows, more from any other. From then on nobody else is heard or answered.
 *
 *   open    --packet from the expected address-----------------------------> locked
 *   open    --3 packets in sequence from another port of a known host------> locked
 *   open    --10 packets in sequence from anywhere-------------------------> locked
 *   locked  --expect(new address)------------------------------------------> open
 *   locked  --3 packets in sequence from the expected address, if that
 *             is not who holds the lock------------------------------------> locked (to it)
 *   locked and silent for 5 s --3 packets in sequence from the holder's
 *             or a known host; from nobody else----------------------------> locked (to it)
 *
 * Known hosts are those of the SDP and of signalling. A silent holder opens the lock to nobody else, for silence is what
 * hold, mute and a voice activity detector look like.
 */
export interface PacketSource {
  readonly address: string;
  readonly port: number;
}

export type LockDecision = 'accepted' | 'locked' | 'foreign';

const learnPackets = 3;
/** From a host of which nobody spoke: a fifth of a second in which the far end can be there first. */
const learnPacketsUnknown = 10;
const silenceMs = 5000;

export class SourceLock {
  private expected: PacketSource | undefined;
  private signalledFrom: string | undefined;
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

  /**
   * The far end's SDP. The same address again changes nothing; another one opens the lock. `signalledFrom`: the address
   * that its signalling comes from.
   */
  expect(source: PacketSource, signalledFrom?: string): void {
    this.signalledFrom = signalledFrom ?? this.signalledFrom;
    if (this.expected !== undefined && same(this.expected, source)) return;
    this.expected = source;
    this.holder = undefined;
    this.candidate = undefined;
  }

  /** `locked` once per lock, for the packet that closed it. */
  judge(source: PacketSource, packet: { ssrc: number; sequenceNumber: number }, nowMs: number): LockDecision {
    if (this.holder !== undefined && same(this.holder, source)) {
      this.heardMs = nowMs;
      return 'accepted';
    }
    const wanted = this.packetsWanted(source, nowMs);
    if (wanted === 1) return this.lock(source, nowMs);
    if (wanted === undefined) return 'foreign';
    const candidate = this.candidate;
    if (
      candidate !== undefined &&
      same(candidate.source, source) &&
      candidate.ssrc === packet.ssrc &&
      candidate.nextSequence === packet.sequenceNumber
    ) {
      candidate.packets++;
      candidate.nextSequence = (packet.sequenceNumber + 1) & 0xffff;
      if (candidate.packets >= wanted) return this.lock(source, nowMs);
    } else if (candidate === undefined || !this.isKnown(candidate.source) || this.isKnown(source)) {
      // Strangers between its packets do not keep a known host from being learned.
      this.candidate = {
        source: { address: source.address, port: source.port },
        ssrc: packet.ssrc,
        nextSequence: (packet.sequenceNumber + 1) & 0xffff,
        packets: 1,
      };
    }
    return 'foreign';
  }

  /** In sequence from that source, until it is believed; undefined: never. */
  private packetsWanted(source: PacketSource, nowMs: number): number | undefined {
    const isExpected = this.expected !== undefined && same(this.expected, source);
    if (this.holder === undefined) {
      if (isExpected) return 1;
      return this.isKnown(source) ? learnPackets : learnPacketsUnknown;
    }
    if (isExpected) return learnPackets;
    const silent = nowMs - this.heardMs >= silenceMs;
    return silent && (source.address === this.holder.address || this.isKnown(source)) ? learnPackets : undefined;
  }

  private isKnown({ address }: PacketSource): boolean {
    return address === this.expected?.address || address === this.signalledFrom;
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
