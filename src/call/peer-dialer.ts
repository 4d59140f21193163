/** Rings somebody for a call that is under way: to be connected with it at once, or to be told about it first. */
import type { CallRecord } from '../core/call-record';
import type { Clock } from '../core/clock';
import type { TrunklineError } from '../core/errors';
import { BridgeSide } from './bridge';
import type { Call, Performance, Stage } from './call';
import { consult } from './consultation';
import type { DialOut, ExchangeParts } from './exchange-parts';
import { notReached } from './refusals';
import type { TransferRequest } from './transfer';

export interface PeerDialerParts extends Pick<ExchangeParts, 'routeOut' | 'record'> {
  readonly clock: Clock;
  /** Why no call can be placed, if so. */
  readonly refusal: () => TrunklineError | undefined;
  /** `answered` when it is; what is performed then is its business. */
  readonly place: (dial: DialOut, answered: (call: Call) => void) => Call;
}

export type PeerRequest = Pick<TransferRequest, 'to' | 'trunk' | 'from' | 'ringSeconds' | 'spoken' | 'headers'> & {
  /** The softphone's user on whose call it is. */
  readonly user?: string | undefined;
};

export class PeerDialer {
  private readonly whenEnded = new Map<string, (record: CallRecord) => void>();

  constructor(private readonly parts: PeerDialerParts) {}

  /** Resolves when they answer, or take the call after a briefing; rejects with `call.not-reached`, or why it cannot be. */
  dial(request: PeerRequest, metadata: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<BridgeSide> {
    const { to, trunk, from, ringSeconds, headers = {}, spoken: briefing, user } = request;
    const { clock, routeOut, record, refusal, place } = this.parts;
    const refused = refusal();
    if (refused !== undefined) return Promise.reject(refused);
    return new Promise((resolve, reject) => {
      const caller = from === undefined ? {} : { from };
      const dial: DialOut = { ...caller, trunk, ...routeOut(to, trunk, from), user, ringSeconds, headers, metadata };
      const call = place(dial, (answered) => {
        const bridge = (stage: Stage): Performance => {
          // From now on it is the caller's: whoever rang it may do something else.
          signal.removeEventListener('abort', giveUp);
          const side = new BridgeSide(stage);
          resolve(side);
          return side;
        };
        if (briefing === undefined) answered.answeredWith('bridge', bridge);
        else {
          answered.answeredWith('briefing', (stage) => {
            record(stage);
            return consult(stage, { clock, briefing, taken: bridge });
          });
        }
      });
      const giveUp = (): void => void call.close('cancelled');
      this.whenEnded.set(call.id, (ended) => {
        signal.removeEventListener('abort', giveUp);
        reject(notReached(ended));
      });
      if (signal.aborted) giveUp();
      else signal.addEventListener('abort', giveUp);
    });
  }

  /** For every call that ends; those that are none of ours are left alone. */
  ended(record: CallRecord): void {
    this.whenEnded.get(record.id)?.(record);
    this.whenEnded.delete(record.id);
  }
}
