/** Two answered calls that are connected: each hears the other's far end, keys go across, and neither outlives the other. */
import type { SessionMessage } from '../media/media-router';
import type { Performance, Stage } from './call';

export class BridgeSide implements Performance {
  readonly turnGapsMs: readonly number[] = [];
  readonly interruptions = 0;
  private other: BridgeSide | undefined;
  private closed = false;
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly stage: Stage) {}

  /** Both are performed already, or about to be. One that has ended meanwhile ends the other. */
  static join(one: BridgeSide, other: BridgeSide): void {
    one.other = other;
    other.other = one;
    for (const [ear, mouth] of [
      [one, other],
      [other, one],
    ] as const) {
      ear.stage.link.post({ type: 'music' });
      ear.stage.link.post({ type: 'source', source: { kind: 'bridge', peer: mouth.stage.link.sessionId } });
    }
    if (one.closed) other.stage.end('finished');
    if (other.closed) one.stage.end('finished');
  }

  get callId(): string {
    return this.stage.callId;
  }

  onMedia(message: SessionMessage): void {
    if (message.type === 'dtmf') this.other?.stage.link.post({ type: 'send-dtmf', digits: message.digit });
  }

  onHold(): void {
    // A far end on hold sends nothing or its own music: the other side hears what it sends.
  }

  command(): boolean {
    return false;
  }

  /** When the call ends, or something else is done with it; at once if it has. */
  onLeft(listener: () => void): void {
    if (this.closed) listener();
    else this.listeners.push(listener);
  }

  /** Nobody will be connected with it. */
  leave(): void {
    this.stage.end('finished');
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.other?.stage.end('finished');
    for (const listener of this.listeners) listener();
  }
}

/** What is performed on a call that is connected with `peer` from now on. */
export function bridgedWith(peer: BridgeSide, stage: Stage): BridgeSide {
  const mine = new BridgeSide(stage);
  BridgeSide.join(mine, peer);
  return mine;
}
