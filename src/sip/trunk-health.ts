/** Asks one trunk by OPTIONS, again and again, whether it is there (RFC 3261 §11). Time and chance are passed in. */
import type { Clock, Timer } from '../core/clock';
import type { Logger } from '../core/log';
import { isUsable, nextTrunkHealth, type TrunkHealthEvent, type TrunkHealthState } from './trunk-health-state';
import { parseSipUri } from './uri';

export interface QualifiedTrunk {
  readonly name: string;
  /** `host`, `host:port` or a SIP URI. */
  readonly proxy: string;
  readonly qualifySeconds: number;
}

export interface SentOptions {
  readonly uri: string;
  readonly proxy: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface TrunkHealthOptions {
  readonly trunk: QualifiedTrunk;
  /** Resolves with a final answer of the network; rejects with `sip.unreachable`. */
  readonly send: (request: SentOptions) => Promise<{ readonly status: number }>;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly log: Logger;
  /** Below 1. */
  readonly random: () => number;
}

export interface TrunkHealthStatus {
  readonly name: string;
  readonly state: TrunkHealthState;
  /** When the verdict last changed between usable and not. */
  readonly since: string;
  readonly lastStatus: number | undefined;
  /** From OPTIONS to its answer, the last time there was one. */
  readonly roundTripMs: number | undefined;
  readonly asked: number;
  readonly missed: number;
}

/** A trunk that needs longer would make every caller wait as long. */
const answerWithinMs = 5_000;
/** While the verdict is open. */
const doubtSeconds = 5;
/** It answers, but cannot serve; or it is a proxy before it that answers. Any other answer is a sign of life. */
const unwell = new Set([408, 502, 503, 504]);

export class TrunkHealth {
  private state: TrunkHealthState = 'unknown';
  private timer: Timer | undefined;
  private isClosed = false;
  private since: Date;
  private lastStatus: number | undefined;
  private roundTripMs: number | undefined;
  private asked = 0;
  private missed = 0;

  constructor(private readonly options: TrunkHealthOptions) {
    this.since = options.now();
  }

  get name(): string {
    return this.options.trunk.name;
  }

  get isUsable(): boolean {
    return isUsable(this.state);
  }

  get status(): TrunkHealthStatus {
    const { state, lastStatus, roundTripMs, asked, missed } = this;
    return { name: this.name, state, since: this.since.toISOString(), lastStatus, roundTripMs, asked, missed };
  }

  start(): void {
    void this.ask();
  }

  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
  }

  private async ask(): Promise<void> {
    const { clock, send } = this.options;
    this.asked += 1;
    const askedMs = clock.nowMs();
    const outcome = await Promise.race([
      send(this.request()).catch(() => undefined),
      new Promise<undefined>((resolve) => {
        this.timer = clock.after(answerWithinMs, () => resolve(undefined));
      }),
    ]);
    this.timer?.cancel();
    if (this.isClosed) return;
    this.lastStatus = outcome?.status;
    if (outcome !== undefined) this.roundTripMs = Math.round(clock.nowMs() - askedMs);
    this.step(outcome === undefined || unwell.has(outcome.status) ? 'missed' : 'answered');
    this.timer = clock.after(this.waitMs(), () => void this.ask());
  }

  private request(): SentOptions {
    const { proxy } = this.options.trunk;
    const uri = /^sips?:/i.test(proxy) ? proxy : `sip:${proxy}`;
    const host = parseSipUri(uri)?.host ?? '';
    const domain = host.includes(':') ? `[${host}]` : host;
    return { uri, proxy: uri, headers: { From: `<sip:qualify@${domain}>`, To: `<sip:${domain}>` } };
  }

  private step(event: TrunkHealthEvent): void {
    if (event === 'missed') this.missed += 1;
    const wasUsable = this.isUsable;
    this.state = nextTrunkHealth(this.state, event);
    if (wasUsable === this.isUsable) return;
    this.since = this.options.now();
    const facts = { trunk: this.name, status: this.lastStatus };
    if (this.isUsable) this.options.log.info('a trunk answers again; calls go there', facts);
    else
      this.options.log.warn('a trunk does not answer; calls go to its fallback', { ...facts, code: 'sip.trunk-down' });
  }

  /** Varied by a tenth either way, so that many trunks are not asked in step. */
  private waitMs(): number {
    const { trunk, random } = this.options;
    const isOpen = this.state === 'falling' || this.state === 'rising';
    const seconds = isOpen ? Math.min(doubtSeconds, trunk.qualifySeconds) : trunk.qualifySeconds;
    return seconds * 1_000 * (0.9 + 0.2 * random());
  }
}
