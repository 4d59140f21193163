/**
 * Which of several agents on one PostgreSQL are there: each renews a lease by the database's clock, and one whose lease has run
 * out is taken over by another, which delivers its events and ends its calls. There is no leader and no vote; the database's row
 * locks are all that is needed.
 */
import { callRecordSchema } from '../core/call-record';
import type { Clock, Timer } from '../core/clock';
import type { WaitingDelivery } from '../core/delivery';
import type { Logger } from '../core/log';
import { type Database, dateIn, type Row } from './database';
import { waitingOf } from './delivery-ledger';
import type { LostCall } from './lost-call';
import { ownLiveCallsStatement, registerStatement, renewStatement, takeOverStatement } from './shared-call-statements';

/** What an agent that is gone has left. */
export interface Estate {
  readonly gone: string;
  /** By endpoint, in order. */
  readonly waiting: ReadonlyMap<string, WaitingDelivery[]>;
  /** There are more, of which the database alone knows. */
  readonly more: boolean;
  readonly calls: readonly LostCall[];
}

export interface NodeLeaseOptions {
  readonly database: Database;
  readonly node: string;
  /** For people: logs, records. */
  readonly name: string;
  /** How long after its last sign of life an agent is taken for dead. */
  readonly leaseSeconds: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onEstate: (estate: Estate) => void;
  /** We stood still for so long that another agent has taken over what we had. */
  readonly onLost: () => Promise<void>;
}

const mostAtOnce = 20_000;
const beatsPerLease = 3;

export class NodeLease {
  private timer: Timer | undefined;
  private beating: Promise<void> | undefined;
  private stopped = false;
  /** Since when we have renewed without a gap. */
  private steadySinceMs: number | undefined;
  private lastBeatMs = 0;
  readonly counts = { takenOver: 0, lost: 0 };

  private constructor(private readonly options: NodeLeaseOptions) {}

  /** From now on the others know that we are there. */
  static async take(options: NodeLeaseOptions): Promise<NodeLease> {
    const { database, node, name, leaseSeconds } = options;
    await database.query(registerStatement(node, name, leaseSeconds));
    const lease = new NodeLease(options);
    lease.renewed();
    lease.beatLater();
    return lease;
  }

  /** Calls that the database still has as ours: of an earlier life, or live. */
  async ownLiveCalls(): Promise<LostCall[]> {
    const { database, node } = this.options;
    return (await database.query(ownLiveCallsStatement(node))).flatMap(lostCallOf);
  }

  /** The lease runs on until the ledger says that we have ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    await this.beating;
  }

  private get leaseMs(): number {
    return this.options.leaseSeconds * 1_000;
  }

  private beatLater(): void {
    if (this.stopped) return;
    this.timer = this.options.clock.after(this.leaseMs / beatsPerLease, () => {
      this.beating = this.beat().finally(() => this.beatLater());
    });
  }

  private async beat(): Promise<void> {
    const { database, node, name, leaseSeconds, logger, onLost } = this.options;
    try {
      const renewed = await database.query(renewStatement(node, leaseSeconds));
      if (renewed.length === 0) {
        this.counts.lost += 1;
        logger.error('This agent did not answer for so long that another has taken over its calls and events.', {
          code: 'node.lease-lost',
          fix: 'Look why it stood still, or raise node.leaseSeconds.',
        });
        this.steadySinceMs = undefined;
        await onLost();
        await database.query(registerStatement(node, name, leaseSeconds));
      }
      this.renewed();
      await this.takeOver();
    } catch (error) {
      // The ledger says what is wrong with the database.
      this.steadySinceMs = undefined;
      logger.debug('the lease could not be renewed', { error: String(error) });
    }
  }

  private renewed(): void {
    const nowMs = this.options.clock.nowMs();
    if (nowMs - this.lastBeatMs > this.leaseMs) this.steadySinceMs = undefined;
    this.lastBeatMs = nowMs;
    this.steadySinceMs ??= nowMs;
  }

  /** Who was away itself, or the database for all, gives the others the time of a lease to come back. */
  private async takeOver(): Promise<void> {
    const { clock, logger, onEstate } = this.options;
    if (clock.nowMs() - (this.steadySinceMs ?? Number.POSITIVE_INFINITY) < this.leaseMs) return;
    for (
      let estate = await this.nextEstate();
      estate !== undefined && !this.stopped;
      estate = await this.nextEstate()
    ) {
      this.counts.takenOver += 1;
      const events = [...estate.waiting.values()].reduce((sum, { length }) => sum + length, 0);
      logger.warn('another agent is gone: its events are delivered and its calls ended from here', {
        gone: estate.gone,
        events,
        calls: estate.calls.length,
      });
      onEstate(estate);
    }
  }

  private async nextEstate(): Promise<Estate | undefined> {
    const { database, node } = this.options;
    const rows = await database.query(takeOverStatement(node, mostAtOnce));
    const [first] = rows;
    if (first === undefined) return undefined;
    const waiting = new Map<string, WaitingDelivery[]>();
    let deliveries = 0;
    for (const row of rows) {
      if (row['body'] === null) continue;
      deliveries += 1;
      const endpoint = String(row['endpoint']);
      const sameEndpoint = waiting.get(endpoint) ?? [];
      sameEndpoint.push(...waitingOf(row));
      waiting.set(endpoint, sameEndpoint);
    }
    return {
      gone: String(first['gone']),
      waiting,
      more: deliveries === mostAtOnce,
      calls: rows.flatMap(lostCallOf),
    };
  }
}

function lostCallOf(row: Row): LostCall[] {
  if (typeof row['record'] !== 'string') return [];
  const parsed = callRecordSchema.safeParse(JSON.parse(row['record']));
  // Written by a later version: that one will end it.
  if (!parsed.success) return [];
  const occurredAt = dateIn(row, 'last_at')?.toISOString() ?? parsed.data.startedAt;
  return [{ record: parsed.data, last: { sequence: Number(row['last_sequence']), occurredAt } }];
}
