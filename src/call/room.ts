/** Calls that are connected: each hears all others and not itself. Two are a bridge, more a conference. */
import { TrunklineError } from '../core/errors';
import type { MediaLink } from '../media/media-router';
import { agentVoice } from '../media/mix-minus';

/** One call in it. */
export interface Seat {
  readonly link: Pick<MediaLink, 'sessionId' | 'post'>;
  /** An agent talks with this call and stays: it hears everybody, and everybody hears it. */
  readonly agent: boolean;
  /** All others have gone. */
  alone(): void;
}

/** As many voices as can be told apart; each costs every other one a mix. */
const maxSeats = 8;

export class Room {
  private seats: readonly Seat[] = [];

  get size(): number {
    return this.seats.length;
  }

  get full(): boolean {
    return this.seats.length >= maxSeats;
  }

  add(...seats: readonly Seat[]): void {
    this.seats = [...this.seats, ...seats];
    for (const { link, agent } of seats) if (!agent) link.post({ type: 'music' });
    this.connect();
  }

  /** Throws `call.room-full`. */
  checkRoom(): void {
    if (!this.full) return;
    throw new TrunklineError('call.room-full', `A conference has at most ${maxSeats} calls.`, {
      fix: 'Let somebody leave first.',
    });
  }

  /** Whoever is left alone is told; two or more go on. */
  remove(seat: Seat): void {
    if (!this.seats.includes(seat)) return;
    this.seats = this.seats.filter((one) => one !== seat);
    const [last, ...others] = this.seats;
    if (last !== undefined && others.length === 0) {
      this.seats = [];
      last.alone();
    } else this.connect();
  }

  /** Another in the same place: an agent that goes and leaves its caller with the others. */
  replace(before: Seat, seat: Seat): void {
    if (!this.seats.includes(before)) return;
    this.seats = this.seats.map((one) => (one === before ? seat : one));
    this.connect();
  }

  /** A key that one of them pressed, for all others. */
  relayKey(from: Seat, digit: string): void {
    for (const { link } of this.othersThan(from)) link.post({ type: 'send-dtmf', digits: digit });
  }

  private connect(): void {
    for (const seat of this.seats) {
      const peers = this.othersThan(seat).flatMap(({ link, agent }) =>
        agent ? [link.sessionId, agentVoice(link.sessionId)] : [link.sessionId],
      );
      const playout = seat.agent ? { playout: true } : {};
      seat.link.post({ type: 'source', source: { kind: 'bridge', peers, ...playout } });
    }
  }

  private othersThan(seat: Seat): readonly Seat[] {
    return this.seats.filter((one) => one !== seat);
  }
}
