/**
 * Calls that change their far end while they last: transfers that we order, that the dialplan orders, that the far end asks
 * for (REFER), and calls that somebody else takes over (Replaces).
 */
import type { CallEndCause } from '../core/call-record';
import type { Clock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { DialAction, HandOverToAction, TransferAction } from '../dialplan/dialplan';
import { isReplaced, parseReplaces, replacesUs } from '../sip/replaces';
import type { IncomingInvite, Referral, SipUserAgent } from '../sip/user-agent';
import { BridgeSide, bridgedWith } from './bridge';
import { briefingOf, summaryOf } from './briefing';
import type { Call, Performance, Sound, Stage } from './call';
import type { CallTolls } from './call-tolls';
import { Conferences } from './conferences';
import { failureOf } from './end-cause';
import type { Prompt } from './line-performance';
import { ringback } from './ringback';
import type { SipLeg } from './sip-leg';
import { SUMMARY_HEADER, summaryHeaderOf } from './summary-header';
import { type TransferPorts, type TransferRequest, type TransferResult, transfer } from './transfer';

export interface TransfersParts {
  readonly userAgent: SipUserAgent;
  readonly find: (callId: string) => Call | undefined;
  /** The SIP legs of live calls, by call. */
  readonly legs: ReadonlyMap<string, SipLeg>;
  /** Whether that call may make us call others: it came by a trunk, or we placed it. */
  readonly trusted: (callId: string) => boolean;
  /** Throws when there is no such trunk, or when the target may not be called. */
  readonly route: (request: TransferRequest, callId: string) => { readonly to: string; readonly proxy?: string };
  /** For calls that the far end asks for, and where their redirects lead. */
  readonly tolls: Pick<CallTolls, 'mayMove' | 'isOpen'>;
  readonly dialPeer: (request: TransferRequest, forCallId: string, signal: AbortSignal) => Promise<BridgeSide>;
  readonly music: () => Sound | undefined;
  /** Has the engine speak a text for somebody who is not the caller. */
  readonly speak: (callId: string, text: string) => Promise<readonly Prompt[]>;
  readonly clock: Clock;
}

/** Said to a caller who comes back. */
const WHY_BACK: Readonly<Partial<Record<CallEndCause, string>>> = {
  busy: 'I am sorry, the line there is busy.',
  rejected: 'I am sorry, nobody there can take your call right now.',
};
const NOBODY_ANSWERED = 'I am sorry, nobody answered there.';
const referredRingMs = 60_000;

export class Transfers {
  private readonly running = new Map<string, AbortController>();
  private readonly conferences = new Conferences();

  constructor(private readonly parts: TransfersParts) {}

  /**
   * Who steers the call orders it: the caller waits with music, and comes back if nobody answers; to a conference, whoever is on
   * the call goes on talking meanwhile. Throws `call.wrong-state`, `call.room-full`.
   */
  order(call: Call, request: TransferRequest): void {
    if (request.mode === 'conference') {
      this.invite(call, request);
      return;
    }
    const signal = this.begin(call);
    call.tell('transfer.started', { to: request.to, by: 'us' });
    call.park(true, this.parts.music() ?? ringback());
    const prepared = this.prepared(request, call.id);
    void transfer(prepared, this.portsOf(call.id, true), signal).then(async (result) => {
      this.running.delete(call.id);
      if (result.kind === 'bridged') {
        await this.connect(call, result.peer, request.to);
        return;
      }
      if (this.conclude(call, request.to, result)) return;
      call.park(false);
      sayWhyBack(call, result);
    });
  }

  /** A third one: rung and told while the others talk, then added to them. */
  private invite(call: Call, request: TransferRequest): void {
    const { to } = request;
    const table = this.conferences.tableOf(call);
    const signal = this.begin(call);
    call.tell('transfer.started', { to, by: 'us' });
    void transfer(this.prepared(request, call.id), this.portsOf(call.id, true), signal).then((result) => {
      this.running.delete(call.id);
      if (result.kind !== 'bridged') {
        if (!this.conclude(call, to, result)) sayWhyBack(call, result);
      } else if (table.join(result.peer)) {
        const { callId: peerCallId } = result.peer;
        call.tell('transfer.completed', { to, way: 'conference', confirmed: true, peerCallId });
      } else {
        result.peer.leave();
        call.tell('transfer.failed', { to, cause: 'cancelled' });
      }
    });
  }

  /** The agent has said goodbye: true if those with whom its caller talks go on without it. */
  stepOut(callId: string): boolean {
    const call = this.parts.find(callId);
    return call !== undefined && this.conferences.stepOut(call);
  }

  /** The agent itself orders it, as the dialplan allows. A call that is being transferred already is in good hands. */
  handOver(callId: string, request: TransferRequest | HandOverToAction): void {
    const call = this.parts.find(callId);
    if (call?.snapshot.state !== 'answered' || this.running.has(callId)) return;
    if ('action' in request) {
      void call.become(request.action);
      return;
    }
    try {
      this.order(call, request);
    } catch {
      // A conference that is full already: whoever the agent says it will add cannot be.
      call.tell('transfer.failed', { to: request.to, cause: 'rejected' });
    }
  }

  /** Connects the far ends of two live calls: by REFER with Replaces, so that we are out of it, else by a bridge (RFC 5589 §7). */
  attended(call: Call, other: Call): void {
    const target = this.parts.legs.get(other.id)?.name;
    if (other.snapshot.state !== 'answered') throw wrongState('The other call is not answered.');
    this.begin(call);
    call.tell('transfer.started', { to: other.id, by: 'us' });
    const { direction, from, to } = other.snapshot;
    const refer =
      target === undefined
        ? undefined
        : this.parts.legs.get(call.id)?.refer({
            target: direction === 'outbound' ? to : from,
            replaces: replacesUs(target),
          });
    void (refer ?? Promise.resolve({ kind: 'refused' as const, status: 405 })).then(async (outcome) => {
      this.running.delete(call.id);
      if (outcome.kind === 'completed' || outcome.kind === 'unknown') {
        this.conclude(call, other.id, { kind: 'referred', confirmed: outcome.kind === 'completed' });
        return;
      }
      let side: BridgeSide | undefined;
      await other.take('bridge', (stage) => {
        side = new BridgeSide(stage);
        return side;
      });
      if (side === undefined) call.tell('transfer.failed', { to: other.id, sipStatus: outcome.status });
      else await this.connect(call, side, other.id);
    });
  }

  /** The dialplan's `transfer` and `dial`. */
  perform(action: TransferAction | DialAction, stage: Stage): Performance {
    const { to } = action;
    const abort = new AbortController();
    const mode = action.type === 'dial' ? 'bridge' : action.mode;
    const request = this.prepared({ ...action, mode }, stage.callId);
    stage.link.post({ type: 'source', source: { kind: 'playout' } });
    stage.link.post({ type: 'music', sound: this.parts.music() ?? ringback() });
    stage.emit('transfer.started', { to, by: 'us' });
    const ports = this.portsOf(stage.callId, this.parts.trusted(stage.callId));
    void transfer(request, ports, abort.signal).then((result) => {
      if (abort.signal.aborted) {
        if (result.kind === 'bridged') result.peer.leave();
        return;
      }
      stage.link.post({ type: 'music' });
      if (result.kind === 'referred') {
        stage.emit('transfer.completed', { to, way: 'refer', confirmed: result.confirmed });
        stage.end('transferred');
      } else if (result.kind === 'bridged') {
        const { peer } = result;
        stage.emit('transfer.completed', { to, way: 'bridge', confirmed: true, peerCallId: peer.callId });
        void stage
          .take('bridge', (next) => bridgedWith(peer, next))
          .then((taken) => {
            if (!taken) peer.leave();
          });
      } else {
        stage.emit('transfer.failed', { to, sipStatus: result.status, cause: result.cause });
        if (action.otherwise !== undefined) stage.become(action.otherwise);
        else stage.end(result.cause);
      }
    });
    return {
      turnGapsMs: [],
      interruptions: 0,
      onMedia() {},
      onHold() {},
      command: () => false,
      async close() {
        abort.abort();
        stage.link.post({ type: 'music' });
      },
    };
  }

  /** REFER from the far end: whoever it names takes its place (RFC 3515, RFC 3891, RFC 3892). */
  referred(callId: string, referral: Referral): void {
    const call = this.parts.find(callId);
    const leg = this.parts.legs.get(callId);
    // Anybody else could have us ring numbers that cost money.
    if (call === undefined || leg === undefined || !this.parts.trusted(callId)) {
      referral.reject(call === undefined ? 481 : 403);
      return;
    }
    if (this.running.has(callId)) {
      referral.reject(491);
      return;
    }
    const { target: to, replaces, referredBy } = referral;
    if (!this.parts.tolls.mayMove(to, callId)) {
      referral.reject(403);
      return;
    }
    const abort = new AbortController();
    this.running.set(callId, abort);
    const notify = referral.accept();
    call.tell('transfer.started', { to, by: 'far-end' });
    const patience = this.parts.clock.after(referredRingMs, () => abort.abort());
    const headers: Record<string, string> = {
      ...(replaces === undefined ? {} : { Replaces: replaces, Require: 'replaces' }),
      ...(referredBy === undefined ? {} : { 'Referred-By': referredBy }),
    };
    const { userAgent, tolls } = this.parts;
    const mayFollow = (uri: string): boolean => tolls.isOpen(uri);
    const onProvisional = (status: number): void => void (status === 180 && notify(180, 'Ringing'));
    leg
      .moveTo(userAgent, { to, headers, signal: abort.signal, onProvisional, mayFollow })
      .then(
        async (release) => {
          call.tell('transfer.completed', { to, way: 'replaced', confirmed: true });
          await notify(200, 'OK');
          await release();
        },
        async (error: unknown) => {
          const { status = 503, cause } = failureOf(error);
          call.tell('transfer.failed', { to, sipStatus: status, cause });
          await notify(status, 'Failed');
        },
      )
      .finally(() => {
        patience.cancel();
        this.running.delete(callId);
      });
  }

  /** An INVITE that takes a call over: true if it was one, and has been dealt with. */
  replaced(invite: IncomingInvite): boolean {
    const header = invite.header('Replaces');
    if (header === undefined) return false;
    const replaces = parseReplaces(header);
    if (replaces === undefined) {
      invite.reject(400);
      return true;
    }
    const found = [...this.parts.legs].find(([, leg]) => leg.name !== undefined && isReplaced(leg.name, replaces));
    const call = found === undefined ? undefined : this.parts.find(found[0]);
    if (found === undefined || call === undefined) invite.reject(481);
    // §3: it is answered already.
    else if (replaces.earlyOnly) invite.reject(486);
    else {
      const to = invite.from.uri;
      call.tell('transfer.started', { to, by: 'far-end' });
      found[1].takeOver(invite).then(
        () => call.tell('transfer.completed', { to, way: 'replaced', confirmed: true }),
        (error: unknown) => {
          const { status, cause } = failureOf(error);
          call.tell('transfer.failed', { to, sipStatus: status, cause });
        },
      );
    }
    return true;
  }

  /** Puts the far end on hold, or takes it back. Rejects with `call.wrong-state`, or `sip.rejected` where it refuses. */
  async hold(call: Call, on: boolean): Promise<void> {
    const sound = this.parts.music();
    if (!call.park(on, sound)) {
      throw new TrunklineError('call.wrong-state', on ? 'The call is on hold.' : 'The call is not on hold.', {
        fix: 'Only an answered call can be held, and only one that is held resumed.',
      });
    }
    try {
      await this.parts.legs.get(call.id)?.turn(on ? (sound === undefined ? 'inactive' : 'sendonly') : 'sendrecv');
    } catch (error) {
      call.park(!on, sound);
      throw error;
    }
  }

  /** Who calls, what was asked and answered, in the words of the record; undefined: there is no such call. */
  summaryOf(callId: string): string | undefined {
    const call = this.parts.find(callId);
    return call === undefined ? undefined : summaryOf({ from: callerOf(call), said: call.said });
  }

  /** The call is over: nobody waits for whom it was to be handed to. */
  forget(callId: string): void {
    this.running.get(callId)?.abort();
    this.running.delete(callId);
  }

  /** A warm hand-over, or a third one, has its briefing spoken while the telephone rings. */
  private prepared(asked: TransferRequest, callId: string): TransferRequest {
    const call = this.parts.find(callId);
    const summary = asked.summaryHeader === true ? this.summaryOf(callId) : undefined;
    const request =
      summary === undefined ? asked : { ...asked, headers: { [SUMMARY_HEADER]: summaryHeaderOf(summary) } };
    const joins = request.mode === 'conference';
    if ((request.mode !== 'warm' && !joins) || call === undefined) return request;
    const caller = callerOf(call);
    const spoken = this.parts.speak(
      callId,
      briefingOf({ from: caller, said: call.said, note: request.briefing, joins }),
    );
    // Whoever answers finds out; when nobody does, it does not matter.
    spoken.catch(() => undefined);
    return { ...request, spoken };
  }

  private begin(call: Call): AbortSignal {
    if (call.snapshot.state !== 'answered') throw wrongState('Only an answered call can be transferred.');
    if (this.running.has(call.id)) throw wrongState('A transfer of this call is under way.');
    const abort = new AbortController();
    this.running.set(call.id, abort);
    return abort.signal;
  }

  /** True if the call is somebody else's now. */
  private conclude(call: Call, to: string, result: Exclude<TransferResult, { kind: 'bridged' }>): boolean {
    if (result.kind === 'failed') {
      call.tell('transfer.failed', { to, sipStatus: result.status, cause: result.cause });
      return false;
    }
    call.tell('transfer.completed', { to, way: 'refer', confirmed: result.confirmed });
    void call.close('transferred');
    return true;
  }

  private async connect(call: Call, peer: BridgeSide, to: string): Promise<void> {
    let mine: BridgeSide | undefined;
    await call.take('bridge', (stage) => {
      mine = new BridgeSide(stage);
      return mine;
    });
    if (mine === undefined) {
      peer.leave();
      return;
    }
    call.tell('transfer.completed', { to, way: 'bridge', confirmed: true, peerCallId: peer.callId });
    call.park(false);
    BridgeSide.join(mine, peer);
  }

  private portsOf(callId: string, mayDial: boolean): TransferPorts {
    const leg = this.parts.legs.get(callId);
    return {
      refer: leg === undefined ? undefined : (options) => leg.refer(options),
      address: (request) => this.parts.route(request, callId).to,
      dial: mayDial ? (request, signal) => this.parts.dialPeer(request, callId, signal) : undefined,
    };
  }
}

function callerOf({ snapshot: { direction, from, to } }: Call): string {
  return direction === 'inbound' ? from : to;
}

function sayWhyBack(call: Call, result: TransferResult): void {
  const cause = result.kind === 'failed' ? result.cause : 'no-answer';
  call.command({ type: 'say', text: WHY_BACK[cause] ?? NOBODY_ANSWERED });
}

function wrongState(sentence: string): TrunklineError {
  return new TrunklineError('call.wrong-state', sentence, { fix: 'Look at the call: GET /v1/calls/ID.' });
}
