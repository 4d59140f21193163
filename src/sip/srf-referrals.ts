/**
 * REFER inside a call, both ways, and the NOTIFYs that tell how the referred call fares (RFC 3515; RFC 4488 for the case that
 * nobody wants to be told).
 */
import type { Clock, Timer } from '../core/clock';
import type { Logger } from '../core/log';
import { parseCSeq } from './header-values';
import { formatReferTo, parseReferTo, sipfragStatus } from './refer-to';
import type { DialogRequests } from './srf-dialog-requests';
import { checkOutgoing } from './srf-headers';
import type { SrfRequest, SrfResponse } from './srf-types';
import type { ReferOptions, ReferOutcome, Referral } from './user-agent';

/** How long the far end is given to say what became of the referred call. */
const longestReferralMs = 90_000;
/** What a subscription of ours is said to last (RFC 3515 §2.4.4). */
const subscriptionSeconds = 60;

interface Sent {
  /** CSeq number of the REFER: NOTIFYs may name it (`Event: refer;id=93809823`). */
  readonly id: string;
  readonly patience: Timer;
  readonly onProgress: ((status: number) => void) | undefined;
  settle(outcome: ReferOutcome): void;
}

export class SrfReferrals {
  private sent: Sent | undefined;
  private handler: ((referral: Referral) => void) | undefined;

  constructor(
    private readonly requests: DialogRequests,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  onReferral(run: (referral: Referral) => void): void {
    this.handler = run;
  }

  /** Asks the far end to call somebody else. Never rejects. */
  async refer(options: ReferOptions): Promise<ReferOutcome> {
    if (this.sent !== undefined) return { kind: 'refused', status: 491 };
    const quiet = options.wantOutcome === false;
    let headers: Record<string, string>;
    try {
      headers = checkOutgoing(
        {
          'Refer-To': formatReferTo({ uri: options.target, replaces: options.replaces }),
          ...(options.referredBy === undefined ? {} : { 'Referred-By': options.referredBy }),
          ...(quiet ? { 'Refer-Sub': 'false', Supported: 'norefersub' } : {}),
        },
        '',
      );
    } catch {
      return { kind: 'refused', status: 400 };
    }
    const outcome = new Promise<ReferOutcome>((resolve) => {
      const patience = this.clock.after(options.withinMs ?? longestReferralMs, () =>
        this.settle({ kind: 'unknown', because: 'no-notify' }),
      );
      // A NOTIFY may be faster than the 202 to its REFER.
      this.sent = { id: '', patience, onProgress: options.onProgress, settle: resolve };
    });
    try {
      const response = await this.requests.send('REFER', headers);
      const { status } = response;
      if (status < 200 || status >= 300) this.settle({ kind: 'refused', status });
      else if (quiet || /^\s*false/i.test(response.get('refer-sub') ?? '')) {
        this.settle({ kind: 'unknown', because: 'not-subscribed' });
      } else this.learnId(String(parseCSeq(response.get('cseq') ?? '')?.number ?? ''));
    } catch {
      this.settle({ kind: 'unknown', because: 'ended' });
    }
    return outcome;
  }

  private learnId(id: string): void {
    if (this.sent !== undefined) this.sent = { ...this.sent, id };
  }

  onNotify(request: SrfRequest, response: SrfResponse): void {
    const { sent } = this;
    const event = request.get('event') ?? '';
    const id = /;\s*id\s*=\s*([0-9]+)/i.exec(event)?.[1];
    if (!/^\s*refer\s*(;|$)/i.test(event)) {
      response.send(489, { headers: { 'Allow-Events': 'refer' } });
      return;
    }
    if (sent === undefined || (id !== undefined && sent.id !== '' && id !== sent.id)) {
      response.send(481);
      return;
    }
    response.send(200);
    const status = sipfragStatus(request.body);
    const over = /^\s*terminated/i.test(request.get('subscription-state') ?? '');
    if (status !== undefined && status >= 200) {
      this.settle(status < 300 ? { kind: 'completed', status } : { kind: 'failed', status });
    } else if (over) this.settle({ kind: 'unknown', because: 'no-notify' });
    else if (status !== undefined) sent.onProgress?.(status);
  }

  onRefer(request: SrfRequest, response: SrfResponse): void {
    const target = parseReferTo(request.get('refer-to'));
    if (target === undefined || this.handler === undefined) {
      response.send(target === undefined ? 400 : 603);
      return;
    }
    const quiet = /^\s*false/i.test(request.get('refer-sub') ?? '');
    const id = parseCSeq(request.get('cseq') ?? '')?.number ?? 0;
    let answered = false;
    const answer = (status: number, headers: Record<string, string> = {}): void => {
      if (answered) return;
      answered = true;
      response.send(status, { headers });
    };
    const notify = async (status: number, phrase: string): Promise<void> => {
      if (quiet) return;
      const state = status < 200 ? `active;expires=${subscriptionSeconds}` : 'terminated;reason=noresource';
      const headers = {
        Event: `refer;id=${id}`,
        'Subscription-State': state,
        'Content-Type': 'message/sipfrag;version=2.0',
      };
      await this.requests.send('NOTIFY', headers, `SIP/2.0 ${status} ${phrase}\r\n`).catch((error: unknown) => {
        this.log.debug('A NOTIFY of a referred call was lost', { error: String(error) });
      });
    };
    this.handler({
      target: target.uri,
      replaces: target.replaces,
      referredBy: request.get('referred-by'),
      reject: (status) => answer(status),
      accept: () => {
        answer(202, quiet ? { 'Refer-Sub': 'false' } : {});
        void notify(100, 'Trying');
        return notify;
      },
    });
  }

  /** The call is over: what became of a referral of ours will not be told any more. */
  ended(): void {
    this.settle({ kind: 'unknown', because: 'ended' });
  }

  private settle(outcome: ReferOutcome): void {
    const { sent } = this;
    if (sent === undefined) return;
    this.sent = undefined;
    sent.patience.cancel();
    sent.settle(outcome);
  }
}
