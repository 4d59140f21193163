/** A call that is connected with others, by us: keys go across, and whoever is left alone ends. */
import type { MediaLink, SessionMessage } from '../media/media-router';
import type { Performance, Stage } from './call';
import { Room, type Seat } from './room';

export class BridgeSide implements Performance, Seat {
  readonly turnGapsMs: readonly number[] = [];
  readonly interruptions = 0;
  readonly agent = false;
  private inRoom: Room | undefined;
  private closed = false;
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly stage: Stage) {}

  /** Both are performed already, or about to be. One that has ended meanwhile ends the other. */
  static join(one: BridgeSide, other: BridgeSide): void {
    const room = new Room();
    room.add(one, other);
    one.enter(room);
    other.enter(room);
  }

  get callId(): string {
    return this.stage.callId;
  }

  get link(): MediaLink {
    return this.stage.link;
  }

  /** With whom it is connected. */
  get room(): Room | undefined {
    return this.inRoom;
  }

  /** It has its seat there; one that has ended meanwhile leaves it at once. */
  enter(room: Room): void {
    this.inRoom = room;
    if (this.closed) room.remove(this);
  }

  onMedia(message: SessionMessage): void {
    if (message.type === 'dtmf') this.inRoom?.relayKey(this, message.digit);
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

  alone(): void {
    this.leave();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.inRoom?.remove(this);
    for (const listener of this.listeners) listener();
  }
}

/** What is performed on a call that is connected with `peer` from now on. */
export function bridgedWith(peer: BridgeSide, stage: Stage): BridgeSide {
  const mine = new BridgeSide(stage);
  BridgeSide.join(mine, peer);
  return mine;
}
