/**
 * Where a request is sent, and where to next when that fails: the hops of its URI, those that failed lately last (RFC 3263
 * §4.3), and TCP before UDP for what is too long for a datagram (RFC 3261 §18.1.1).
 */
import type { Clock } from '../../core/clock';
import type { SipUri } from '../uri';
import type { Resolve } from './resolver';
import { type Hop, hopKey, type TransportName } from './transport';

/** RFC 3261 §18.1.1, for a path whose MTU nobody knows. */
const longestDatagramBytes = 1300;
/** A place that failed is tried behind the others for this long. */
const avoidForMs = 30_000;
/** A far end that refuses TCP is spared the next attempt for this long. */
const noTcpForMs = 10 * 60_000;
const maxRemembered = 1024;

export interface TargetsOptions {
  readonly resolve: Resolve;
  readonly clock: Clock;
  /** What is listened on. */
  readonly transports: () => readonly TransportName[];
}

export class Targets {
  private readonly failedUntil = new Map<string, number>();
  readonly counters = { sentByTcpForSize: 0, failovers: 0, unresolved: 0 };

  constructor(private readonly options: TargetsOptions) {}

  /** An empty list: the name is unknown. */
  async find(uri: SipUri): Promise<readonly Hop[]> {
    try {
      return this.healthyFirst(await this.options.resolve(uri));
    } catch {
      this.counters.unresolved++;
      return [];
    }
  }

  /** The same places for a message of that many bytes. */
  fitting(hops: readonly Hop[], bytes: number): readonly Hop[] {
    if (bytes <= longestDatagramBytes || !this.options.transports().includes('tcp')) return hops;
    return hops.flatMap((hop): readonly Hop[] => {
      if (hop.transport !== 'udp') return [hop];
      const overTcp: Hop = { ...hop, transport: 'tcp' };
      if (this.isAvoided(overTcp)) return [hop];
      this.counters.sentByTcpForSize++;
      return [overTcp, hop];
    });
  }

  /** `instead`: the place that is tried next. */
  failed(hop: Hop, instead: Hop | undefined): void {
    if (instead !== undefined) this.counters.failovers++;
    const refusedTcp = hop.transport === 'tcp' && instead?.transport === 'udp' && hopKey(instead) === hopKey(hop);
    const key = keyOf(hop);
    this.failedUntil.delete(key);
    this.failedUntil.set(key, this.options.clock.nowMs() + (refusedTcp ? noTcpForMs : avoidForMs));
    const oldest = this.failedUntil.keys().next();
    if (this.failedUntil.size > maxRemembered && oldest.done !== true) this.failedUntil.delete(oldest.value);
  }

  worked(hop: Hop): void {
    if (this.failedUntil.size > 0) this.failedUntil.delete(keyOf(hop));
  }

  private healthyFirst(hops: readonly Hop[]): readonly Hop[] {
    return [...hops.filter((hop) => !this.isAvoided(hop)), ...hops.filter((hop) => this.isAvoided(hop))];
  }

  private isAvoided(hop: Hop): boolean {
    return (this.failedUntil.get(keyOf(hop)) ?? Number.NEGATIVE_INFINITY) > this.options.clock.nowMs();
  }
}

function keyOf(hop: Hop): string {
  return `${hop.transport}|${hopKey(hop)}`;
}
