/** Calls that change their far end: three real user agents on loopback, the exchange in the middle, and media by hand. */
import type { Stage } from '../../src/call/call';
import { Exchange } from '../../src/call/exchange';
import type { ExchangeParts } from '../../src/call/exchange-parts';
import { performEcho } from '../../src/call/line-performance';
import { TollGuard } from '../../src/call/toll-guard';
import type { CallEvent } from '../../src/core/call-event';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import type { Action } from '../../src/dialplan/dialplan';
import { MediaRouter } from '../../src/media/media-router';
import type { ToMedia } from '../../src/media/protocol';
import { UdpTransport } from '../../src/sip/embedded/udp-transport';
import { makeOffer } from '../../src/sip/offer-answer';
import { replacesUs } from '../../src/sip/replaces';
import { SdpSession } from '../../src/sip/sdp-session';
import { SrfUserAgent } from '../../src/sip/srf-user-agent';
import type { IncomingInvite, Referral, SipDialog, SipEnd } from '../../src/sip/user-agent';
import { keepLadder, type LadderFacts, type LadderName, ladderOf } from '../support/ladder';
import { SipCapture } from '../support/sip-capture';

const clock = new SystemClock();
const offer = (port: number): string =>
  makeOffer({ address: '127.0.0.1', port, codecs: ['PCMU'] }, { sessionId: String(port) }).sdp;

async function agent(capture?: SipCapture): Promise<SrfUserAgent> {
  const at = { host: '127.0.0.1', port: 0 };
  const made = new SrfUserAgent({
    listen: at,
    ...(capture === undefined ? {} : { transports: [capture.around(new UdpTransport(at))] }),
    clock,
    log: silentLogger,
    userAgentName: 'Trunkline test',
  });
  await made.start();
  return made;
}

/** A phone: whom it called or who called it, how that ended, what it was asked. */
class Party {
  readonly invites: IncomingInvite[] = [];
  readonly ends: SipEnd[] = [];
  readonly referrals: Referral[] = [];
  readonly offers: string[] = [];
  dialog: SipDialog | undefined;

  constructor(
    readonly userAgent: SrfUserAgent,
    readonly port: number,
    private readonly onRefer: (referral: Referral) => void,
  ) {}

  get uri(): string {
    return `sip:party${this.port}@127.0.0.1:${this.userAgent.local[0]?.port}`;
  }

  keep(dialog: SipDialog): SipDialog {
    this.dialog = dialog;
    dialog.onEnd((end) => this.ends.push(end));
    dialog.onReferral((referral) => {
      this.referrals.push(referral);
      this.onRefer(referral);
    });
    dialog.onReinvite(async (sdp) => {
      this.offers.push(/a=(sendrecv|sendonly|recvonly|inactive)/.exec(sdp ?? '')?.[1] ?? 'none');
      const answer = this.offers.at(-1) === 'sendonly' ? 'recvonly' : (this.offers.at(-1) ?? 'sendrecv');
      return offer(this.port).replace('a=sendrecv', `a=${answer}`);
    });
    return dialog;
  }

  answer(status = 200): void {
    this.userAgent.onInvite((invite) => {
      this.invites.push(invite);
      if (status !== 200) invite.reject(status);
      else void invite.accept(offer(this.port)).then((dialog) => this.keep(dialog));
    });
  }

  async call(to: SrfUserAgent, number: string, headers: Record<string, string> = {}): Promise<SipDialog> {
    const target = `sip:${number}@127.0.0.1:${to.local[0]?.port}`;
    const { dialog } = await this.userAgent.invite({ to: target, offerSdp: offer(this.port), headers });
    return this.keep(dialog);
  }
}

const roomy = { calls: 10, perDay: 10 };

const waitFor = async (what: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 400 && !what(); turn++) await new Promise((resolve) => setTimeout(resolve, 10));
  if (!what()) throw new Error(`it did not happen: ${what.toString()}`);
};

describe('a call that changes its far end', () => {
  let us: SrfUserAgent;
  /** What passes our transports. */
  let capture: SipCapture;
  let alice: Party;
  let bob: Party;
  let carol: Party;
  let exchange: Exchange;
  let events: CallEvent[];
  let posted: ToMedia[];
  let action: Action;
  let trusted: boolean;
  let spoken: string[];
  let recorded: string[];
  let asked: Promise<unknown>;
  let onRefer: (referral: Referral) => void;
  const agents: SrfUserAgent[] = [];

  beforeEach(async () => {
    capture = new SipCapture();
    agents.push(await agent(capture), await agent(), await agent(), await agent());
    us = agents[0]!;
    onRefer = (referral) => referral.reject(603);
    alice = new Party(agents[1]!, 30_000, (referral) => onRefer(referral));
    bob = new Party(agents[2]!, 32_000, (referral) => referral.reject(603));
    carol = new Party(agents[3]!, 34_000, (referral) => referral.reject(603));
    events = [];
    posted = [];
    action = { type: 'echo' };
    trusted = true;
    spoken = [];
    recorded = [];
    let serial = 0;
    const router: MediaRouter = new MediaRouter({
      post: (message) => {
        posted.push(message);
        const { sessionId } = message as { sessionId: string };
        if (message.type === 'open-rtp') {
          const local = { address: '127.0.0.1', port: 20_000 + 2 * serial };
          setImmediate(() => router.receive({ type: 'opened', sessionId, local }));
        } else if (message.type === 'close') {
          setImmediate(() => router.receive({ type: 'closed', sessionId, stats: {} as never }));
        }
      },
    });
    const parts = {
      userAgent: us,
      lines: router,
      peers: router,
      publish: (event: CallEvent) => events.push(event),
      notReady: () => undefined,
      route: () => action,
      ask: () => asked,
      trusts: () => trusted,
      routeOut: (to: string) => ({ to }),
      toll: new TollGuard({
        allow: [],
        deny: ['77'],
        caps: { all: roomy, trunk: roomy, user: roomy },
        callerIds: new Map(),
        days: { count: () => 0, add: () => undefined },
        now: () => new Date(0),
      }),
      music: () => undefined,
      dialledAs: () => undefined,
      record: (stage: Stage) => void recorded.push(stage.callId),
      speak: async (_callId: string, text: string) => {
        spoken.push(text);
        return [{ pcm: new Int16Array(160), sampleRate: 8000 }];
      },
      perform: (chosen: { type: string }, stage: Parameters<typeof performEcho>[1]) =>
        chosen.type === 'dial' || chosen.type === 'transfer'
          ? exchange.transfers.perform(chosen as never, stage)
          : performEcho({ type: 'echo' }, stage),
      negotiation: () => new SdpSession({ sessionId: '7', address: '127.0.0.1', codecs: ['PCMU'] }),
      clock,
      log: silentLogger,
      events: { newId: () => 'e', now: () => new Date(0) },
      newCallId: () => `call_${++serial}`,
      rtp: { bindAddressFor: () => '127.0.0.1', ports: [20_000, 20_100], timeoutMs: 30_000 },
      limits: { calls: 10, callSeconds: 600, engineCalls: 10 },
    } as unknown as ExchangeParts;
    exchange = new Exchange(parts);
    us.onInvite((invite) => exchange.takeInvite(invite));
  });

  afterEach(async () => {
    await exchange.closeAll('shutdown');
    await Promise.all(agents.splice(0).map((one) => one.stop()));
  });

  /** What the page of ladders shows of it. */
  const ladder = (name: LadderName, facts: Pick<LadderFacts, 'title' | 'about' | 'clause'>, other: string): void => {
    const whoIs = (port: number) => (port === bob.userAgent.local[0]?.port ? other : 'caller');
    const test = 'test/call/exchange-transfer.test.ts';
    keepLadder(
      name,
      ladderOf({ ...facts, test, parties: ['caller', 'Trunkline', other] }, capture, 'Trunkline', whoIs),
    );
  };
  const told = (type: CallEvent['type']) => events.filter((event) => event.type === type).map(({ data }) => data);
  const answered = (callId: string) => waitFor(() => exchange.find(callId)?.snapshot.state === 'answered');
  const transfer = (mode: 'auto' | 'refer' | 'bridge' | 'warm' = 'auto'): void =>
    exchange.transfers.order(exchange.find('call_1')!, { to: bob.uri, ringSeconds: 5, mode });
  const bridges = () =>
    posted.flatMap((message) =>
      message.type === 'source' && message.source.kind === 'bridge'
        ? [[message.sessionId, ...message.source.peers]]
        : [],
    );

  it.each(['it is found out who calls', 'an application is asked'])(
    'is given up while %s, and takes nothing',
    async (when) => {
      const identified = when !== 'an application is asked';
      let goOn: () => void = () => undefined;
      const waited = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      let begun = false;
      us.onInvite((invite) => {
        begun = true;
        // As when a certificate is fetched.
        if (identified) void waited.then(() => exchange.takeInvite(invite));
        else exchange.takeInvite(invite);
      });
      if (!identified) {
        action = { type: 'webhook' } as never;
        asked = waited.then(() => ({ action: { type: 'echo' }, fallbackBecause: undefined }));
      }
      const abort = new AbortController();
      const to = `sip:echo@127.0.0.1:${us.local[0]?.port}`;
      const calling = alice.userAgent.invite({ to, offerSdp: offer(alice.port), signal: abort.signal });
      const failed = expect(calling).rejects.toMatchObject({ code: 'sip.cancelled' });
      await waitFor(() => begun);
      abort.abort();
      await failed;
      goOn();
      await waitFor(() => told('call.ended').length === 1);
      expect(told('call.ended')).toEqual([expect.objectContaining({ cause: 'cancelled', sipStatus: 487 })]);
      // What was on its way has come by then.
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(posted.map(({ type }) => type)).not.toContain('open-rtp');
      expect(exchange.live).toBe(0);
    },
  );

  it('is referred, and ends when the far end has got through', async () => {
    onRefer = (referral) => void referral.accept()(200, 'OK');
    await alice.call(us, 'echo');
    await answered('call_1');
    transfer();
    await waitFor(() => alice.ends.length === 1);
    expect(alice.referrals).toEqual([expect.objectContaining({ target: bob.uri })]);
    expect(told('transfer.started')).toEqual([{ to: bob.uri, by: 'us' }]);
    expect(told('transfer.completed')).toEqual([{ to: bob.uri, way: 'refer', confirmed: true }]);
    await waitFor(() => told('call.ended').length === 1);
    expect(told('call.ended')).toEqual([expect.objectContaining({ cause: 'transferred' })]);
  });

  it('comes back when the other one does not answer', async () => {
    onRefer = (referral) => void referral.accept()(486, 'Busy Here');
    await alice.call(us, 'echo');
    await answered('call_1');
    transfer();
    await waitFor(() => told('transfer.failed').length === 1);
    expect(told('transfer.failed')).toEqual([{ to: bob.uri, sipStatus: 486, cause: 'busy' }]);
    expect(exchange.find('call_1')?.snapshot.state).toBe('answered');
    expect(told('hold.ended')).toEqual([{ by: 'us' }]);
  });

  it('is connected by us when the far end will not call there itself; keys go across, and both end together', async () => {
    bob.answer();
    await alice.call(us, 'echo');
    await answered('call_1');
    transfer();
    await waitFor(() => told('transfer.completed').length === 1);
    expect(told('transfer.completed')).toEqual([{ to: bob.uri, way: 'bridge', confirmed: true, peerCallId: 'call_2' }]);
    expect(bridges()).toEqual([
      ['call_1', 'call_2'],
      ['call_2', 'call_1'],
    ]);
    exchange.find('call_1')?.key('rtp', '7', 100);
    expect(posted).toContainEqual({ type: 'send-dtmf', sessionId: 'call_2', digits: '7' });
    await bob.dialog?.bye();
    await waitFor(() => alice.ends.length === 1 && exchange.live === 0);
    expect(told('call.ended')).toHaveLength(2);
  });

  describe('to somebody who is told about it first', () => {
    const hears = (callId: string) =>
      posted.filter((message) => message.type === 'play' && message.sessionId === callId);

    it('waits with music until they press 1, and is connected then', async () => {
      bob.answer();
      await alice.call(us, 'echo');
      await answered('call_1');
      exchange.find('call_1')?.tell('turn.user', { turn: 1, text: 'I would like to talk to somebody.' });
      transfer('warm');
      await answered('call_2');
      await waitFor(() => hears('call_2').length === 1);
      expect(spoken).toEqual([expect.stringContaining('They said: I would like to talk to somebody.')]);
      // Their private leg is kept as every call is, where calls are kept.
      expect(recorded).toEqual(['call_2']);
      // Only one of the two hears it, and they do not hear each other.
      expect(hears('call_1')).toEqual([]);
      expect(bridges()).toEqual([]);
      expect(alice.referrals).toEqual([]);
      expect(posted.filter((message) => message.type === 'music').at(-1)).toHaveProperty('sound');
      exchange.find('call_2')?.key('rtp', '1', 100);
      await waitFor(() => told('transfer.completed').length === 1);
      expect(told('transfer.completed')).toEqual([
        { to: bob.uri, way: 'bridge', confirmed: true, peerCallId: 'call_2' },
      ]);
      expect(bridges()).toHaveLength(2);
      await bob.dialog?.bye();
      await waitFor(() => alice.ends.length === 1 && exchange.live === 0);
      ladder(
        'warm-hand-over',
        {
          title: 'Warm hand-over',
          about:
            'The caller hears music while we ring a colleague, tell them who calls, and wait for the key 1, which comes in RTP; then both are connected through us, until the colleague hangs up.',
          clause: 'RFC 3261 §13, RFC 4733',
        },
        'colleague',
      );
    });

    it.each([
      ['they press 2', () => exchange.find('call_2')?.key('rtp', '2', 100)],
      ['they hang up', () => bob.dialog?.bye()],
    ])('is taken back when %s', async (_what, decline) => {
      bob.answer();
      await alice.call(us, 'echo');
      await answered('call_1');
      transfer('warm');
      await answered('call_2');
      await waitFor(() => hears('call_2').length === 1 && bob.dialog !== undefined);
      void decline();
      await waitFor(() => told('transfer.failed').length === 1);
      expect(told('transfer.failed')).toEqual([expect.objectContaining({ to: bob.uri, cause: 'rejected' })]);
      await waitFor(() => bob.ends.length === 1);
      expect(exchange.find('call_1')?.snapshot.state).toBe('answered');
      expect(told('hold.ended')).toEqual([{ by: 'us' }]);
    });

    it('is taken back when they are busy', async () => {
      bob.answer(486);
      await alice.call(us, 'echo');
      await answered('call_1');
      transfer('warm');
      await waitFor(() => told('transfer.failed').length === 1);
      expect(told('transfer.failed')).toEqual([{ to: bob.uri, sipStatus: 486, cause: 'busy' }]);
      expect(exchange.find('call_1')?.snapshot.state).toBe('answered');
    });

    it('leaves nobody listening to a briefing when the caller hangs up meanwhile', async () => {
      bob.answer();
      const dialog = await alice.call(us, 'echo');
      await answered('call_1');
      transfer('warm');
      await waitFor(() => hears('call_2').length === 1);
      await dialog.bye();
      await waitFor(() => bob.ends.length === 1 && exchange.live === 0);
    });

    it('is ordered by the agent itself, and once', async () => {
      bob.answer();
      await alice.call(us, 'echo');
      await answered('call_1');
      const to = { to: bob.uri, ringSeconds: 5, mode: 'warm' as const };
      exchange.transfers.handOver('call_1', to);
      exchange.transfers.handOver('call_1', to);
      exchange.transfers.handOver('call_9', to);
      await waitFor(() => hears('call_2').length === 1);
      exchange.find('call_2')?.key('rtp', '1', 100);
      await waitFor(() => told('transfer.completed').length === 1);
      expect(told('transfer.started')).toHaveLength(1);
      expect(exchange.find('call_3')).toBeUndefined();
    });

    it('tells their telephone what was said, if it is to, and no header of anybody’s making', async () => {
      bob.answer();
      await alice.call(us, 'echo');
      await answered('call_1');
      exchange.find('call_1')?.tell('turn.user', { turn: 1, text: 'My Zoë is ill.\r\nX-Evil: 1', how: undefined });
      exchange.transfers.handOver('call_1', { to: bob.uri, ringSeconds: 5, mode: 'warm', summaryHeader: true });
      await waitFor(() => bob.invites.length === 1);
      const { headers = {} } = bob.invites[0]!;
      const [, summary] = Object.entries(headers).find(([name]) => /^x-trunkline-summary$/i.test(name)) ?? [];
      expect(decodeURIComponent(String(summary))).toContain('They said: My Zoë is ill. X-Evil: 1.');
      expect(String(summary)).toContain('Zo%C3%AB');
      expect(Object.keys(headers).filter((name) => /evil/i.test(name))).toEqual([]);
      await waitFor(() => hears('call_2').length === 1);
      exchange.find('call_2')?.key('rtp', '1', 100);
      await waitFor(() => told('transfer.completed').length === 1);
    });

    it('can be what the dialplan does with a caller', async () => {
      bob.answer();
      action = {
        type: 'transfer',
        mode: 'warm',
        to: bob.uri,
        trunk: undefined,
        from: undefined,
        ringSeconds: 5,
        otherwise: { type: 'echo' },
      };
      await alice.call(us, 'sales');
      await waitFor(() => hears('call_2').length === 1);
      exchange.find('call_2')?.key('rtp', '2', 100);
      await waitFor(() => exchange.find('call_1')?.snapshot.action === 'echo');
    });
  });

  it('takes one transfer at a time', async () => {
    onRefer = () => undefined;
    await alice.call(us, 'echo');
    await answered('call_1');
    transfer('refer');
    expect(() => transfer('refer')).toThrow(expect.objectContaining({ code: 'call.wrong-state' }));
  });

  it('whose caller hangs up while the other one rings leaves nobody ringing', async () => {
    let cancelled = false;
    bob.userAgent.onInvite((invite) => {
      invite.ring();
      invite.onCancelled(() => {
        cancelled = true;
      });
      bob.invites.push(invite);
    });
    action = { type: 'dial', to: bob.uri, trunk: undefined, from: undefined, ringSeconds: 20, otherwise: undefined };
    const dialog = await alice.call(us, 'sales');
    await waitFor(() => bob.invites.length === 1);
    await dialog.bye();
    await waitFor(() => cancelled && exchange.live === 0);
  });

  it('by the dialplan is dialled on, and stays connected until one hangs up', async () => {
    bob.answer();
    action = { type: 'dial', to: bob.uri, trunk: undefined, from: undefined, ringSeconds: 5, otherwise: undefined };
    await alice.call(us, 'sales');
    await waitFor(() => bridges().length === 2 && exchange.find('call_1')?.snapshot.action === 'bridge');
    // Whatever was on its way has come by then.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(exchange.live).toBe(2);
    await alice.dialog?.bye();
    await waitFor(() => bob.ends.length === 1 && exchange.live === 0);
  });

  it('by the dialplan is dialled on, and does something else when nobody answers', async () => {
    bob.answer(480);
    action = {
      type: 'dial',
      to: bob.uri,
      trunk: undefined,
      from: undefined,
      ringSeconds: 5,
      otherwise: { type: 'echo' },
    };
    await alice.call(us, 'sales');
    await waitFor(() => exchange.find('call_1')?.snapshot.action === 'echo');
    expect(told('transfer.failed')).toEqual([{ to: bob.uri, sipStatus: 480, cause: 'no-answer' }]);
  });

  it('from anybody who may not make us call is refused before it is answered', async () => {
    trusted = false;
    action = { type: 'dial', to: bob.uri, trunk: undefined, from: undefined, ringSeconds: 5, otherwise: undefined };
    await expect(alice.call(us, 'sales')).rejects.toMatchObject({ details: { status: 403 } });
  });

  it('by the agent is led to another action', async () => {
    await alice.call(us, 'echo');
    await answered('call_1');
    exchange.transfers.handOver('call_1', { action: { type: 'tone', frequencyHz: 440, levelDbm0: -10 } });
    await waitFor(() => exchange.find('call_1')?.snapshot.action === 'tone');
    expect(told('transfer.started')).toEqual([]);
  });

  it('from a user who has proved it is dialled on', async () => {
    trusted = false;
    bob.answer();
    us.onInvite((invite) => exchange.takeInvite(invite, { kind: 'user', username: 'alice' }));
    action = { type: 'dial', to: bob.uri, trunk: undefined, from: undefined, ringSeconds: 5, otherwise: undefined };
    await alice.call(us, 'sales');
    await waitFor(() => bridges().length === 2);
  });

  it('has another far end after its own asked for that, who is told the outcome and let go', async () => {
    bob.answer();
    const dialog = await alice.call(us, 'echo');
    await answered('call_1');
    const progress: number[] = [];
    const outcome = await dialog.refer({
      target: bob.uri,
      replaces: 'other@call;to-tag=a;from-tag=b',
      referredBy: `<${alice.uri}>`,
      onProgress: (status) => progress.push(status),
    });
    expect(outcome).toEqual({ kind: 'completed', status: 200 });
    expect(progress[0]).toBe(100);
    await waitFor(() => alice.ends.length === 1);
    expect(bob.invites[0]?.header('Replaces')).toBe('other@call;to-tag=a;from-tag=b');
    expect(bob.invites[0]?.header('Referred-By')).toContain(alice.uri);
    expect(exchange.find('call_1')?.snapshot.state).toBe('answered');
    const connects = posted.filter((message) => message.type === 'connect-rtp');
    expect(connects.at(-1)).toMatchObject({ sessionId: 'call_1', remote: { port: 32_000 } });
    await bob.dialog?.bye();
    await waitFor(() => exchange.live === 0);
  });

  it('stays where it is when the one it was sent to is busy, or when nobody may send it', async () => {
    bob.answer(486);
    const dialog = await alice.call(us, 'echo');
    await answered('call_1');
    expect(await dialog.refer({ target: bob.uri })).toEqual({ kind: 'failed', status: 486 });
    expect(exchange.find('call_1')?.snapshot.state).toBe('answered');
    trusted = false;
    const stranger = await bob.call(us, 'echo');
    await answered('call_2');
    expect(await stranger.refer({ target: alice.uri })).toEqual({ kind: 'refused', status: 403 });
  });

  describe('to a number that may not be called', () => {
    const closed = (party: Party): string => party.uri.replace(/party[0-9]+/, '7712345');
    const told403 = { sipStatus: 403, cause: 'rejected' };

    it.each(['refer', 'bridge'] as const)('is not transferred by %s, and it is told why', async (mode) => {
      bob.answer();
      await alice.call(us, 'echo');
      await answered('call_1');
      const to = closed(bob);
      exchange.transfers.order(exchange.find('call_1')!, { to, ringSeconds: 5, mode });
      await waitFor(() => told('transfer.failed').length === 1);
      expect(told('transfer.failed')).toEqual([{ to, ...told403 }]);
      expect(told('error')).toEqual([expect.objectContaining({ code: 'call.destination-closed' })]);
      expect([alice.referrals, bob.invites]).toEqual([[], []]);
      expect(exchange.find('call_1')?.snapshot.state).toBe('answered');
    });

    it('is not sent by its far end', async () => {
      bob.answer();
      const dialog = await alice.call(us, 'echo');
      await answered('call_1');
      expect(await dialog.refer({ target: closed(bob) })).toEqual({ kind: 'refused', status: 403 });
      expect(told('error')).toEqual([expect.objectContaining({ code: 'call.destination-closed' })]);
      expect(bob.invites).toEqual([]);
    });

    it('is not placed, and is told as a call that ended at once', () => {
      const order = { to: closed(bob), ringSeconds: 5, action: { type: 'echo' } as const };
      expect(() => exchange.dialOut(order)).toThrow(expect.objectContaining({ code: 'call.destination-closed' }));
      expect(events.map(({ type, sequence }) => [sequence, type])).toEqual([
        [1, 'call.started'],
        [2, 'error'],
        [3, 'call.ended'],
      ]);
      expect(exchange.live).toBe(0);
    });

    it('is not led by a redirect', async () => {
      carol.answer();
      bob.userAgent.onInvite((invite) => invite.reject(302, undefined, { Contact: `<${closed(carol)}>` }));
      exchange.dialOut({ to: bob.uri, ringSeconds: 5, action: { type: 'echo' } });
      await waitFor(() => told('call.ended').length === 1);
      expect(told('call.ended')).toEqual([expect.objectContaining({ cause: 'rejected', sipStatus: 302 })]);
      expect(carol.invites).toEqual([]);
    });
  });

  it('is taken over by an INVITE that names it; one that names nothing is told so', async () => {
    const dialog = await alice.call(us, 'echo');
    await answered('call_1');
    const replaces = replacesUs(dialog.name);
    await bob.call(us, 'echo', { Replaces: replaces, Require: 'replaces' });
    await waitFor(() => alice.ends.length === 1 && told('transfer.completed').length === 1);
    expect(exchange.live).toBe(1);
    expect(told('transfer.completed')).toEqual([expect.objectContaining({ way: 'replaced' })]);
    await expect(bob.call(us, 'echo', { Replaces: replaces })).rejects.toMatchObject({ details: { status: 481 } });
    await expect(bob.call(us, 'echo', { Replaces: 'nonsense' })).rejects.toMatchObject({ details: { status: 400 } });
    const early = `${replacesUs(bob.dialog!.name)};early-only`;
    await expect(alice.call(us, 'echo', { Replaces: early })).rejects.toMatchObject({ details: { status: 486 } });
  });

  it('is connected with another of our calls by a REFER that names it', async () => {
    onRefer = (referral) => void referral.accept()(200, 'OK');
    await alice.call(us, 'echo');
    await answered('call_1');
    const toBob = await bob.call(us, 'echo');
    await answered('call_2');
    exchange.transfers.attended(exchange.find('call_1')!, exchange.find('call_2')!);
    await waitFor(() => alice.referrals.length === 1 && alice.ends.length === 1);
    // What bob's phone knows of its call with us is what the Replaces must name.
    const { callId, localTag, remoteTag } = toBob.name;
    expect(alice.referrals[0]?.replaces).toBe(`${callId};to-tag=${localTag};from-tag=${remoteTag}`);
  });

  it('leaves us when its far end calls the other one and takes our place there', async () => {
    bob.userAgent.onInvite((invite) => {
      // A phone that is asked to let another take over: it answers, and hangs up on whom that replaces.
      void invite.accept(offer(bob.port)).then(() => bob.dialog?.bye());
    });
    onRefer = (referral) => {
      const tell = referral.accept();
      const headers = { Replaces: referral.replaces ?? '' };
      const call = alice.userAgent.invite({ to: bob.uri, offerSdp: offer(alice.port), headers });
      void call.then(() => tell(200, 'OK'));
    };
    await alice.call(us, 'echo');
    await answered('call_1');
    await bob.call(us, 'echo');
    await answered('call_2');
    exchange.transfers.attended(exchange.find('call_1')!, exchange.find('call_2')!);
    await waitFor(() => exchange.live === 0 && alice.ends.length === 1);
    ladder(
      'attended-transfer',
      {
        title: 'Attended transfer',
        about:
          'Two of our calls are connected without us: a REFER to one far end names the call with the other, which is then called directly, by an INVITE with Replaces that we do not see, and hangs up on us.',
        clause: 'RFC 3515, RFC 3891, RFC 5589 §7',
      },
      'other caller',
    );
  });

  it('is connected with another of our calls by us when the far end will not', async () => {
    await alice.call(us, 'echo');
    await answered('call_1');
    await bob.call(us, 'echo');
    await answered('call_2');
    exchange.transfers.attended(exchange.find('call_1')!, exchange.find('call_2')!);
    await waitFor(() => bridges().length === 2);
  });

  it('is held and resumed by us', async () => {
    await alice.call(us, 'echo');
    await answered('call_1');
    const call = exchange.find('call_1')!;
    await exchange.transfers.hold(call, true);
    await expect(exchange.transfers.hold(call, true)).rejects.toMatchObject({ code: 'call.wrong-state' });
    await exchange.transfers.hold(call, false);
    expect(alice.offers).toEqual(['inactive', 'sendrecv']);
    expect(told('hold.started')).toEqual([{ by: 'us' }]);
    const connects = posted.filter((message) => message.type === 'connect-rtp');
    expect(connects.map(({ send, timeoutMs }) => [send, timeoutMs])).toEqual([
      [true, 30_000],
      [false, 0],
      [true, 30_000],
    ]);
  });

  describe('and becomes a conference', () => {
    const sources = () =>
      new Map(
        posted.flatMap((message) =>
          message.type === 'source' ? [[message.sessionId, JSON.stringify(message.source)] as const] : [],
        ),
      );
    const hears = (...peers: string[]) => JSON.stringify({ kind: 'bridge', peers });
    const invite = (party: Party): void =>
      exchange.transfers.order(exchange.find('call_1')!, { to: party.uri, ringSeconds: 5, mode: 'conference' });
    const takes = async (callId: string): Promise<void> => {
      await answered(callId);
      await waitFor(() => posted.some((message) => message.type === 'play' && message.sessionId === callId));
      exchange.find(callId)?.key('rtp', '1', 100);
    };
    const completed = (count: number) => waitFor(() => told('transfer.completed').length === count);

    it('in which the agent stays: the caller does not wait, and all three hear each other', async () => {
      action = { type: 'agent' } as never;
      bob.answer();
      await alice.call(us, 'desk');
      await answered('call_1');
      invite(bob);
      await takes('call_2');
      await completed(1);
      expect(spoken[0]).toContain('Press 1 to join the call');
      expect(told('transfer.completed')).toEqual([
        { to: bob.uri, way: 'conference', confirmed: true, peerCallId: 'call_2' },
      ]);
      expect(told('hold.started')).toEqual([]);
      expect(posted.some((message) => message.type === 'music' && message.sessionId === 'call_1')).toBe(false);
      expect(sources().get('call_1')).toBe(JSON.stringify({ kind: 'bridge', peers: ['call_2'], playout: true }));
      expect(sources().get('call_2')).toBe(hears('call_1', 'call_1/agent'));
      await bob.dialog?.bye();
      await waitFor(() => sources().get('call_1') === JSON.stringify({ kind: 'playout' }));
      expect(exchange.find('call_1')?.snapshot.state).toBe('answered');
    });

    it('which goes on without the agent when it has said goodbye, and ends with the caller', async () => {
      action = { type: 'agent' } as never;
      bob.answer();
      await alice.call(us, 'desk');
      await answered('call_1');
      expect(exchange.transfers.stepOut('call_1')).toBe(false);
      invite(bob);
      await takes('call_2');
      await completed(1);
      expect(exchange.transfers.stepOut('call_1')).toBe(true);
      await waitFor(() => sources().get('call_1') === hears('call_2'));
      expect(sources().get('call_2')).toBe(hears('call_1'));
      expect(exchange.find('call_1')?.snapshot).toMatchObject({ state: 'answered', action: 'bridge' });
      await alice.dialog?.bye();
      await waitFor(() => bob.ends.length === 1 && exchange.live === 0);
    });

    it('of three people, which goes on with two, and ends when one is left alone', async () => {
      bob.answer();
      carol.answer();
      await alice.call(us, 'echo');
      await answered('call_1');
      transfer('bridge');
      await completed(1);
      invite(carol);
      await takes('call_3');
      await completed(2);
      expect(['call_1', 'call_2', 'call_3'].map((callId) => sources().get(callId))).toEqual([
        hears('call_2', 'call_3'),
        hears('call_1', 'call_3'),
        hears('call_1', 'call_2'),
      ]);
      exchange.find('call_1')?.key('rtp', '7', 100);
      expect(posted.flatMap((message) => (message.type === 'send-dtmf' ? [message.sessionId] : []))).toEqual([
        'call_2',
        'call_3',
      ]);
      await alice.dialog?.bye();
      await waitFor(() => sources().get('call_2') === hears('call_3') && sources().get('call_3') === hears('call_2'));
      expect(exchange.live).toBe(2);
      await bob.dialog?.bye();
      await waitFor(() => carol.ends.length === 1 && exchange.live === 0);
    });

    it('only where somebody stays, and leaves all as it was when nobody comes', async () => {
      bob.answer(486);
      await alice.call(us, 'echo');
      await answered('call_1');
      expect(() => invite(bob)).toThrow(expect.objectContaining({ code: 'call.wrong-state' }));
      action = { type: 'agent' } as never;
      await carol.call(us, 'desk');
      await answered('call_2');
      exchange.transfers.order(exchange.find('call_2')!, { to: bob.uri, ringSeconds: 5, mode: 'conference' });
      await waitFor(() => told('transfer.failed').length === 1);
      expect(told('transfer.failed')).toEqual([expect.objectContaining({ cause: 'busy' })]);
      expect(bridges()).toEqual([]);
    });
  });
});
