/**
 * What is kept of calls and may not be any longer: by order, call by call, and by age, day by day. What was erased is gone
 * from memory and from disk before it is told.
 */
import { type CallEvent, CallEventSequence, type EventSources } from '../core/call-event';
import type { Clock, Timer } from '../core/clock';
import { withoutWords } from '../core/erased-event';
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';
import type { CallStore } from './call-store';

export type Erasable = 'call' | 'transcript' | 'recording' | 'voicemail';

export interface ErasureOptions {
  readonly store: CallStore;
  readonly sources: EventSources;
  readonly clock: Clock;
  readonly log: Logger;
  readonly recordings: { erase(name: string): Promise<boolean>; eraseMessages(callId: string): Promise<boolean> };
  /** What passed on the wire, in memory. */
  readonly traces?: { erase(callId: string, what: Erasable): void } | undefined;
  /** Deliveries of a call that are settled; undefined: there are no receivers. */
  readonly deliveries?: { forget(callId: string, what: 'call' | 'transcript'): Promise<void> } | undefined;
  /** Told to whoever listens; what is to be kept of it is in the store already. */
  readonly tell: (event: CallEvent) => void;
  readonly recordDays: number;
  readonly transcriptDays: number;
}

const sweepEveryMs = 3_600_000;
const dayMs = 86_400_000;

export class Erasure {
  /** Each call's last order: the next begins when it is done, so that events keep their numbers. */
  private readonly underWay = new Map<string, Promise<void>>();
  private timer: Timer | undefined;
  private sweeping: Promise<void> | undefined;
  private closed = false;
  readonly counters = { erased: 0, callsExpired: 0, transcriptsExpired: 0 };

  constructor(private readonly options: ErasureOptions) {}

  /**
   * Asked again, or for what there is not, it does nothing. Throws `call.wrong-state` for a call that lives,
   * `webhook.no-database` when its deliveries cannot be got at.
   */
  erase(callId: string, what: Erasable): Promise<void> {
    const before = this.underWay.get(callId) ?? Promise.resolve();
    const erased = before.catch(() => undefined).then(() => this.eraseNow(callId, what));
    const settled = erased.catch(() => undefined);
    this.underWay.set(callId, settled);
    void settled.then(() => {
      if (this.underWay.get(callId) === settled) this.underWay.delete(callId);
    });
    return erased;
  }

  /** Begins to look at what is too old: now and every hour. */
  start(): void {
    this.sweeping = this.sweep()
      .catch((error: unknown) => this.options.log.error('what is too old cannot be erased', { error: String(error) }))
      .finally(() => {
        this.sweeping = undefined;
        if (!this.closed) this.timer = this.options.clock.after(sweepEveryMs, () => this.start());
      });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.timer?.cancel();
    await this.sweeping;
    await Promise.all(this.underWay.values());
  }

  /** Days of UTC that ended longer ago than may be. */
  async sweep(): Promise<void> {
    const { store, sources, recordDays, transcriptDays } = this.options;
    const nowMs = sources.now().getTime();
    const endedBefore = (day: string, days: number): boolean => Date.parse(day) + (days + 1) * dayMs <= nowMs;
    for (const day of await store.days()) {
      if (this.closed) return;
      if (endedBefore(day, recordDays)) {
        this.counters.callsExpired += await store.eraseDay(day);
      } else if (endedBefore(day, transcriptDays)) {
        this.counters.transcriptsExpired += await store.rewriteDay(day, (events) => this.wordless(events));
      }
    }
  }

  private wordless(events: readonly CallEvent[]): CallEvent[] {
    const kept = events.map(withoutWords);
    if (kept.some(({ type, data }) => type === 'call.erased' && 'what' in data && data.what === 'transcript'))
      return kept;
    const after = this.eventAfter(kept, 'transcript', 'age');
    return after === undefined ? kept : [...kept, after];
  }

  private async eraseNow(callId: string, what: Erasable): Promise<void> {
    const { store, recordings, traces, deliveries, tell } = this.options;
    const events = await store.load(callId);
    if (events !== undefined && !events.some(({ type }) => type === 'call.ended')) {
      throw new TrunklineError('call.wrong-state', 'What is kept of a call can be erased when it has ended.', {
        fix: 'Hang up first, or wait.',
      });
    }
    traces?.erase(callId, what);
    let gone = false;
    if (what === 'call' || what === 'recording') gone = (await recordings.erase(callId)) || gone;
    if (what === 'call' || what === 'voicemail') gone = (await recordings.eraseMessages(callId)) || gone;
    if (what === 'call' || what === 'transcript') {
      await deliveries?.forget(callId, what);
      gone ||= events !== undefined && (what === 'call' || events.some(hasWords));
    }
    const event = gone && events !== undefined ? this.eventAfter(events, what, 'order') : undefined;
    if (what === 'call') await store.eraseCall(callId);
    else if (event !== undefined) {
      await store.rewrite(callId, (all) => [...(what === 'transcript' ? all.map(withoutWords) : all), event]);
    }
    if (event === undefined) return;
    this.counters.erased += 1;
    tell(event);
  }

  private eventAfter(events: readonly CallEvent[], what: Erasable, by: 'order' | 'age'): CallEvent | undefined {
    const last = events.at(-1);
    if (last === undefined) return undefined;
    return new CallEventSequence(last.callId, this.options.sources, last.sequence).next('call.erased', { what, by });
  }
}

function hasWords(event: CallEvent): boolean {
  return JSON.stringify(event) !== JSON.stringify(withoutWords(event));
}
