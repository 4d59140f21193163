/** What the HTTP side needs of the rest of the program: handed in, never imported. */
import type { Amd } from '../core/answer-rules';
import type { CallAction } from '../core/call-action';
import type { CallEvent } from '../core/call-event';
import type { Ordered, RetryPolicy, WaitingCall } from '../core/call-order';
import type { CallRecords } from '../core/call-records';
import type { CallTraceReader } from '../core/call-trace';
import type { DeliveryPage, DeliveryQuery, ReplayRequest } from '../core/delivery';
import type { DialplanView } from '../core/dialplan-view';
import type { Logger } from '../core/log';
import type { RequestLimitOptions } from './request-limits';
import type { WhipOptions } from './whip';

export interface DialRequest {
  /** A SIP URI, or a number that the trunk knows. */
  readonly to: string;
  readonly from?: string | undefined;
  readonly trunk?: string | undefined;
  /** What the answered call gets: a persona by name, or the route that this number would take. */
  readonly agent?: string | undefined;
  readonly dialplan?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly ringSeconds: number;
  readonly amd?: Amd | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** Outside of the hours at which we may call. */
  readonly whenClosed: 'refuse' | 'wait';
}

/** Steering; the call registry in practice. */
export interface LiveCalls {
  /** Resolves as soon as the call exists, or waits. Rejects with a coded error: `call.draining`, `call.outside-hours`, `sip.…`. */
  dial(request: DialRequest): Promise<Ordered>;
  waiting(): readonly WaitingCall[];
  /** False: there is no such call waiting. */
  cancelWaiting(id: string): boolean;
  /** Rejects with `call.not-found`, or `call.wrong-state` when the call's state does not allow it. */
  act(callId: string, action: CallAction): Promise<void>;
}

export interface Readiness {
  readonly ready: boolean;
  /** What is waited for: `engine loading`, `draining`. */
  readonly waitingFor: readonly string[];
}

export type Scope = 'read' | 'control' | 'admin';

export interface AccessToken {
  readonly token: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** Live events for `/v1/events`. */
export interface EventFeed {
  /** Returns what ends the subscription. `receive` must not throw. */
  subscribe(receive: (event: CallEvent) => void): () => void;
}

export interface Deliveries {
  list(query: DeliveryQuery): Promise<DeliveryPage>;
  /** How many are sent again. */
  replay(request: ReplayRequest): Promise<number>;
}

export interface HttpParts {
  readonly records: CallRecords;
  readonly live: LiveCalls;
  /** Throws `call.wrong-state` while the call lives; does nothing for what there is not. */
  readonly erase: (callId: string, what: 'call' | 'transcript' | 'recording' | 'voicemail') => Promise<void>;
  readonly feed: EventFeed;
  /** What passed on the wire; undefined: nothing is kept of it. */
  readonly traces?: CallTraceReader | undefined;
  readonly dialplan: DialplanView;
  /** What is on its way to receivers and was; undefined: there are none. */
  readonly deliveries?: Deliveries | undefined;
  /** Asked for each request: the same array as long as nothing has changed. */
  readonly tokens: () => readonly AccessToken[];
  /** Left out: nobody is refused for asking much. */
  readonly limits?: RequestLimitOptions | undefined;
  readonly readiness: () => Readiness;
  /** What SIP has to say of itself: listening places, registrations, softphones. */
  readonly sipStatus?: () => object;
  readonly logger: Logger;
  readonly version: string;
  readonly maxBodyBytes: number;
  /** Listening on loopback only: the page may take a call token without a bearer. */
  readonly loopbackOnly: boolean;
  /** Folder of the page, served at `/`; undefined: there is none. */
  readonly pageFolder: string | undefined;
  /** Finished recordings; undefined: none are kept. */
  readonly recordings?:
    | {
        readonly folder: string;
        /** The name under which a message is found that was left in a call. */
        messageOf(callId: string, number?: number): string;
        find(callId: string): Promise<{ readonly name: string; readonly mediaType: string } | undefined>;
      }
    | undefined;
  /** Calls from browsers, mounted at `/whip`; who may place them is decided here. */
  readonly whip:
    | (Omit<WhipOptions, 'authorise'> & {
        /** Like `placeCall`, to hear the call of that id; mounted at `/listen`. */
        readonly listen: WhipOptions['placeCall'];
      })
    | undefined;
  /** Lines of figures from elsewhere, gathered at each scrape. */
  readonly gauges: () => Readonly<Record<string, number>>;
  readonly random: (bytes: number) => Buffer;
  /** Wall time in milliseconds. */
  readonly nowMs: () => number;
}
