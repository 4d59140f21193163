/** Reading the calls of now and before: what the store offers and what HTTP, the console and the command line ask for. */
import type { CallEvent } from './call-event';
import type { CallRecord, CallState, TurnRecord } from './call-record';

export interface CallQuery {
  readonly state?: CallState | undefined;
  /** Calls that began at this time or later. */
  readonly since?: Date | undefined;
  readonly limit: number;
  /** Where the page before this one ended. */
  readonly cursor?: string | undefined;
}

export interface CallPage {
  readonly calls: readonly CallRecord[];
  readonly nextCursor: string | undefined;
}

export interface CallRecords {
  /** Newest first. Rejects with `store.bad-cursor`. */
  list(query: CallQuery): Promise<CallPage>;
  get(callId: string): Promise<CallRecord | undefined>;
  timeline(callId: string): Promise<readonly CallEvent[] | undefined>;
  /**
   * What happened in all calls after the event of this id, in order; some that it was told before may be among it, none is
   * left out. Undefined: no record has that event.
   */
  eventsAfter(eventId: string): Promise<readonly CallEvent[] | undefined>;
  transcript(callId: string): Promise<readonly TurnRecord[] | undefined>;
}
