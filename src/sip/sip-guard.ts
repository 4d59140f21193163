/**
 * What is dropped without an answer before anybody works on it: scanners by the name that they give themselves, and sources
 * that send more messages, or open more calls, than one source may. Nobody is banned: a datagram's source can be forged, and
 * a ban would let a stranger cut off a trunk.
 */
import type { Clock } from '../core/clock';
import { SourceLimit } from '../core/source-limit';

export interface SipGuardOptions {
  /** Parts of User-Agent values, in any case. */
  readonly scanners: readonly string[];
  readonly sipMessagesPerSourcePerSecond: number;
  readonly callsPerSourcePerSecond: number;
  readonly clock: Clock;
}

export class SipGuard {
  private readonly messages: SourceLimit;
  private readonly calls: SourceLimit;
  private readonly scanners: readonly string[];
  private shunned = 0;

  constructor({ scanners, sipMessagesPerSourcePerSecond, callsPerSourcePerSecond, clock }: SipGuardOptions) {
    this.messages = new SourceLimit(sipMessagesPerSourcePerSecond, clock);
    this.calls = new SourceLimit(callsPerSourcePerSecond, clock);
    this.scanners = scanners.map((word) => word.toLowerCase()).filter((word) => word !== '');
  }

  /** For the endpoint. */
  readonly hooks = {
    hear: ({ address }: { readonly address: string }): boolean => this.hears(address),
    shun: (userAgent: string | undefined): boolean => this.shuns(userAgent),
    admit: ({ address }: { readonly address: string }): boolean => this.admits(address),
  };

  /** Any message, before it is read. */
  hears(address: string): boolean {
    return this.messages.admit(address);
  }

  /** True: whoever names itself so is a scanner, and counted as one. */
  shuns(userAgent: string | undefined): boolean {
    if (userAgent === undefined) return false;
    const name = userAgent.toLowerCase();
    if (!this.scanners.some((word) => name.includes(word))) return false;
    this.shunned += 1;
    return true;
  }

  /** A request that opens something new. */
  admits(address: string): boolean {
    return this.calls.admit(address);
  }

  get gauges(): Readonly<Record<string, number>> {
    return {
      trunkline_sip_scanners_dropped: this.shunned,
      trunkline_sip_messages_limited: this.messages.dropped,
      trunkline_sip_sources_limited: this.calls.dropped,
    };
  }
}
