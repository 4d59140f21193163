/** Third people on calls: with the agent that stays, or with whomever the caller has been connected. */
import { TrunklineError } from '../core/errors';
import { BridgeSide } from './bridge';
import type { Call, Performance } from './call';
import { Room, type Seat } from './room';

/** Where somebody who is rung will be added. */
export interface Table {
  /** False: it is gone meanwhile. */
  join(peer: BridgeSide): boolean;
}

interface StayingAgent {
  readonly room: Room;
  readonly seat: Seat;
}

export class Conferences {
  /** By call: agents that talk with more than their caller. */
  private readonly agents = new Map<string, StayingAgent>();

  /** Throws `call.wrong-state` where nobody is to stay, `call.room-full`. */
  tableOf(call: Call): Table {
    const present = call.performing;
    if (present instanceof BridgeSide && present.room !== undefined) return bridgeTable(call, present, present.room);
    if (present !== undefined && call.snapshot.action === 'agent') return this.agentTable(call, present);
    throw new TrunklineError('call.wrong-state', 'There is nobody on the call with whom another could talk.', {
      fix: 'Only a call with an agent, or one that is connected with somebody, becomes a conference.',
    });
  }

  /** The agent has said goodbye: true if the others go on without it. */
  stepOut(call: Call): boolean {
    const staying = this.agents.get(call.id);
    if (staying === undefined) return false;
    this.agents.delete(call.id);
    const { room, seat } = staying;
    void call
      .take('bridge', (stage) => {
        const side = new BridgeSide(stage);
        room.replace(seat, side);
        side.enter(room);
        return side;
      })
      .then((taken) => {
        if (!taken) room.remove(seat);
      });
    return true;
  }

  private agentTable(call: Call, present: Performance): Table {
    this.agents.get(call.id)?.room.checkRoom();
    return {
      join: (peer) => {
        if (call.performing !== present || call.snapshot.state !== 'answered') return false;
        const known = this.agents.get(call.id);
        if (known === undefined) this.seat(call, peer);
        else if (!joined(known.room, peer)) return false;
        return true;
      },
    };
  }

  private seat(call: Call, peer: BridgeSide): void {
    const room = new Room();
    const seat: Seat = {
      link: call.link,
      agent: true,
      alone: () => {
        this.agents.delete(call.id);
        call.link.post({ type: 'source', source: { kind: 'playout' } });
      },
    };
    const staying = { room, seat };
    this.agents.set(call.id, staying);
    room.add(seat, peer);
    call.whenLeft(() => {
      // One that has stepped out left its seat to its caller.
      if (this.agents.get(call.id) !== staying) return;
      this.agents.delete(call.id);
      room.remove(seat);
    });
    peer.enter(room);
  }
}

function bridgeTable(call: Call, present: BridgeSide, room: Room): Table {
  room.checkRoom();
  return { join: (peer) => call.performing === present && room.size > 1 && joined(room, peer) };
}

/** Two may have been rung at once. */
function joined(room: Room, peer: BridgeSide): boolean {
  if (room.full) return false;
  room.add(peer);
  peer.enter(room);
  return true;
}
