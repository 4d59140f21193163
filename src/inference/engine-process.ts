/**
 * The control thread's handle on the model process: starts it below the priority of everything that carries packets,
 * speaks inference/protocol.ts with it, and starts it again when it dies, with the sessions and the histories of the
 * calls that are still up.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { Clock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';
import type { Persona } from '../model/omni-model';
import type { EngineConfig, FromEngine, ToEngine } from './protocol';

/** The model process yields to the media threads: nice 10 still gets a whole idle core. */
const ENGINE_NICE = 10;
const RESTART_DELAYS_MS = [250, 1_000, 4_000, 15_000] as const;
/** Commits replayed into a restarted process; older turns of a very long call are forgotten. */
const MAX_REPLAYED_COMMITS = 32;

type Open = Extract<ToEngine, { type: 'open' }>;
type Commit = Extract<ToEngine, { type: 'commit' }>;

export interface EngineProcessOptions {
  /** Compiled entry point of the process. */
  readonly entry: string;
  readonly config: EngineConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onMessage: (message: FromEngine) => void;
}

export class EngineProcess {
  private child: ChildProcess | undefined;
  private readonly live = new Map<string, { readonly open: Open; readonly commits: Commit[] }>();
  private readonly warmed = new Map<string, ToEngine>();
  private readonly warming = new Map<string, () => void>();
  private readyInfo: Extract<FromEngine, { type: 'ready' }> | undefined;
  private restarts = 0;
  private stopping = false;

  constructor(private readonly options: EngineProcessOptions) {}

  get ready(): Extract<FromEngine, { type: 'ready' }> | undefined {
    return this.readyInfo;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Resolves when the weights are loaded; rejects with the code that the process gave if it cannot load. */
  start(): Promise<Extract<FromEngine, { type: 'ready' }>> {
    return new Promise((resolve, reject) => {
      this.spawn((message) => {
        if (message.type === 'ready') resolve(message);
        else if (message.type === 'failed') {
          this.stopping = true;
          this.child?.kill('SIGKILL');
          reject(new TrunklineError(message.code as `${string}.${string}`, message.message, { fix: message.fix }));
        }
      });
    });
  }

  /** Resolves when the persona's prompt is computed, or when that failed: its calls work all the same, only later. */
  warm(persona: Persona): Promise<void> {
    this.post({ type: 'warm', persona });
    return new Promise((resolve) => {
      this.warming.set(persona.id, resolve);
    });
  }

  /** Messages to a process that is down are dropped; what must survive (open calls, history) is replayed later. */
  post(message: ToEngine): void {
    this.remember(message);
    if (this.child?.connected === true && this.readyInfo !== undefined) this.child.send(message);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // While it loads it hears nothing, and has nothing to give back.
    if (this.readyInfo === undefined) child.kill('SIGKILL');
    else if (child.connected) child.send({ type: 'shutdown' } satisfies ToEngine);
    const timer = this.options.clock.after(1_500, () => child.kill('SIGKILL'));
    await gone;
    timer.cancel();
  }

  dump(): Readonly<Record<string, unknown>> {
    return { pid: this.pid, ready: this.readyInfo !== undefined, liveCalls: this.live.size, restarts: this.restarts };
  }

  private remember(message: ToEngine): void {
    if (message.type === 'open') this.live.set(message.callId, { open: message, commits: [] });
    else if (message.type === 'close') this.live.delete(message.callId);
    else if (message.type === 'warm') this.warmed.set(message.persona.id, message);
    else if (message.type === 'commit') {
      const commits = this.live.get(message.callId)?.commits;
      commits?.push(message);
      if (commits !== undefined && commits.length > MAX_REPLAYED_COMMITS) commits.shift();
    }
  }

  private spawn(first?: (message: FromEngine) => void): void {
    const { entry, config, log } = this.options;
    const child = fork(entry, [], {
      // For src/workers/engine.ts, which collects once after loading.
      execArgv: [...process.execArgv, '--expose-gc'],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.child = child;
    let firstReply = first;
    // At the first start there is no call yet that could be disturbed, and loading is what everybody waits for.
    if (first === undefined) this.yieldToMedia(child);
    child.on('message', (message: FromEngine) => {
      if (message.type === 'ready') {
        this.readyInfo = message;
        this.yieldToMedia(child);
        this.replay(child);
      }
      if (firstReply !== undefined && (message.type === 'ready' || message.type === 'failed')) {
        firstReply(message);
        firstReply = undefined;
        if (message.type === 'failed') return;
      }
      if (message.type === 'warmed') {
        this.settleWarming(message.personaId);
        const { personaId, tookMs, failed } = message;
        if (failed === undefined) log.debug('a persona is prepared', { personaId, tookMs });
        else log.warn('a persona could not be prepared', { personaId, error: failed });
      } else if (message.type === 'failed' && message.callId === undefined) this.settleWarming();
      this.options.onMessage(message);
    });
    child.on('error', (error) => log.error('the model process failed', { error: String(error) }));
    child.once('exit', (exitCode, signal) => {
      this.readyInfo = undefined;
      if (this.stopping) return;
      const failure: FromEngine = {
        type: 'failed',
        callId: undefined,
        turnId: undefined,
        code: 'engine.process-died',
        message: `The model process ended (${signal ?? `exit code ${exitCode}`}).`,
        fix: 'It is started again by itself; look for a lack of memory if it happens often.',
      };
      firstReply?.(failure);
      if (firstReply !== undefined) return;
      log.error('the model process ended and is started again', { exitCode, signal });
      this.settleWarming();
      this.options.onMessage(failure);
      const delayMs = RESTART_DELAYS_MS[Math.min(this.restarts, RESTART_DELAYS_MS.length - 1)] ?? 15_000;
      this.restarts += 1;
      this.options.clock.after(delayMs, () => {
        if (!this.stopping) this.spawn();
      });
    });
    child.send({ type: 'load', config } satisfies ToEngine);
  }

  /** Puts the process below everything that carries packets, with the threads that it has and those it will start. */
  private yieldToMedia({ pid }: ChildProcess): void {
    if (pid === undefined) return;
    try {
      setPriority(pid, ENGINE_NICE);
      // Linux keeps priorities per thread.
      for (const thread of threadsOf(pid)) setPriority(thread, ENGINE_NICE);
    } catch (error) {
      this.options.log.warn('the model process keeps normal priority', { error: String(error) });
    }
  }

  private settleWarming(personaId?: string): void {
    for (const [id, settle] of [...this.warming]) {
      if (personaId !== undefined && id !== personaId) continue;
      this.warming.delete(id);
      settle();
    }
  }

  private replay(child: ChildProcess): void {
    for (const message of this.warmed.values()) child.send(message);
    for (const { open, commits } of this.live.values()) {
      child.send(open);
      for (const commit of commits) child.send(commit);
    }
  }
}

/** From Linux' proc; empty elsewhere, where a process has one priority. */
function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}
