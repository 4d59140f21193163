/** The data channel `events` of one peer: bounded both ways, and open to what is said before it stands (RFC 8831). */
import type { RTCDataChannel } from 'werift';
import type { Clock } from '../core/clock';
import { maxEventBytes } from '../media/transport';

/** Sent events waiting for the network; a peer that reads none of them loses the newest. */
const MAX_BUFFERED_EVENT_BYTES = 256 * 1024;
/** A person types slower; a script that floods the channel is heard at this rate. */
const MAX_EVENTS_PER_SECOND = 50;
const EVENTS_CHANNEL = 'events';
/** Said before the channel stands, as the greeting's captions are: the oldest give way. */
const MAX_EARLY_EVENTS = 64;

export class EventsChannel {
  private channel: RTCDataChannel | undefined;
  private readonly early: string[] = [];
  private allowance = MAX_EVENTS_PER_SECOND;
  private allowanceAtMs: number;
  /** Events that were lost, of either side. */
  dropped = 0;

  constructor(
    private readonly clock: Clock,
    private readonly onEvent: (json: string) => void,
  ) {
    this.allowanceAtMs = clock.nowMs();
  }

  send(json: string): boolean {
    const { channel } = this;
    if (channel === undefined || channel.readyState === 'connecting') {
      this.early.push(json);
      if (this.early.length > MAX_EARLY_EVENTS) {
        this.early.shift();
        this.dropped += 1;
      }
      return true;
    }
    if (channel.readyState !== 'open') return false;
    if (channel.bufferedAmount > MAX_BUFFERED_EVENT_BYTES) {
      this.dropped += 1;
      return false;
    }
    try {
      channel.send(json);
      return true;
    } catch {
      this.dropped += 1;
      return false;
    }
  }

  /** The first channel of the name is taken; every other is closed. */
  adopt(channel: RTCDataChannel): void {
    if (channel.label !== EVENTS_CHANNEL || this.channel !== undefined) {
      channel.close();
      return;
    }
    this.channel = channel;
    channel.stateChange.subscribe((state) => {
      if (state === 'open') for (const json of this.early.splice(0)) this.send(json);
    });
    channel.onMessage.subscribe((data) => {
      if (typeof data !== 'string' || Buffer.byteLength(data) > maxEventBytes || !this.takeAllowance()) {
        this.dropped += 1;
        return;
      }
      this.onEvent(data);
    });
  }

  /** A bucket that refills at the allowed rate. */
  private takeAllowance(): boolean {
    const nowMs = this.clock.nowMs();
    const refill = ((nowMs - this.allowanceAtMs) / 1000) * MAX_EVENTS_PER_SECOND;
    this.allowance = Math.min(MAX_EVENTS_PER_SECOND, this.allowance + refill);
    this.allowanceAtMs = nowMs;
    if (this.allowance < 1) return false;
    this.allowance -= 1;
    return true;
  }
}
