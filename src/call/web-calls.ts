/** Calls that browsers place: to a number of the dialplan, or to listen in on a call. */
import { hasCode, TrunklineError } from '../core/errors';
import type { Action, DirectAction } from '../dialplan/dialplan';
import type { CallFacts } from '../dialplan/matcher';
import type { ToMedia } from '../media/protocol';
import type { StateEvent } from '../webrtc/softphone-events';
import type { Call, Leg } from './call';
import type { CallParties } from './exchange-parts';
import { listenIn, performListenIn } from './listen-in';
import { refused } from './refusals';

export interface WebCallPorts {
  readonly now: () => Date;
  readonly route: (facts: CallFacts) => Action;
  readonly find: (callId: string) => Call | undefined;
  /** Why there cannot be such a call now; counted. */
  readonly refusal: (action: Action) => TrunklineError | undefined;
  readonly choose: (action: Action, facts: CallFacts, callId: string) => Promise<DirectAction>;
  /** Takes what the action needs; why there is none, if so; counted. */
  readonly take: (callId: string, action: DirectAction) => TrunklineError | undefined;
  /** Whoever calls from a browser holds a token of the API, and may make us call others. */
  readonly open: (leg: Leg, facts: CallFacts, parties: CallParties) => Call;
  readonly webrtc: () => Omit<Extract<ToMedia, { type: 'open-webrtc' }>, 'type' | 'sessionId' | 'offerSdp'>;
}

export interface WebCaller {
  readonly address: string;
  readonly userAgent: string | undefined;
}

export interface PlacedWebCall {
  readonly id: string;
  readonly answerSdp: string;
}

export class WebCalls {
  constructor(private readonly ports: WebCallPorts) {}

  /** Rejects with a code when there is no such number or no room. */
  async place(number: string, offerSdp: string, caller: WebCaller): Promise<PlacedWebCall> {
    const { ports } = this;
    const facts = this.factsOf(number, 'softphone', caller);
    const action = ports.route(facts);
    if (action.type === 'reject') throw refused(action.status, `The dialplan does not take calls to ${number}.`);
    const refusal = ports.refusal(action);
    if (refusal !== undefined) throw refusal;
    const call = this.open(facts, { from: 'softphone', to: number });
    return this.answer(call, offerSdp, async () => {
      const chosen = await ports.choose(action, facts, call.id);
      if (chosen.type === 'reject') throw refused(chosen.status, 'The application refused the call.');
      const full = ports.take(call.id, chosen);
      if (full !== undefined) throw full;
      return () => call.answered(chosen);
    });
  }

  /** Rejects with `call.not-found`, or with `call.wrong-state` where there is nothing to be heard. */
  async listen(callId: string, offerSdp: string, caller: WebCaller): Promise<PlacedWebCall> {
    const target = this.ports.find(callId);
    if (target === undefined) {
      throw new TrunklineError('call.not-found', 'There is no such call, or it has ended.', {
        fix: 'List the live calls.',
      });
    }
    const { state, action } = target.snapshot;
    if (state !== 'answered' || action === listenIn) {
      throw new TrunklineError('call.wrong-state', 'Only an answered call can be listened to.', {
        fix: 'Wait until it is answered.',
      });
    }
    const refusal = this.ports.refusal({ type: 'echo' });
    if (refusal !== undefined) throw refusal;
    const metadata = { listensTo: callId };
    const call = this.open(this.factsOf(listenIn, 'console', caller), { from: 'console', to: listenIn, metadata });
    return this.answer(call, offerSdp, async () => () => {
      call.answeredWith(listenIn, (stage) => performListenIn(target, stage));
    });
  }

  private factsOf(number: string, from: string, { userAgent }: WebCaller): CallFacts {
    const headers: Record<string, string> = userAgent === undefined ? {} : { 'User-Agent': userAgent };
    return { number, caller: from, headers, at: this.ports.now() };
  }

  private open(facts: CallFacts, parties: Pick<CallParties, 'from' | 'to' | 'metadata'>): Call {
    const leg: Leg = {
      // WHIP has no BYE towards the browser: the page is told over its data channel before the connection closes.
      hangUp: async (cause) => {
        const ended: StateEvent = { type: 'state', state: 'ended', cause };
        call.link.post({ type: 'send-event', json: JSON.stringify(ended) });
      },
    };
    const call = this.ports.open(leg, facts, { ...parties, sipCallId: undefined, headers: facts.headers });
    return call;
  }

  /** Whatever goes wrong until it is answered ends it. */
  private async answer(call: Call, offerSdp: string, prepare: () => Promise<() => void>): Promise<PlacedWebCall> {
    try {
      const begin = await prepare();
      const answerSdp = await call.link.openWebRtc({ ...this.ports.webrtc(), offerSdp });
      begin();
      return { id: call.id, answerSdp };
    } catch (error) {
      const isRefusal = hasCode(error, 'call.refused') || hasCode(error, 'engine.full');
      await call.close(isRefusal ? 'rejected' : 'media-failed');
      throw error;
    }
  }
}
