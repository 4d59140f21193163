/**
 * The way between a peer and us: ICE as the library has it, and what the library lacks, which is a restart on a live call
 * (RFC 8445 §9, RFC 9725 §4.3.3) that goes on sending by the old way until the new one stands.
 */
import { type IceConnection, RTCIceParameters, type RTCIceTransport } from 'werift';
import type { Clock, Timer } from '../core/clock';
import { isAdvertised } from './answer';
import { type DatagramCounters, guardDatagrams, hasRelay, releaseRelays } from './datagram-guard';
import { readCandidate } from './ice-candidate';
import type { TrickleFragment } from './trickle-fragment';

/** From the new credentials to a way that works; the caller hears and says nothing for as long, unless the old way holds. */
const RESTART_WITHIN_MS = 15_000;
/** A person who walks between two networks for an hour needs fewer; each costs sockets of a server and of ours. */
const MAX_RESTARTS = 64;
/** A TURN server that does not answer lets its allocation run out by itself. */
const RELEASE_WITHIN_MS = 500;

export interface IcePathOptions {
  readonly ice: RTCIceTransport;
  /** Of the offer. */
  readonly usernameFragment: string;
  readonly audioMid: string;
  /** Empty: all addresses of the machine. */
  readonly advertised: readonly string[];
  readonly clock: Clock;
  readonly counters: DatagramCounters;
  /** There is no way any more, and no restart has found another. Called once at most. */
  readonly onLost: () => void;
}

export class IcePath {
  private readonly connection: IceConnection;
  private remoteFragment: string;
  private state: 'first' | 'restarting' | 'stands' | 'closed' = 'first';
  private isGathering = false;
  private restarts = 0;
  private deadline: Timer | undefined;
  /** What stood before a restart. */
  private oldPair: IceConnection['nominated'];

  constructor(private readonly options: IcePathOptions) {
    const { ice } = options;
    this.connection = ice.connection;
    this.remoteFragment = options.usernameFragment;
    const send = this.connection.send;
    this.connection.send = async (data) => {
      const pair = this.state === 'restarting' ? (this.connection.nominated ?? this.oldPair) : undefined;
      // Past the library's own check of consent, which a restart takes away (RFC 7675 §5.1); RESTART_WITHIN_MS ends it.
      if (pair === undefined) await send(data);
      else await pair.protocol.sendData(data, pair.remoteAddr);
    };
    ice.onStateChange.subscribe((state) => {
      if (this.state === 'closed') return;
      if (state === 'connected') {
        this.deadline?.cancel();
        this.oldPair = undefined;
        this.state = 'stands';
      } else if (state === 'failed' && this.state === 'stands') this.lose();
    });
  }

  /** Of the peer's ICE session that is on, or being tried. */
  get usernameFragment(): string {
    return this.remoteFragment;
  }

  get restartCount(): number {
    return this.restarts;
  }

  /** The library would ask a server of its own choice, in somebody else's network, and the caller would wait for it. */
  askNoStunServer(): void {
    this.connection.stunServer = undefined;
  }

  /** Once the candidates are gathered and before anyone has been told of them. */
  guardSockets(): void {
    guardDatagrams(this.connection, this.options.counters);
  }

  /**
   * Begins anew with the peer's new credentials; its candidates are for the caller to add. Resolves with ours and our
   * candidates as a fragment (RFC 8840 §9), or with undefined when there cannot be a restart now.
   */
  async restart({ usernameFragment, password }: TrickleFragment): Promise<string | undefined> {
    const { ice, clock } = this.options;
    const isAnother = usernameFragment !== undefined && usernameFragment !== this.remoteFragment;
    if (!isAnother || password === undefined || this.isGathering) return undefined;
    if (this.state === 'first' || this.state === 'closed' || this.restarts >= MAX_RESTARTS) return undefined;
    this.restarts += 1;
    this.remoteFragment = usernameFragment;
    this.oldPair = this.connection.nominated ?? this.oldPair;
    this.state = 'restarting';
    this.deadline?.cancel();
    this.deadline = clock.after(RESTART_WITHIN_MS, () => this.lose());
    ice.setRemoteParams(new RTCIceParameters({ usernameFragment, password }));
    // The sockets stay, and so does an allocation at a TURN server: a second one would be no other way.
    if (hasRelay(this.connection)) this.connection.turnServer = undefined;
    this.isGathering = true;
    await ice.gather().finally(() => {
      this.isGathering = false;
    });
    if (this.isClosed()) return undefined;
    this.guardSockets();
    // What comes of it is told by the state; the promise of a try that another one overtook never settles.
    ice.start().catch(() => undefined);
    return this.fragment();
  }

  /** Resolves when allocations at TURN servers are given back, or were not in time. */
  async close(): Promise<void> {
    this.state = 'closed';
    this.deadline?.cancel();
    await Promise.race([
      releaseRelays(this.connection),
      new Promise<void>((resolve) => this.options.clock.after(RELEASE_WITHIN_MS, resolve)),
    ]);
  }

  private isClosed(): boolean {
    return this.state === 'closed';
  }

  private lose(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.deadline?.cancel();
    this.options.onLost();
  }

  private fragment(): string {
    const { ice, audioMid, advertised } = this.options;
    const candidates = ice.getLocalCandidates().flatMap(({ candidate }) => {
      // The library leaves the word off.
      const reading = readCandidate(`candidate:${candidate.replace(/^candidate:/, '')}`);
      const line = reading.kind === 'usable' ? `a=${reading.candidate.text}` : '';
      return isAdvertised(line, advertised) ? [line] : [];
    });
    return [
      `a=ice-ufrag:${this.connection.localUsername}`,
      `a=ice-pwd:${this.connection.localPassword}`,
      'm=audio 9 UDP/TLS/RTP/SAVPF 0',
      `a=mid:${audioMid}`,
      ...candidates,
      'a=end-of-candidates',
      '',
    ].join('\r\n');
  }
}
