/**
 * Lets only the peer itself talk to a peer connection: connectivity checks that carry the password of the offer, and
 * DTLS and SRTP from addresses that have passed such a check (RFC 8445 §7.3, RFC 8489 §9.1.3). Without it a stranger who
 * finds the port could end a call with one unprotected DTLS alert, or turn its ICE roles around.
 */
import {
  classes,
  type IceConnection,
  Message,
  methods,
  parseMessage,
  StunOverTurnProtocol,
  StunProtocol,
} from 'werift';

/** RFC 7983 §7: the first byte of STUN is 0…3. */
const LAST_STUN_BYTE = 3;
const MAX_DATAGRAM_BYTES = 4096;

export interface DatagramCounters {
  /** Datagrams that were not the peer's. */
  foreign: number;
}

/** RFC 8656 §9: a permission lasts five minutes, and only a renewed channel renews it. */
const CHANNEL_REFRESH_SECONDS = 240;

const guarded = new WeakSet<object>();

/** Call it once the candidates are gathered: it wraps the sockets and relays that there are. */
export function guardDatagrams(ice: IceConnection, counters: DatagramCounters): void {
  // Not public, hence the reflection; peer-transport.test.ts attacks a live peer and fails if this finds no socket.
  const protocols: unknown = Reflect.get(ice, 'protocols');
  if (!Array.isArray(protocols)) return;
  for (const protocol of protocols) {
    // A restart of ICE keeps the sockets that there are.
    if (guarded.has(protocol)) continue;
    guarded.add(protocol);
    const checked = new CheckedSources(ice);
    if (protocol instanceof StunProtocol) {
      const { transport } = protocol;
      const deliver = transport.onData;
      transport.onData = (datagram, from) => {
        if (checked.admits(datagram, from)) deliver(datagram, from);
        else counters.foreign += 1;
      };
    } else if (protocol instanceof StunOverTurnProtocol) guardRelay(protocol, checked, counters);
  }
}

export function hasRelay(ice: IceConnection): boolean {
  return relaysOf(ice).length > 0;
}

function relaysOf(ice: IceConnection): StunOverTurnProtocol[] {
  const protocols: unknown = Reflect.get(ice, 'protocols');
  return Array.isArray(protocols) ? protocols.filter((protocol) => protocol instanceof StunOverTurnProtocol) : [];
}

/** Gives the allocations back instead of leaving them to run out (RFC 8656 §7.2); resolves when that is answered. */
export async function releaseRelays(ice: IceConnection): Promise<void> {
  await Promise.allSettled(
    relaysOf(ice).map(({ turn }) => {
      const refresh = new Message(methods.REFRESH, classes.REQUEST);
      refresh.setAttribute('LIFETIME', 0);
      return turn.requestWithRetry(refresh, turn.server);
    }),
  );
}

/** What a TURN server passes on is checked like what comes straight; and only the server itself may pass anything on. */
function guardRelay(relay: StunOverTurnProtocol, checked: CheckedSources, counters: DatagramCounters): void {
  const { turn } = relay;
  Reflect.set(turn, 'channelRefreshTime', CHANNEL_REFRESH_SECONDS);
  const { transport } = turn;
  const deliver = transport.onData;
  transport.onData = (datagram, from) => {
    // Over TCP and TLS there is nobody else on the line.
    const [address, port] = turn.server;
    if (transport.type !== 'udp' || (from[0] === address && from[1] === port)) deliver(datagram, from);
    else counters.foreign += 1;
  };
  const take: unknown = Reflect.get(relay, 'handleStunMessage');
  if (typeof take !== 'function') return;
  Reflect.set(relay, 'handleStunMessage', (datagram: Buffer, from: readonly [string, number]) => {
    if (checked.admits(datagram, from)) take(datagram, from);
    else counters.foreign += 1;
  });
}

class CheckedSources {
  /** The address that is talking: nearly every datagram comes from it. */
  private current: readonly [string, number] | undefined;

  constructor(private readonly ice: IceConnection) {}

  admits(datagram: Buffer, [address, port]: readonly [string, number]): boolean {
    const first = datagram[0];
    if (first === undefined || datagram.length > MAX_DATAGRAM_BYTES) return false;
    if (first <= LAST_STUN_BYTE) return this.admitsStun(datagram);
    if (this.current?.[0] === address && this.current[1] === port) return true;
    const known = this.ice.candidatePairs.some(({ remoteAddr }) => remoteAddr[0] === address && remoteAddr[1] === port);
    if (known) this.current = [address, port];
    return known;
  }

  /** Requests are checked here; of a response the library knows the transaction and checks the password itself. */
  private admitsStun(datagram: Buffer): boolean {
    const message = parseMessage(datagram);
    if (message === undefined) return false;
    if (message.messageClass !== classes.REQUEST) return true;
    return parseMessage(datagram, Buffer.from(this.ice.localPassword, 'utf8')) !== undefined;
  }
}
