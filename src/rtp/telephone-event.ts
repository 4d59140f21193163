/**
 * DTMF as RTP events (RFC 4733). An event is recognised by its timestamp, which all its packets share, so that a lost
 * marker, a lost beginning or a lost end neither loses nor doubles a digit.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |     event     |E|R| volume    |          duration             |   (§2.3)
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { timestampDelta } from './sequence';

/** Event codes 0 to 15 (§3.2, table 3). */
const digits = '0123456789*#ABCD';
const payloadBytes = 4;
/** Duration of a segment at which a held key goes on in a new one. */
const longestSegmentTicks = 0xffff;
/** No packet of an event for so long: its end was lost. Packets come every 20 to 50 ms. */
const lostEndMs = 150;
/** Timestamps of finished events that are remembered, so that a straggler does not begin them again. */
const rememberedEvents = 8;

export interface Dtmf {
  readonly digit: string;
  readonly durationMs: number;
}

export interface TelephoneEvent {
  readonly event: number;
  readonly end: boolean;
  readonly volume: number;
  readonly durationTicks: number;
}

/** Undefined for what is too short. Redundant blocks behind the first are ignored (§2.5.1.5 is for old events). */
export function parseTelephoneEvent(payload: Uint8Array): TelephoneEvent | undefined {
  if (payload.length < payloadBytes) return undefined;
  return {
    event: payload[0]!,
    end: (payload[1]! & 0x80) !== 0,
    volume: payload[1]! & 0x3f,
    durationTicks: (payload[2]! << 8) | payload[3]!,
  };
}

export function writeTelephoneEvent(event: TelephoneEvent, out: Uint8Array): void {
  out[0] = event.event;
  out[1] = (event.end ? 0x80 : 0) | (event.volume & 0x3f);
  out[2] = event.durationTicks >> 8;
  out[3] = event.durationTicks;
}

export function eventOfDigit(digit: string): number | undefined {
  const event = digit.length === 1 ? digits.indexOf(digit.toUpperCase()) : -1;
  return event < 0 ? undefined : event;
}

export class TelephoneEventReceiver {
  private current:
    | { event: number; timestampTicks: number; ticks: number; before: number; heardMs: number }
    | undefined;
  private readonly finished: number[] = [];
  /** Too short, or no DTMF (flash, tones, modem signals). */
  ignored = 0;

  constructor(private readonly clockRate: number) {}

  /** At most two digits: the one that this packet ends because its own end was lost, and the one that it reports. */
  push(packet: { timestampTicks: number; payload: Uint8Array }, arrivalMs: number): Dtmf[] {
    const parsed = parseTelephoneEvent(packet.payload);
    if (parsed === undefined || parsed.event >= digits.length) {
      this.ignored++;
      return [];
    }
    const timestampTicks = packet.timestampTicks;
    const out: Dtmf[] = [];
    if (this.finished.includes(timestampTicks)) return out;
    const current = this.current;
    if (current !== undefined && current.timestampTicks !== timestampTicks) {
      const ahead = timestampDelta(timestampTicks, current.timestampTicks);
      if (ahead < 0) return out;
      if (parsed.event === current.event && ahead === longestSegmentTicks) {
        // §2.5.1.3: a key held longer than 16 bits of duration goes on as a new segment.
        this.forget(current.timestampTicks);
        current.before += ahead;
        current.timestampTicks = timestampTicks;
        current.ticks = 0;
      } else out.push(this.finish());
    }
    this.current ??= { event: parsed.event, timestampTicks, ticks: 0, before: 0, heardMs: arrivalMs };
    this.current.heardMs = arrivalMs;
    this.current.ticks = Math.max(this.current.ticks, parsed.durationTicks);
    if (parsed.end) out.push(this.finish());
    return out;
  }

  /** Call now and then: ends an event whose end was lost. */
  expire(nowMs: number): Dtmf | undefined {
    if (this.current === undefined || nowMs - this.current.heardMs < lostEndMs) return undefined;
    return this.finish();
  }

  private finish(): Dtmf {
    const { event, timestampTicks, ticks, before } = this.current!;
    this.current = undefined;
    this.forget(timestampTicks);
    return { digit: digits[event]!, durationMs: Math.round(((before + ticks) * 1000) / this.clockRate) };
  }

  private forget(timestampTicks: number): void {
    this.finished.push(timestampTicks);
    if (this.finished.length > rememberedEvents) this.finished.shift();
  }
}

export interface OutgoingEvent {
  readonly payload: Uint8Array;
  /** Where the event began, as ticks after the first call for this digit. */
  readonly marker: boolean;
  readonly beganFramesAgo: number;
}

const toneFrames = 6;
const pauseFrames = 4;
/** The end is sent three times (§2.5.1.4). */
const endRepeats = 3;
const maxQueuedDigits = 64;

/**
 * Plays digits one packet per frame: 120 ms of event, its end three times, then 80 ms of pause. `next` yields undefined
 * while audio should be sent.
 */
export class TelephoneEventSender {
  private queue: number[] = [];
  private frame = 0;
  private readonly payload = new Uint8Array(payloadBytes);
  /** Digits refused because too many were waiting, or that are no digits. */
  refused = 0;

  constructor(
    private readonly clockRate: number,
    private readonly frameMs: number,
  ) {}

  send(text: string): void {
    for (const digit of text) {
      const event = eventOfDigit(digit);
      if (event === undefined || this.queue.length >= maxQueuedDigits) this.refused++;
      else this.queue.push(event);
    }
  }

  next(): OutgoingEvent | undefined {
    const event = this.queue[0];
    if (event === undefined) return undefined;
    const frame = this.frame++;
    if (frame >= toneFrames + endRepeats - 1) {
      if (frame === toneFrames + endRepeats + pauseFrames - 1) {
        this.frame = 0;
        this.queue.shift();
      }
      return undefined;
    }
    const end = frame >= toneFrames - 1;
    const played = Math.min(frame + 1, toneFrames);
    const durationTicks = (played * this.frameMs * this.clockRate) / 1000;
    writeTelephoneEvent({ event, end, volume: 10, durationTicks }, this.payload);
    return { payload: this.payload, marker: frame === 0, beganFramesAgo: frame };
  }
}
