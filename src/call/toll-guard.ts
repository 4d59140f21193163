/**
 * Against calls that cost money and nobody wants (toll fraud): where we may call, and how many such calls may be under way
 * and begun in a day, by all, by each trunk and for each softphone. A day is one of UTC, and outlives the process.
 */
import { type ErrorCode, TrunklineError } from '../core/errors';
import { closedBy, countryOf, type DestinationRules, numberOf } from './destinations';

export interface OutboundCap {
  /** At a time. */
  readonly calls: number;
  readonly perDay: number;
}

export interface TollGuardOptions extends DestinationRules {
  readonly caps: { readonly all: OutboundCap; readonly trunk: OutboundCap; readonly user: OutboundCap };
  /** By name, who the trunk says we are. */
  readonly callerIds: ReadonlyMap<string, string | undefined>;
  readonly days: DayCounts;
  readonly now: () => Date;
}

/** Counts of today, kept over a restart. */
export interface DayCounts {
  count(key: string): number;
  add(keys: readonly string[]): void;
}

export interface TollCall {
  /** A SIP URI or number. */
  readonly to: string;
  /** By which it leaves. */
  readonly trunk?: string | undefined;
  /** The softphone's user on whose call it is placed. */
  readonly user?: string | undefined;
}

const shortestTollNumber = 7;
const tryAgainSeconds = 60;
const dayMs = 86_400_000;

/** Whether an error is one of this file's. */
export function isTollRefusal(error: unknown): error is TrunklineError {
  return error instanceof TrunklineError && refusals.includes(error.code);
}
const refusals: readonly ErrorCode[] = ['call.destination-closed', 'call.outbound-limit'];

export class TollGuard {
  private readonly live = new Map<string, number>();
  readonly counters = { closed: 0, limited: 0 };

  constructor(private readonly options: TollGuardOptions) {}

  /** Throws `call.destination-closed`. */
  checkDestination({ to, trunk }: TollCall): void {
    const rule = this.ruleAgainst(to, trunk);
    if (rule === undefined) return;
    this.counters.closed += 1;
    throw new TrunklineError('call.destination-closed', `Numbers that begin with ${rule} may not be called.`, {
      fix: 'Add the prefix to outbound.allow if they may.',
      details: { rule },
    });
  }

  /** Whether a redirect may be followed there. */
  isOpen(to: string, trunk: string | undefined): boolean {
    return this.ruleAgainst(to, trunk) === undefined;
  }

  /**
   * Counts the call, if it is one that costs; what is returned says that it has ended. Throws `call.destination-closed`,
   * `call.outbound-limit`.
   */
  begin(call: TollCall): () => void {
    this.checkDestination(call);
    if (!costs(call)) return () => undefined;
    const { all, trunk, user } = this.options.caps;
    const bounds: readonly (readonly [string, OutboundCap])[] = [
      ['all', all],
      ...(call.trunk === undefined ? [] : [[`trunk ${call.trunk}`, trunk] as const]),
      ...(call.user === undefined ? [] : [[`user ${call.user}`, user] as const]),
    ];
    for (const [key, cap] of bounds) {
      if ((this.live.get(key) ?? 0) >= cap.calls) throw this.tooMany(key, 'at a time', tryAgainSeconds);
      if (this.options.days.count(key) >= cap.perDay) throw this.tooMany(key, 'in a day', this.secondsOfToday());
    }
    const keys = bounds.map(([key]) => key);
    // Before it is placed: a death in between must not give a call away.
    this.options.days.add(keys);
    for (const key of keys) this.live.set(key, (this.live.get(key) ?? 0) + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      for (const key of keys) {
        const left = (this.live.get(key) ?? 1) - 1;
        if (left > 0) this.live.set(key, left);
        else this.live.delete(key);
      }
    };
  }

  get gauges(): Readonly<Record<string, number>> {
    return {
      trunkline_outbound_live: this.live.get('all') ?? 0,
      trunkline_outbound_today: this.options.days.count('all'),
      trunkline_outbound_closed: this.counters.closed,
      trunkline_outbound_limited: this.counters.limited,
    };
  }

  private ruleAgainst(to: string, trunk: string | undefined): string | undefined {
    const number = numberOf(to);
    if (number === undefined) return undefined;
    const { callerIds, country, allow, deny } = this.options;
    const callerId = trunk === undefined ? undefined : callerIds.get(trunk);
    return closedBy(number, { allow, deny, country: country ?? countryOf(callerId) });
  }

  private tooMany(key: string, when: string, retryAfterSeconds: number): TrunklineError {
    this.counters.limited += 1;
    return new TrunklineError('call.outbound-limit', `No more calls may be placed ${when} (${key}).`, {
      fix: 'Wait, or raise outbound.caps if these calls are wanted.',
      details: { key, retryAfterSeconds },
    });
  }

  private secondsOfToday(): number {
    return Math.ceil((dayMs - (this.options.now().getTime() % dayMs)) / 1_000);
  }
}

/** By a trunk, or to what looks like a telephone number wherever it goes. */
function costs({ to, trunk }: TollCall): boolean {
  return trunk !== undefined || (numberOf(to)?.length ?? 0) >= shortestTollNumber;
}
