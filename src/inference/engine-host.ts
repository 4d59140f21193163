/**
 * The model's side of inference/protocol.ts: one OmniModel, a session per call, answers advanced step by step by the
 * scheduler. Whatever fails ends that answer with a coded message; the process and the other calls go on.
 */
import type { Clock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { SearchKnowledge } from '../core/passage';
import { StartTrace } from '../core/start-trace';
import type { AnswerEvent, OmniModel, OmniSession, Pace, Working } from '../model/omni-model';
import { PassageRequests } from './passage-requests';
import type { EngineConfig, FromEngine, ToEngine } from './protocol';
import { type Job, StepScheduler } from './step-scheduler';

/** Sound is made this far ahead of its playout and no further: what is made too early is lost when the caller cuts in. */
const LEAD_MS = 400;
/** An answer with less than this left to play comes before a caller who still waits: a gap is worse than a late start. */
const STARVING_MS = 150;
const GUESS_URGENCY = -1_000_000;
const LISTENING_AHEAD_URGENCY = -1_500_000;
const WARMING_URGENCY = -2_000_000;

interface Turn {
  readonly turnId: number;
  readonly abort: AbortController;
  readonly events: AsyncIterator<AnswerEvent | Working>;
  speculative: boolean;
  /** A sentence that is spoken to be kept (call/rehearsal.ts): nobody hears it yet, so there is no playout to wait for. */
  readonly kept: boolean;
  /** When its sound began to be heard; undefined: there is none, or it is only a guess. */
  playingSinceMs: number | undefined;
  audioMs: number;
  /** Pieces of sound that came after the one before them had been played out. */
  late: number;
}

interface OpenCall {
  readonly session: OmniSession;
  readonly turns: Map<number, Turn>;
  readonly listening: Set<AbortController>;
  /** Listening ahead has something to do. */
  attending: boolean;
}

export interface EngineHostOptions {
  readonly load: (config: EngineConfig, trace: StartTrace, search: SearchKnowledge) => Promise<OmniModel>;
  readonly send: (message: FromEngine) => void;
  /** Counts from the start of the process. */
  readonly nowMs: () => number;
  readonly breathe: () => Promise<void>;
  readonly after: Clock['after'];
  readonly maxCalls: number;
  /** Called once the model is loaded and nobody waits for it: the files it was made from are garbage now. */
  readonly tidy?: () => void;
}

export class EngineHost {
  private model: OmniModel | undefined;
  private readonly calls = new Map<string, OpenCall | 'opening'>();
  private readonly pending = new Map<string, ToEngine[]>();
  private readonly scheduler: StepScheduler;
  private readonly passages: PassageRequests;

  constructor(private readonly options: EngineHostOptions) {
    this.scheduler = new StepScheduler(options);
    this.passages = new PassageRequests(options);
  }

  /** Takes any message in any order; what does not fit (a late cancel, an unknown call) is ignored. */
  receive(message: ToEngine): void {
    switch (message.type) {
      case 'load':
        void this.load(message.config);
        return;
      case 'warm':
        this.warm(message);
        return;
      case 'open':
        void this.open(message);
        return;
      case 'found':
        this.passages.found(message.requestId, message.passages);
        return;
      case 'shutdown':
        void this.shutdown();
        return;
      default:
        this.toCall(message);
    }
  }

  private toCall(message: Exclude<ToEngine, { type: 'load' | 'warm' | 'open' | 'found' | 'shutdown' }>): void {
    const call = this.calls.get(message.callId);
    if (call === undefined) return;
    if (call === 'opening') {
      // Opening takes a persona's prefill at most; what arrives meanwhile waits in order.
      const waiting = this.pending.get(message.callId) ?? [];
      if (waiting.length < 4_096) waiting.push(message);
      this.pending.set(message.callId, waiting);
      return;
    }
    switch (message.type) {
      case 'hear':
        call.session.hear(message.pcm, message.startSample);
        this.attend(message.callId, call);
        return;
      case 'answer':
        this.answer(message.callId, call, message);
        return;
      case 'promote': {
        const turn = call.turns.get(message.turnId);
        if (turn === undefined) return;
        turn.speculative = false;
        if (turn.audioMs > 0) turn.playingSinceMs ??= this.options.nowMs();
        this.scheduler.poke();
        return;
      }
      case 'listen':
        this.listen(message.callId, call, message);
        return;
      case 'cancel':
        this.cancel(message.callId, call, message.turnId);
        return;
      case 'commit':
        call.session.commit(message);
        return;
      case 'close':
        this.close(message.callId, call);
        return;
    }
  }

  private async load(config: EngineConfig): Promise<void> {
    await this.guard(undefined, undefined, async () => {
      const startedMs = this.options.nowMs();
      const trace = new StartTrace(this.options.nowMs);
      trace.mark('modules', 0);
      const model = await this.options.load(config, trace, (knowledge, question) =>
        this.passages.search(knowledge, question),
      );
      this.model = model;
      this.options.send({
        type: 'ready',
        name: model.name,
        outputSampleRate: model.outputSampleRate,
        loadMs: Math.round(this.options.nowMs() - startedMs),
        stages: trace.stages,
      });
      this.options.tidy?.();
    });
  }

  private warm({ persona }: Extract<ToEngine, { type: 'warm' }>): void {
    const startedMs = this.options.nowMs();
    const done = (failed?: string) => {
      const tookMs = Math.round(this.options.nowMs() - startedMs);
      this.options.send({ type: 'warmed', personaId: persona.id, tookMs, ...(failed === undefined ? {} : { failed }) });
    };
    const steps = this.model?.warm?.(persona)[Symbol.asyncIterator]();
    if (steps === undefined) {
      done(this.model === undefined ? 'the engine is not loaded' : undefined);
      return;
    }
    this.scheduler.add({
      // Whoever is on the line comes first, and guesses for them.
      urgency: () => WARMING_URGENCY,
      step: async () => {
        try {
          if ((await steps.next()).done !== true) return true;
          done();
        } catch (error) {
          done(error instanceof Error ? error.message : String(error));
        }
        return false;
      },
    });
  }

  private async open(message: Extract<ToEngine, { type: 'open' }>): Promise<void> {
    const { callId } = message;
    if (this.calls.has(callId)) return;
    if (this.calls.size >= this.options.maxCalls) {
      this.fail(
        callId,
        undefined,
        new TrunklineError('engine.full', `The engine serves ${this.options.maxCalls} calls and all are taken.`, {
          fix: 'Raise engine.maxCalls or add a machine.',
        }),
      );
      return;
    }
    this.calls.set(callId, 'opening');
    const opened = await this.guard(callId, undefined, async () => {
      const session = await this.requireModel().openSession(message.persona);
      if (this.calls.get(callId) !== 'opening') {
        session.close();
        return;
      }
      this.calls.set(callId, { session, turns: new Map(), listening: new Set(), attending: false });
      this.options.send({ type: 'opened', callId });
    });
    if (!opened) this.calls.delete(callId);
    const waiting = this.pending.get(callId) ?? [];
    this.pending.delete(callId);
    for (const late of waiting) this.receive(late);
  }

  private answer(callId: string, call: OpenCall, message: Extract<ToEngine, { type: 'answer' }>): void {
    if (call.turns.has(message.turnId)) return;
    // One voice per call: a newer turn ends whatever an older one was still producing.
    for (const older of call.turns.keys()) this.cancel(callId, call, older);
    const abort = new AbortController();
    const pace: Pace = {
      urgency: () => this.urgency(turn),
      dueInMs: () => (abort.signal.aborted ? Number.POSITIVE_INFINITY : this.dueInMs(turn)),
    };
    const turn: Turn = {
      turnId: message.turnId,
      abort,
      events: call.session.answer(message.input, abort.signal, pace)[Symbol.asyncIterator](),
      speculative: message.speculative,
      kept: message.speculative && message.input.kind === 'say',
      playingSinceMs: undefined,
      audioMs: 0,
      late: 0,
    };
    call.turns.set(turn.turnId, turn);
    this.scheduler.add(this.turnJob(callId, call, turn));
  }

  private leadMs({ playingSinceMs, audioMs }: Turn): number {
    return playingSinceMs === undefined ? audioMs : audioMs - (this.options.nowMs() - playingSinceMs);
  }

  /** A caller who waits in silence comes before one whose answer is ahead of its playout; guesses come last. */
  private urgency(turn: Turn): number {
    if (turn.speculative) return GUESS_URGENCY - this.leadMs(turn);
    return turn.audioMs === 0 ? 0 : STARVING_MS - this.leadMs(turn);
  }

  private dueInMs(turn: Turn): number {
    return turn.abort.signal.aborted || turn.kept ? 0 : this.leadMs(turn) - LEAD_MS;
  }

  private turnJob(callId: string, call: OpenCall, turn: Turn): Job {
    return {
      owner: callId,
      urgency: () => this.urgency(turn),
      dueInMs: () => this.dueInMs(turn),
      step: async () => {
        if (turn.abort.signal.aborted) return false;
        let going = false;
        await this.guard(
          callId,
          turn.turnId,
          async () => {
            const next = await turn.events.next();
            if (turn.abort.signal.aborted || next.done === true) return;
            const event = next.value;
            going = event.type !== 'end';
            if (event.type === 'working') return;
            if (event.type === 'audio') {
              if (this.leadMs(turn) < 0) turn.late += 1;
              if (!turn.speculative) turn.playingSinceMs ??= this.options.nowMs();
              turn.audioMs += (event.pcm.length * 1_000) / event.sampleRate;
            }
            this.options.send({ type: 'answer-event', callId, turnId: turn.turnId, event: withLate(event, turn.late) });
          },
          turn.abort.signal,
        );
        if (!going && call.turns.get(turn.turnId) === turn) {
          call.turns.delete(turn.turnId);
          void turn.events.return?.();
        }
        return going;
      },
    };
  }

  /** While its caller speaks a call looks ahead, when nobody needs the model; whoever does stops it between two runs. */
  private attend(callId: string, call: OpenCall): void {
    const { session } = call;
    if (call.attending || session.attend === undefined) return;
    call.attending = true;
    let abort = new AbortController();
    this.scheduler.add({
      urgency: () => LISTENING_AHEAD_URGENCY,
      preempt: (by) => {
        // The call's own answer wants just what is being done.
        if (by.owner !== callId) abort.abort(new Error('more urgent'));
      },
      step: async () => {
        abort = new AbortController();
        let more = false;
        try {
          if (this.calls.get(callId) === call) more = (await session.attend?.(abort.signal)) ?? false;
        } catch {
          // Cut short it goes on later; what goes wrong is told by the answer that needs it.
          more = abort.signal.aborted;
        }
        call.attending = more;
        return more;
      },
    });
  }

  private listen(callId: string, call: OpenCall, message: Extract<ToEngine, { type: 'listen' }>): void {
    const abort = new AbortController();
    call.listening.add(abort);
    this.scheduler.add({
      // Someone may be talking over the agent right now: nothing is more urgent.
      urgency: () => 1_000_000,
      step: async () => {
        await this.guard(
          callId,
          undefined,
          async () => {
            const heard = await call.session.listen(message.fromSample, message.toSample, abort.signal);
            this.options.send({ type: 'listened', callId, requestId: message.requestId, ...heard });
          },
          abort.signal,
        );
        call.listening.delete(abort);
        return false;
      },
    });
  }

  private cancel(callId: string, call: OpenCall, turnId: number): void {
    const turn = call.turns.get(turnId);
    if (turn === undefined) return;
    call.turns.delete(turnId);
    turn.abort.abort();
    this.scheduler.poke();
    void turn.events.return?.()?.catch(() => undefined);
    this.options.send({ type: 'cancelled', callId, turnId });
  }

  private close(callId: string, call: OpenCall): void {
    this.calls.delete(callId);
    for (const turnId of [...call.turns.keys()]) this.cancel(callId, call, turnId);
    for (const listening of call.listening) listening.abort();
    call.session.close();
  }

  private async shutdown(): Promise<void> {
    for (const [callId, call] of this.calls) if (call !== 'opening') this.close(callId, call);
    await this.model?.close();
    this.model = undefined;
  }

  private requireModel(): OmniModel {
    if (this.model === undefined) {
      throw new TrunklineError('engine.not-loaded', 'The speech engine has not finished loading.', {
        fix: 'Wait for /readyz to answer 200.',
      });
    }
    return this.model;
  }

  /** Runs `work`; what it throws becomes a `failed` message, unless `signal` says that nobody waits for it any more. */
  private async guard(
    callId: string | undefined,
    turnId: number | undefined,
    work: () => Promise<void>,
    signal?: AbortSignal,
  ): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (signal?.aborted !== true) this.fail(callId, turnId, error);
      return false;
    }
  }

  private fail(callId: string | undefined, turnId: number | undefined, error: unknown): void {
    const known = error instanceof TrunklineError ? error : undefined;
    this.options.send({
      type: 'failed',
      callId,
      turnId,
      code: known?.code ?? 'engine.internal',
      message: error instanceof Error ? error.message : String(error),
      fix: known?.fix,
    });
  }
}

/** The waterfall of a turn tells how often its sound came too late to be played without a gap. */
function withLate(event: AnswerEvent, late: number): AnswerEvent {
  return event.type === 'end' && late > 0 ? { ...event, stages: { ...event.stages, late } } : event;
}
