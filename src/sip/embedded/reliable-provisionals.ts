/**
 * Provisional responses that must not be lost: numbered, repeated until their PRACK comes, one at a time (RFC 3262 §3).
 * A 2xx waits while one that carried a session description is unacknowledged; any other final response ends the repeats.
 */
import type { Timer } from '../../core/clock';
import { listsToken, parseCSeq } from '../header-values';
import type { AppMessage } from './app-message';
import type { EndpointContext } from './endpoint-context';
import type { SipRequest, SipResponse } from './message';
import type { ServerTransaction } from './transaction-layer';

/** More than this are waiting only if an application runs wild. */
const maxWaiting = 8;

interface Sequence {
  lastNumber: number;
  /** Numbers of this INVITE that a PRACK may still name, the repeated one included. */
  readonly sent: Set<number>;
  unacknowledged: { readonly number: number; readonly describesSession: boolean; timer: Timer } | undefined;
  waiting: { readonly status: number; readonly run: () => void }[];
}

export class ReliableProvisionals {
  private readonly sequences = new Map<string, Sequence>();

  constructor(
    private readonly context: EndpointContext,
    /** §3: nobody acknowledged one in 64*T1; the INVITE is to be refused. */
    private readonly giveUp: (transactionId: string) => void,
  ) {}

  static wanted(answer: AppMessage): boolean {
    return answer.status > 100 && answer.status < 200 && listsToken(answer.headers.get('require'), '100rel');
  }

  /** The RSeq of the next one: begins anywhere below 2**31 and goes up by one. */
  nextNumber(transactionId: string): number {
    let sequence = this.sequences.get(transactionId);
    if (sequence === undefined) {
      const lastNumber = Number.parseInt(this.context.random(3), 16) || 1;
      sequence = { lastNumber, sent: new Set(), unacknowledged: undefined, waiting: [] };
      this.sequences.set(transactionId, sequence);
    } else sequence.lastNumber++;
    return sequence.lastNumber;
  }

  /** Runs `run`, which sends a response of that status, now or when it may go. */
  inTurn(transactionId: string, status: number, run: () => void): void {
    const sequence = this.sequences.get(transactionId);
    const open = sequence?.unacknowledged;
    const must = open !== undefined && status < 300 && (status < 200 || open.describesSession);
    if (sequence === undefined || (!must && sequence.waiting.length === 0) || status >= 300) run();
    else if (sequence.waiting.length < maxWaiting) sequence.waiting.push({ status, run });
  }

  /** `response` has just been sent for the first time. */
  repeat(transaction: ServerTransaction, number: number, response: SipResponse): void {
    const sequence = this.sequences.get(transaction.id);
    if (sequence === undefined) return;
    const { clock, timers, counters } = this.context;
    const giveUpAtMs = clock.nowMs() + 64 * timers.t1Ms;
    let gapMs = timers.t1Ms;
    const again = (): void => {
      if (clock.nowMs() >= giveUpAtMs) {
        counters.missingPracks++;
        this.giveUp(transaction.id);
        return;
      }
      gapMs *= 2;
      open.timer = clock.after(Math.min(gapMs, giveUpAtMs - clock.nowMs()), again);
      transaction.respond(response);
    };
    const open = { number, describesSession: response.body.length > 0, timer: clock.after(gapMs, again) };
    sequence.sent.add(number);
    sequence.unacknowledged = open;
  }

  /** True if the PRACK names a response of that INVITE. `sendWaiting` is due once it has been answered. */
  acknowledge(transactionId: string, invite: SipRequest, prack: SipRequest): boolean {
    const sequence = this.sequences.get(transactionId);
    const [number = '', cseq = '', method = ''] = (prack.headers.get('rack') ?? '').trim().split(/\s+/);
    const ours = parseCSeq(invite.headers.get('cseq') ?? '')?.number;
    if (sequence === undefined || method !== 'INVITE' || Number(cseq) !== ours) return false;
    if (!/^[0-9]{1,10}$/.test(number) || !sequence.sent.has(Number(number))) return false;
    const open = sequence.unacknowledged;
    if (open?.number !== Number(number)) return true;
    open.timer.cancel();
    sequence.unacknowledged = undefined;
    return true;
  }

  sendWaiting(transactionId: string): void {
    const sequence = this.sequences.get(transactionId);
    if (sequence === undefined || sequence.unacknowledged !== undefined) return;
    // What comes out may be reliable itself, and then the rest waits again.
    const { waiting } = sequence;
    sequence.waiting = [];
    for (const one of waiting) this.inTurn(transactionId, one.status, one.run);
  }

  /** A 2xx waits for a PRACK. */
  holdsAnswer(transactionId: string): boolean {
    return this.sequences.get(transactionId)?.waiting.some(({ status }) => status >= 200) ?? false;
  }

  /** The INVITE has its final response: no more repeats, but a PRACK on its way is still known. */
  settle(transactionId: string): void {
    const sequence = this.sequences.get(transactionId);
    sequence?.unacknowledged?.timer.cancel();
    if (sequence === undefined) return;
    sequence.unacknowledged = undefined;
    sequence.waiting = [];
  }

  forget(transactionId: string): void {
    this.settle(transactionId);
    this.sequences.delete(transactionId);
  }

  close(): void {
    for (const id of [...this.sequences.keys()]) this.forget(id);
  }
}
