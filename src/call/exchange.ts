/**
 * Where calls come together: takes them in from SIP and from browsers, places them out, asks the dialplan what to do,
 * refuses what is too much, and knows which are alive.
 */
import type { CallEndCause, CallIdentityRecord, CallRecord } from '../core/call-record';
import type { TrunklineError } from '../core/errors';
import type { Action, DirectAction } from '../dialplan/dialplan';
import type { CallFacts } from '../dialplan/matcher';
import type { MediaRouter } from '../media/media-router';
import type { SocketAddress } from '../media/protocol';
import type { Caller } from '../sip/front-door';
import type { CodecName } from '../sip/offer-answer';
import type { IncomingInvite } from '../sip/user-agent';
import { Call, type CallCommand, type Leg, type Performance, type Stage } from './call';
import { CallTolls } from './call-tolls';
import { Choosing } from './choosing';
import { causeOf, failureOf } from './end-cause';
import { EnginePlaces } from './engine-places';
import type { CallParties, DialOut, ExchangeParts } from './exchange-parts';
import { attemptByTrunks } from './outgoing-attempts';
import { PeerDialer } from './peer-dialer';
import { Queues } from './queue/queues';
import { busy, checkAddresses, RETRY_AFTER_SECONDS, tellRefused, toldHeaders } from './refusals';
import { SipLeg, type SipLegParts } from './sip-leg';
import { isTollRefusal } from './toll-guard';
import { Transfers } from './transfers';
import { WebCalls } from './web-calls';

export class Exchange {
  private readonly calls = new Map<string, Call>();
  private drained: (() => void) | undefined;
  private draining = false;
  private refused = 0;
  private taken = 0;

  readonly places: EnginePlaces;
  private readonly choosing: Choosing;
  readonly transfers: Transfers;
  readonly queues: Queues;
  /** Of browsers. */
  readonly web: WebCalls;
  private readonly peers: PeerDialer;
  private readonly sipLegs = new Map<string, SipLeg>();
  private readonly trusted = new Set<string>();
  private readonly tolls: CallTolls;

  constructor(private readonly parts: ExchangeParts) {
    this.places = new EnginePlaces(parts.limits.engineCalls, RETRY_AFTER_SECONDS);
    this.tolls = new CallTolls(parts.toll, (callId) => this.calls.get(callId), parts.log);
    this.choosing = new Choosing({ ask: parts.ask, places: this.places, find: (callId) => this.calls.get(callId) });
    this.peers = new PeerDialer({
      clock: parts.clock,
      routeOut: parts.routeOut,
      record: parts.record,
      refusal: () => {
        const refusal = this.refusal({ type: 'echo' });
        return refusal && this.counted(refusal);
      },
      place: (dial, answered) => this.place(dial, answered),
    });
    this.queues = new Queues((name) => ({
      clock: parts.clock,
      dial: (member, ringSeconds, signal) => this.peers.dial({ ...member, ringSeconds }, { queue: name }, signal),
    }));
    this.web = new WebCalls({
      now: () => parts.events.now(),
      route: parts.route,
      find: (callId) => this.calls.get(callId),
      refusal: (action) => {
        const refusal = this.refusal(action);
        return refusal && this.counted(refusal);
      },
      choose: (action, facts, callId) =>
        this.choosing.first(action, { ...facts, callId }, new AbortController().signal),
      take: (callId, action) => {
        const full = this.places.take(callId, action);
        return full && this.counted(full);
      },
      open: (leg, facts, parties) => {
        const call = this.open('inbound', 'webrtc', leg, parts.peers, facts, parties);
        this.trusted.add(call.id);
        return call;
      },
      webrtc: parts.webrtc,
    });
    this.transfers = new Transfers({
      userAgent: parts.userAgent,
      find: (callId) => this.calls.get(callId),
      legs: this.sipLegs,
      trusted: (callId) => this.mayDial(callId),
      route: ({ to, trunk }, callId) => this.tolls.checked(parts.routeOut(to, trunk), callId),
      tolls: this.tolls,
      dialPeer: (request, forCallId, signal) => {
        const user = this.calls.get(forCallId)?.snapshot.user;
        const dialled = this.peers.dial({ ...request, user }, { bridgedTo: forCallId }, signal);
        dialled.catch((error: unknown) => this.tolls.tell(forCallId, error));
        return dialled;
      },
      music: parts.music,
      speak: parts.speak,
      clock: parts.clock,
    });
  }

  /** Whether whoever is on that call may make us call others. */
  mayDial(callId: string): boolean {
    return this.trusted.has(callId);
  }

  get live(): number {
    return this.calls.size;
  }

  find(callId: string): Call | undefined {
    return this.calls.get(callId);
  }

  command(callId: string, command: CallCommand): boolean {
    return this.calls.get(callId)?.command(command) ?? false;
  }

  /** For `userAgent.onInvite`. */
  takeInvite(invite: IncomingInvite, caller: Caller = { kind: 'anyone' }, identity?: CallIdentityRecord): void {
    if (this.transfers.replaced(invite)) return;
    const headers = toldHeaders(invite.headers);
    const trunk = caller.kind === 'trunk' ? caller.name : undefined;
    const facts: CallFacts = {
      number: invite.calledNumber,
      caller: invite.from.user,
      trunk,
      language: invite.header('Accept-Language'),
      headers,
      at: this.parts.events.now(),
    };
    const action = this.parts.route(facts);
    if (action.type === 'reject') {
      this.refused += 1;
      invite.reject(action.status, action.reason);
      return;
    }
    const refusal = this.refusal(action);
    if (refusal !== undefined) {
      this.refuse(invite, refusal);
      return;
    }
    const leg = new SipLeg(invite);
    const call = this.open('inbound', 'sip', leg, this.parts.lines, facts, {
      from: invite.from.uri,
      to: invite.to.uri,
      sipCallId: invite.sipCallId,
      trunk,
      user: caller.kind === 'user' ? caller.username : undefined,
      identity,
      headers,
    });
    this.sipLegs.set(call.id, leg);
    if (this.parts.trusts(facts) || caller.kind === 'user') this.trusted.add(call.id);
    const abort = new AbortController();
    invite.onCancelled(() => {
      abort.abort();
      void call.close('cancelled', { status: 487 });
    });
    void this.guarded(call, async () => {
      // Whoever has hung up already, while it was found out who calls or what to do, gets no port and no place.
      if (abort.signal.aborted) return;
      const chosen = await this.choosing.first(action, { ...facts, callId: call.id }, abort.signal);
      if (abort.signal.aborted) return;
      if (chosen.type === 'reject') {
        invite.reject(chosen.status, chosen.reason);
        await call.close('rejected', { status: chosen.status });
        return;
      }
      // Whoever may not make us call others hears so before the call costs anything.
      if ((chosen.type === 'dial' || chosen.type === 'queue') && !this.trusted.has(call.id)) {
        invite.reject(403, 'call.not-allowed');
        await call.close('rejected', { status: 403 });
        return;
      }
      // An application may have chosen what nobody knew before, and another call may have been quicker.
      const full = this.places.take(call.id, chosen);
      if (full !== undefined) {
        this.refuse(invite, full);
        await call.close('rejected', { status: 503 });
        return;
      }
      const local = await this.openRtp(call, invite.source.address);
      const codecs = trunk === undefined ? undefined : this.parts.codecsOf(trunk);
      await leg.answer(invite, this.legParts(call, local, invite.source.address, codecs));
      call.answered(chosen);
    });
  }

  /** Resolves with the id as soon as the call exists; what becomes of it is told by its events. */
  dialOut(request: DialOut & { readonly action: DirectAction }): string {
    const refusal = this.refusal(request.action);
    if (refusal !== undefined) throw this.counted(refusal);
    // Before it rings: who picks up must not find that there is nobody to speak with.
    const { action, amd } = request;
    const screened = (stage: Stage): Performance => this.parts.screen(amd!, action, stage);
    try {
      return this.place(
        request,
        (call) => (amd === undefined ? call.answered(action) : call.answeredWith(action.type, screened)),
        action,
      ).id;
    } catch (error) {
      if (isTollRefusal(error)) tellRefused(request, error, this.parts);
      throw error;
    }
  }

  private place(request: DialOut, answered: (call: Call) => void, action?: DirectAction): Call {
    checkAddresses(request);
    const ended = this.tolls.begin(request);
    const leg = new SipLeg(undefined);
    const facts: CallFacts = {
      number: request.to,
      caller: request.from ?? '',
      trunk: request.trunk,
      headers: {},
      at: this.parts.events.now(),
    };
    const call = this.open('outbound', 'sip', leg, this.parts.lines, facts, {
      from: request.from ?? '',
      to: request.to,
      sipCallId: undefined,
      trunk: request.trunk,
      headers: {},
      metadata: request.metadata,
    });
    this.sipLegs.set(call.id, leg);
    this.trusted.add(call.id);
    this.tolls.keep(call.id, ended);
    if (action !== undefined) this.places.take(call.id, action);
    const abort = new AbortController();
    const ringing = this.parts.clock.after(request.ringSeconds * 1_000, () => abort.abort());
    const giveUp: Leg = {
      hangUp: async (cause) => {
        abort.abort();
        await leg.hangUp(cause);
      },
    };
    this.legs.set(call.id, giveUp);
    void this.guarded(call, async () => {
      try {
        await attemptByTrunks(call, leg, request, abort.signal, {
          ...this.parts,
          openRtp: (one, peer) => this.openRtp(one, peer),
          legParts: (...given) => this.legParts(...given),
        });
        answered(call);
      } finally {
        ringing.cancel();
      }
    });
    return call;
  }

  /** New calls are refused from now on; resolves when the last one has ended. */
  drain(): Promise<void> {
    this.draining = true;
    this.parts.userAgent.drain(RETRY_AFTER_SECONDS);
    if (this.calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.drained = resolve;
    });
  }

  async closeAll(cause: CallEndCause): Promise<void> {
    this.draining = true;
    this.queues.close();
    await Promise.all([...this.calls.values()].map((call) => call.close(cause)));
  }

  dump(): Readonly<Record<string, number>> {
    return { live: this.calls.size, taken: this.taken, refused: this.refused };
  }

  /** Legs of outgoing calls that can still be given up. */
  private readonly legs = new Map<string, Leg>();

  private open(
    direction: 'inbound' | 'outbound',
    transport: 'sip' | 'webrtc',
    leg: Leg,
    media: MediaRouter,
    called: CallFacts,
    facts: CallParties,
  ): Call {
    const id = this.parts.newCallId();
    const link = media.open(id);
    const call = new Call({
      record: {
        id,
        direction,
        transport,
        ...facts,
        trunk: facts.trunk,
        metadata: facts.metadata && { ...facts.metadata },
      },
      link,
      leg: { hangUp: (cause) => (this.legs.get(id) ?? leg).hangUp(cause) },
      clock: this.parts.clock,
      log: this.parts.log,
      events: this.parts.events,
      publish: (event, record) => {
        this.parts.publish(event, record);
        if (event.type === 'call.ended') this.forget(id, record);
      },
      perform: this.parts.perform,
      choose: (action, digits, result) => this.choosing.next(action, { ...called, callId: id, digits, result }),
      maxSeconds: this.parts.limits.callSeconds,
    });
    this.calls.set(id, call);
    this.taken += 1;
    return call;
  }

  private forget(callId: string, record: CallRecord): void {
    this.calls.delete(callId);
    this.legs.delete(callId);
    this.sipLegs.delete(callId);
    this.tolls.ended(callId);
    this.trusted.delete(callId);
    this.transfers.forget(callId);
    this.peers.ended(record);
    this.places.release(callId);
    if (this.calls.size === 0) this.drained?.();
  }

  private legParts(
    call: Call,
    local: SocketAddress,
    peer: string,
    codecs: readonly CodecName[] | undefined,
    trunk = call.snapshot.trunk,
  ): SipLegParts {
    const renegotiate = () => this.parts.negotiation(peer, trunk, codecs);
    return {
      link: call.link,
      negotiation: renegotiate(),
      local,
      mediaTimeoutMs: this.parts.rtp.timeoutMs,
      log: this.parts.log.child({ callId: call.id }),
      onHold: (held) => call.hold(held),
      onReferral: (referral) => this.transfers.referred(call.id, referral),
      renegotiate,
      onKey: ({ digit, durationMs }) => call.key('info', digit, durationMs),
      onEnd: (end) => void call.close(causeOf(end), { status: end.status, reason: end.reason }),
    };
  }

  private openRtp(call: Call, peer: string): Promise<SocketAddress> {
    const { bindAddressFor, ports } = this.parts.rtp;
    return call.link.openRtp(bindAddressFor(peer), ports);
  }

  /** Why a call with that action cannot be, if so. */
  private refusal(action: Action): TrunklineError | undefined {
    if (this.draining) return busy('call.draining', 'the agent is shutting down');
    if (this.calls.size >= this.parts.limits.calls) return busy('call.refused', 'all lines are taken');
    const why = this.parts.notReady();
    return why === undefined ? this.places.check(action) : busy('call.refused', why);
  }

  /** The code goes along as the Reason (RFC 3326): who looks at a trace knows which limit it was. */
  private refuse(invite: IncomingInvite, because: TrunklineError): void {
    this.refused += 1;
    invite.reject(503, because.code, { 'Retry-After': String(RETRY_AFTER_SECONDS) });
  }

  private counted(refusal: TrunklineError): TrunklineError {
    this.refused += 1;
    return refusal;
  }

  /** Whatever goes wrong while a call is set up ends that call, with the cause that fits. */
  private async guarded(call: Call, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { cause, status } = failureOf(error);
      this.parts.log.warn('a call could not be set up', { callId: call.id, cause, error: String(error) });
      await call.close(cause, { status });
    }
  }
}
