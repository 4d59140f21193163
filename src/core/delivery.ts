/**
 * What is known of one event on its way to one receiver, and where that is kept. Types only: webhooks deliver, a database
 * keeps, HTTP shows.
 */
import { z } from 'zod';
import { type CallEvent, callEventTypes } from './call-event';

/**
 * waiting: not taken yet. delivered: a 2xx. given-up: a day of attempts (a dead letter). gone: the receiver said 410, or the
 * event was never to come again.
 */
export const deliveryStates = ['waiting', 'delivered', 'given-up', 'gone'] as const;
export const deliveryStateSchema = z.enum(deliveryStates);
export type DeliveryState = z.output<typeof deliveryStateSchema>;

export const deliverySchema = z.object({
  eventId: z.string(),
  callId: z.string(),
  sequence: z.int().min(1),
  type: z.enum(callEventTypes),
  occurredAt: z.iso.datetime(),
  /** The receiver's address without its query. */
  endpoint: z.string(),
  state: deliveryStateSchema,
  attempts: z.int().min(0),
  firstAttemptAt: z.iso.datetime().optional(),
  nextAttemptAt: z.iso.datetime().optional(),
  /** Of the last attempt: the HTTP status, or the code of what went wrong. */
  lastStatus: z.int().optional(),
  lastError: z.string().optional(),
  settledAt: z.iso.datetime().optional(),
});
export type Delivery = z.output<typeof deliverySchema>;

/** What became of an event at a receiver, after an attempt. */
export interface DeliveryNote {
  readonly endpoint: string;
  readonly eventId: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly firstAttemptAt: Date;
  readonly nextAttemptAt?: Date | undefined;
  readonly lastStatus?: number | undefined;
  readonly lastError?: string | undefined;
  readonly settledAt?: Date | undefined;
}

/** An event that an earlier run, or the database, still has to deliver. */
export interface WaitingDelivery {
  readonly event: CallEvent;
  readonly attempts: number;
  readonly firstAttemptAt?: Date | undefined;
}

export interface DeliveryQuery {
  readonly state?: DeliveryState | undefined;
  readonly callId?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface DeliveryPage {
  readonly deliveries: readonly Delivery[];
  readonly nextCursor?: string | undefined;
}

/** Which deliveries shall be made again: each that is given narrows the choice. */
export interface ReplayRequest {
  readonly eventIds?: readonly string[] | undefined;
  readonly callId?: string | undefined;
  readonly state?: DeliveryState | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

/** Remembers what has to be delivered beyond the death of the process. */
export interface DeliveryLedger {
  /**
   * Kept as soon as the database has it. Where other agents share the database, what comes back resolves then, or at once
   * while it does not answer: nobody is told before, because another agent may have to go on with the call's numbers.
   */
  add(event: CallEvent, endpoints: readonly string[]): Promise<void> | undefined;
  note(note: DeliveryNote): void;
  /** What waits for `endpoint`, oldest first; everything that was added before is among it. */
  waiting(endpoint: string, most: number): Promise<WaitingDelivery[]>;
}
