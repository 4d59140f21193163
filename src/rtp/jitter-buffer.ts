/**
 * Evens out arrival: packets go in when they come, in any order, and one answer comes out per pull on an even clock. The
 * playout delay adapts between 20 and 200 ms to the spread of transit times (after Ramjee et al., Adaptive Playout
 * Mechanisms, INFOCOM 1994): it grows at once when a packet came too late to be played, and shrinks a frame at a time,
 * by preference where nothing is said.
 *
 *          playedUpTo   cursor
 *   --played--|--concealed-|--[p]--[p]-----[p]-->  timestamp, unwrapped
 *                          ^ what the next pull plays
 *
 * Positions are timestamps, not sequence numbers: DTMF events share the numbers, and discontinuous senders skip time.
 */
import type { RtpPacket } from './packet';
import { timestampDelta } from './sequence';

export type Pulled =
  | { readonly kind: 'packet'; readonly packet: RtpPacket }
  /** Time is shortened by one packet: play the second, faded in from the first. */
  | { readonly kind: 'merge'; readonly from: RtpPacket; readonly packet: RtpPacket }
  /** Nothing to play for so long: conceal it. `idle`: the far end sends nothing; `hold`: time is stretched on purpose. */
  | { readonly kind: 'gap'; readonly ticks: number; readonly reason: 'idle' | 'hold' }
  /** Lost: `next` is what is played behind it, where the loss ends with this gap. */
  | { readonly kind: 'gap'; readonly ticks: number; readonly reason: 'lost'; readonly next?: RtpPacket | undefined };

export type Accepted = 'queued' | 'duplicate' | 'late' | 'probation' | 'unplayable';

export interface JitterBufferOptions {
  readonly clockRate: number;
  /** Length of a payload in ticks, 0 if it is none. */
  readonly durationTicks: (payload: Uint8Array) => number;
  readonly frameMs?: number;
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
  readonly initialDelayMs?: number;
  /** Packets repeat the ones before them: while some get lost, one more is kept in hand to repair from. */
  readonly redundant?: boolean;
}

interface Entry {
  readonly at: number;
  readonly ticks: number;
  readonly packet: RtpPacket;
}

/** Packets held at most; beyond it the oldest goes. At 20 ms: 1.28 s. */
const capacity = 64;
/** A timestamp this far from where we are is another stream, or a forgery: believed when a second packet follows suit. */
const wildMs = 1000;
/** Nothing for so many frames: the next packet begins a talkspurt, and the delay may be set anew. */
const talkspurtGapFrames = 5;
/** Packets that are late for so long without one in time: the path has changed, follow it. */
const lateRunMs = 100;
/** Smallest transit is taken over the last one to two of these. */
const transitWindowMs = 5000;
const shrinkEveryMs = 60;
/** Shrinking within speech is for a delay that is far too long only, and seldom. */
const shrinkInSpeechAboveMs = 100;
const shrinkInSpeechEveryMs = 200;
/** A loss is taken for the first of more for so long. */
const lossyForMs = 10_000;
/** A leap of the numbers beyond this is another stream's, no loss. */
const maxDropout = 100;

export class JitterBuffer {
  private readonly frameMs: number;
  private readonly minDelayMs: number;
  private readonly maxDelayMs: number;
  private readonly ticksPerMs: number;
  private readonly frameTicks: number;
  private readonly durationTicks: (payload: Uint8Array) => number;
  private readonly entries: Entry[] = [];
  /** Positions played last, to tell a duplicate from a late packet. */
  private readonly played = new Float64Array(32).fill(Number.NaN);
  private playedAt = 0;

  private ssrc: number | undefined;
  /** Wire timestamp and position of the newest packet, from which others are unwrapped. */
  private newestTicks = 0;
  private newestAt = 0;
  private newestSequence = 0;
  private cursor = 0;
  private playedUpTo = Number.NEGATIVE_INFINITY;
  private idleFrames = 0;
  private lastPullMs: number | undefined;
  private suspect: RtpPacket | undefined;

  private transitMin = Number.POSITIVE_INFINITY;
  private transitMinBefore = Number.POSITIVE_INFINITY;
  private transitWindowStartMs = 0;
  private spreadMs: number;
  private lateSinceMs: number | undefined;
  private growNow = false;
  private lastShrinkMs = Number.NEGATIVE_INFINITY;
  private readonly redundant: boolean;
  private lastLossMs = Number.NEGATIVE_INFINITY;

  readonly counts = {
    received: 0,
    late: 0,
    duplicate: 0,
    overflow: 0,
    unplayable: 0,
    resync: 0,
    lostFrames: 0,
    merged: 0,
    held: 0,
  };

  constructor(options: JitterBufferOptions) {
    this.frameMs = options.frameMs ?? 20;
    this.minDelayMs = options.minDelayMs ?? 20;
    this.maxDelayMs = options.maxDelayMs ?? 200;
    this.ticksPerMs = options.clockRate / 1000;
    this.frameTicks = this.frameMs * this.ticksPerMs;
    this.durationTicks = options.durationTicks;
    this.spreadMs = options.initialDelayMs ?? 30;
    this.redundant = options.redundant === true;
  }

  get length(): number {
    return this.entries.length;
  }

  /** The delay that the spread of transit times asks for, and a packet more where the next one can repair a loss. */
  get targetDelayMs(): number {
    const lossy = this.redundant && (this.lastPullMs ?? 0) - this.lastLossMs < lossyForMs;
    const spread = Math.max(this.minDelayMs, 1.25 * this.spreadMs);
    return Math.min(this.maxDelayMs, lossy ? spread + this.frameMs : spread);
  }

  /** How long a packet that came by the fastest path waits for its turn. */
  get delayMs(): number {
    const fastest = Math.min(this.transitMin, this.transitMinBefore);
    if (this.lastPullMs === undefined || !Number.isFinite(fastest)) return 0;
    return this.lastPullMs + this.frameMs - this.cursor / this.ticksPerMs - fastest;
  }

  put(packet: RtpPacket, arrivalMs: number): Accepted {
    this.counts.received++;
    if (this.ssrc === undefined) {
      this.anchor(packet, arrivalMs);
      return this.accept(packet, this.newestAt, arrivalMs);
    }
    const at = this.newestAt + timestampDelta(packet.timestampTicks, this.newestTicks);
    if (packet.ssrc !== this.ssrc || Math.abs(at - this.cursor) > wildMs * this.ticksPerMs) {
      return this.doubt(packet, arrivalMs);
    }
    this.suspect = undefined;
    return this.accept(packet, at, arrivalMs);
  }

  /** What to play for the next frame. `quiet`: what was played last held no speech. */
  pull(nowMs: number, quiet = false): Pulled {
    this.lastPullMs = nowMs;
    for (;;) {
      const head = this.entries[0];
      if (head === undefined) return this.idle();
      // Timestamps that are off by less than 2 ms are rounding of the sender, no loss.
      if (head.at > this.cursor + 2 * this.ticksPerMs) return this.skipTo(head);
      if (head.at + head.ticks <= this.cursor) {
        this.entries.shift();
        this.counts.late++;
        continue;
      }
      if (this.shouldHold(quiet)) {
        this.growNow = false;
        this.counts.held++;
        return { kind: 'gap', ticks: this.frameTicks, reason: 'hold' };
      }
      this.entries.shift();
      this.play(head);
      const next = this.entries[0];
      if (next !== undefined && next.at === this.cursor && this.shouldShrink(nowMs, quiet, next.ticks)) {
        this.entries.shift();
        this.play(next);
        this.lastShrinkMs = nowMs;
        this.counts.merged++;
        return { kind: 'merge', from: head.packet, packet: next.packet };
      }
      return { kind: 'packet', packet: head.packet };
    }
  }

  /** Forgets the stream, as after a change of codec; counts are kept. */
  reset(): void {
    this.entries.length = 0;
    this.played.fill(Number.NaN);
    this.ssrc = undefined;
    this.suspect = undefined;
    this.playedUpTo = Number.NEGATIVE_INFINITY;
    this.idleFrames = 0;
    this.lateSinceMs = undefined;
    this.growNow = false;
    this.transitMin = Number.POSITIVE_INFINITY;
    this.transitMinBefore = Number.POSITIVE_INFINITY;
  }

  private accept(packet: RtpPacket, at: number, arrivalMs: number): Accepted {
    const ticks = this.durationTicks(packet.payload);
    if (ticks === 0) {
      this.counts.unplayable++;
      return 'unplayable';
    }
    if (this.isKnown(at)) {
      this.counts.duplicate++;
      return 'duplicate';
    }
    this.measure(at, arrivalMs);
    if (at > this.newestAt) {
      const skipped = ((packet.sequenceNumber - this.newestSequence) & 0xffff) - 1;
      if (skipped > 0 && skipped < maxDropout) this.noticeLoss(arrivalMs);
      this.newestSequence = packet.sequenceNumber;
      this.newestAt = at;
      this.newestTicks = packet.timestampTicks;
    }
    // Behind the cursor it is a talkspurt only if the sender says so: else a stall of the network would be taken for
    // one, and all of its length kept as delay.
    const talkspurt =
      this.entries.length === 0 &&
      this.idleFrames >= talkspurtGapFrames &&
      at >= this.playedUpTo &&
      (at >= this.cursor || packet.marker);
    if (talkspurt) {
      this.cursor = Math.max(this.playedUpTo, this.cursorFor(at, arrivalMs));
    } else if (at < this.cursor && !this.rescue(at, arrivalMs)) {
      this.counts.late++;
      this.growNow = true;
      return 'late';
    }
    this.lateSinceMs = undefined;
    this.insert({ at, ticks, packet });
    return 'queued';
  }

  /** A packet behind the cursor: playable still if nothing newer was played, at the price of a longer delay. */
  private rescue(at: number, arrivalMs: number): boolean {
    const lateMs = (this.cursor - at) / this.ticksPerMs;
    if (at >= this.playedUpTo && this.delayMs + lateMs <= this.maxDelayMs) {
      this.cursor = at;
      return true;
    }
    this.lateSinceMs ??= arrivalMs;
    if (arrivalMs - this.lateSinceMs < lateRunMs) return false;
    // The path became slower for good: what counts as fastest is measured anew, and play goes on from here.
    this.transitMinBefore = Number.POSITIVE_INFINITY;
    this.transitMin = arrivalMs - at / this.ticksPerMs;
    this.entries.length = 0;
    this.playedUpTo = Number.NEGATIVE_INFINITY;
    this.cursor = this.cursorFor(at, arrivalMs);
    this.counts.resync++;
    return true;
  }

  private noticeLoss(nowMs: number): void {
    const isFirst = nowMs - this.lastLossMs >= lossyForMs;
    this.lastLossMs = nowMs;
    // Now, not in the next pause: until then every loss would be one that cannot be repaired.
    if (isFirst && this.redundant) this.growNow = true;
  }

  /** Another SSRC or a leap in time (RFC 3550 A.1): followed once two packets in sequence agree on it. */
  private doubt(packet: RtpPacket, arrivalMs: number): Accepted {
    const suspect = this.suspect;
    const follows =
      suspect !== undefined &&
      packet.ssrc === suspect.ssrc &&
      packet.sequenceNumber === ((suspect.sequenceNumber + 1) & 0xffff) &&
      Math.abs(timestampDelta(packet.timestampTicks, suspect.timestampTicks)) <= wildMs * this.ticksPerMs;
    if (!follows) {
      this.suspect = packet;
      return 'probation';
    }
    this.reset();
    this.counts.resync++;
    this.anchor(suspect, arrivalMs);
    this.accept(suspect, this.newestAt, arrivalMs);
    return this.accept(packet, this.newestAt + timestampDelta(packet.timestampTicks, this.newestTicks), arrivalMs);
  }

  private anchor(packet: RtpPacket, arrivalMs: number): void {
    this.ssrc = packet.ssrc;
    this.newestTicks = packet.timestampTicks;
    this.newestAt = packet.timestampTicks;
    this.newestSequence = packet.sequenceNumber;
    this.transitWindowStartMs = arrivalMs;
    this.idleFrames = 0;
    this.lastPullMs ??= arrivalMs;
    this.cursor = this.cursorFor(this.newestAt, arrivalMs);
  }

  /** Where the cursor must stand for `at` to be played one target delay after its arrival. */
  private cursorFor(at: number, arrivalMs: number): number {
    const untilPullMs = Math.max(0, (this.lastPullMs ?? arrivalMs) + this.frameMs - arrivalMs);
    return at - Math.max(0, this.targetDelayMs - untilPullMs) * this.ticksPerMs;
  }

  private measure(at: number, arrivalMs: number): void {
    const transit = arrivalMs - at / this.ticksPerMs;
    if (arrivalMs - this.transitWindowStartMs > transitWindowMs) {
      this.transitMinBefore = this.transitMin;
      this.transitMin = transit;
      this.transitWindowStartMs = arrivalMs;
    } else if (transit < this.transitMin) this.transitMin = transit;
    const excessMs = Math.min(this.maxDelayMs, transit - Math.min(this.transitMin, this.transitMinBefore));
    // Up by half of the difference at once, down over some five seconds of packets.
    this.spreadMs += (excessMs - this.spreadMs) * (excessMs > this.spreadMs ? 0.5 : 1 / 256);
  }

  private insert(entry: Entry): void {
    let index = this.entries.length;
    while (index > 0 && this.entries[index - 1]!.at > entry.at) index--;
    if (index === this.entries.length) this.entries.push(entry);
    else this.entries.splice(index, 0, entry);
    if (this.entries.length > capacity) {
      this.entries.shift();
      this.counts.overflow++;
      this.cursor = this.entries[0]!.at;
    }
  }

  private isKnown(at: number): boolean {
    for (let i = 0; i < this.entries.length; i++) if (this.entries[i]!.at === at) return true;
    return this.played.includes(at);
  }

  private play(entry: Entry): void {
    this.cursor = entry.at + entry.ticks;
    this.playedUpTo = this.cursor;
    this.idleFrames = 0;
    this.played[this.playedAt] = entry.at;
    this.playedAt = (this.playedAt + 1) % this.played.length;
  }

  private idle(): Pulled {
    if (this.ssrc !== undefined) {
      this.idleFrames++;
      this.cursor += this.frameTicks;
    }
    return { kind: 'gap', ticks: this.frameTicks, reason: 'idle' };
  }

  private skipTo({ at, packet }: Entry): Pulled {
    const ticks = Math.min(this.frameTicks, at - this.cursor);
    this.cursor += ticks;
    if (this.idleFrames >= talkspurtGapFrames || this.playedUpTo === Number.NEGATIVE_INFINITY) {
      return { kind: 'gap', ticks, reason: 'idle' };
    }
    this.counts.lostFrames++;
    return { kind: 'gap', ticks, reason: 'lost', next: this.cursor === at ? packet : undefined };
  }

  private shouldHold(quiet: boolean): boolean {
    // The cursor has not moved yet: the delay named here is the one after holding.
    return (quiet || this.growNow) && this.delayMs - this.frameMs / 2 < this.targetDelayMs;
  }

  private shouldShrink(nowMs: number, quiet: boolean, ticks: number): boolean {
    const excessMs = this.delayMs - ticks / this.ticksPerMs - this.targetDelayMs;
    return quiet
      ? excessMs >= 0 && nowMs - this.lastShrinkMs >= shrinkEveryMs
      : excessMs > shrinkInSpeechAboveMs && nowMs - this.lastShrinkMs >= shrinkInSpeechEveryMs;
  }
}
