/**
 * Keeps us registered at one trunk (RFC 3261 §10.2, RFC 7616, RFC 8760): refreshed at 50 to 85 % of the time granted, tried
 * again with growing waits when refused, taken back at the end. Time and chance are passed in.
 */
import type { Clock, Timer } from '../core/clock';
import type { Logger } from '../core/log';
import { authorization, type Challenge, parseChallenge } from './digest';
import { parseNameAddr, splitValues } from './header-values';
import { nextRegistration, type RegistrationEvent, type RegistrationState } from './registration-state';
import { parseSipUri } from './uri';

export interface RegistrationAccount {
  readonly name: string;
  /** `host`, `host:port` or a SIP URI. */
  readonly registrar: string;
  readonly username: string;
  readonly password: string;
  /** What stands behind the @; the registrar's host if left out. */
  readonly domain?: string | undefined;
  readonly expiresSeconds: number;
}

export interface SentRegister {
  readonly uri: string;
  readonly proxy: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface RegisterOutcome {
  readonly status: number;
  /** Where the answer came from. */
  readonly address: string;
  /** Of the request as it was sent, and of the answer. */
  sent(name: string): string | undefined;
  header(name: string): string | undefined;
}

export interface RegistrationOptions {
  readonly account: RegistrationAccount;
  /** Rejects with `sip.unreachable`. */
  readonly send: (request: SentRegister) => Promise<RegisterOutcome>;
  /** Our port for a transport: what the trunk calls back. */
  readonly localPort: (transport: string | undefined) => number;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly log: Logger;
  /** Below 1. */
  readonly random: () => number;
  readonly cnonce: () => string;
  /** Marks our Contact, so that calls to it are known whatever address they come from. */
  readonly line: string;
}

export interface RegistrationStatus {
  readonly name: string;
  readonly state: RegistrationState;
  readonly registrar: string;
  readonly expiresAt: string | undefined;
  readonly lastStatus: number | undefined;
  /** A code of ours, or the status in words. */
  readonly lastError: string | undefined;
  readonly failures: number;
}

const firstWaitMs = 5_000;
const longestWaitMs = 600_000;
/** Challenge, `stale=true`, 423: a registrar that asks for more than that does not want us. */
const maxRounds = 4;
const removeWithinMs = 2_000;
const longestExpiresSeconds = 86_400;

export class Registration {
  private state: RegistrationState = 'idle';
  private timer: Timer | undefined;
  private challenge: { readonly value: Challenge; readonly proxy: boolean } | undefined;
  private nonceCount = 0;
  private callId: string | undefined;
  private from: string | undefined;
  private sequence = 0;
  private expiresSeconds: number;
  private expiresAtMs: number | undefined;
  private failuresInARow = 0;
  private failures = 0;
  private lastStatus: number | undefined;
  private lastError: string | undefined;
  private readonly seenAt = new Set<string>();

  constructor(private readonly options: RegistrationOptions) {
    this.expiresSeconds = options.account.expiresSeconds;
  }

  get line(): string {
    return this.options.line;
  }

  get name(): string {
    return this.options.account.name;
  }

  /** Addresses the registrar has answered from. */
  get addresses(): ReadonlySet<string> {
    return this.seenAt;
  }

  get status(): RegistrationStatus {
    const { clock, now, account } = this.options;
    const leftMs = this.expiresAtMs === undefined ? undefined : this.expiresAtMs - clock.nowMs();
    return {
      name: account.name,
      state: this.state,
      registrar: account.registrar,
      expiresAt: leftMs === undefined ? undefined : new Date(now().getTime() + leftMs).toISOString(),
      lastStatus: this.lastStatus,
      lastError: this.lastError,
      failures: this.failures,
    };
  }

  start(): void {
    if (this.state !== 'idle') return;
    this.step('start');
    void this.attempt();
  }

  /** Takes the registration back; resolves when that is answered, or after two seconds. */
  async close(): Promise<void> {
    this.timer?.cancel();
    this.step('close');
    if (this.state !== 'removing') return;
    await new Promise<void>((resolve) => {
      const limit = this.options.clock.after(removeWithinMs, resolve);
      void this.exchange(0)
        .catch(() => undefined)
        .then(() => {
          limit.cancel();
          resolve();
        });
    });
    this.step('removed');
  }

  private async attempt(): Promise<void> {
    let retryAfterSeconds = 0;
    try {
      const outcome = await this.exchange(this.expiresSeconds);
      this.lastStatus = outcome.status;
      if (outcome.status >= 200 && outcome.status < 300) {
        this.succeeded(outcome);
        return;
      }
      this.lastError =
        outcome.status === 401 || outcome.status === 407 ? 'sip.registration-refused' : `status ${outcome.status}`;
      retryAfterSeconds = Number(/^[0-9]{1,6}/.exec(outcome.header('retry-after') ?? '')?.[0] ?? 0);
    } catch (error) {
      this.lastStatus = undefined;
      this.lastError = error instanceof Error && 'code' in error ? String(error.code) : 'sip.unreachable';
    }
    this.failed(retryAfterSeconds);
  }

  private succeeded(outcome: RegisterOutcome): void {
    const { clock, random, log } = this.options;
    const { state } = this;
    this.failuresInARow = 0;
    this.lastError = undefined;
    if (outcome.address !== '') this.seenAt.add(outcome.address);
    if (this.seenAt.size > 16) this.seenAt.delete([...this.seenAt][0]!);
    const granted = Math.max(1, Math.min(this.grantedIn(outcome) ?? this.expiresSeconds, longestExpiresSeconds));
    this.expiresAtMs = clock.nowMs() + granted * 1000;
    this.step('ok');
    if (this.state !== 'registered') return;
    if (state === 'trying') log.info('registered at a trunk', { trunk: this.name, seconds: granted });
    this.timer = clock.after(granted * 1000 * (0.5 + 0.35 * random()), () => this.due());
  }

  private failed(retryAfterSeconds: number): void {
    const { clock, random, log } = this.options;
    this.failures++;
    const waitMs =
      Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(this.failuresInARow, 16)) * (0.5 + 0.5 * random());
    this.failuresInARow++;
    this.step('failed');
    if (this.state !== 'waiting') return;
    if (this.failuresInARow === 1) {
      log.warn('the registration at a trunk failed; it is tried again', {
        trunk: this.name,
        code: 'sip.registration-refused',
        because: this.lastError,
      });
    }
    this.timer = clock.after(Math.max(waitMs, Math.min(retryAfterSeconds * 1000, longestWaitMs)), () => this.due());
  }

  private due(): void {
    this.step('due');
    void this.attempt();
  }

  /** One REGISTER, and again as long as the answer says how to do better. */
  private async exchange(expiresSeconds: number): Promise<RegisterOutcome> {
    let wanted = expiresSeconds;
    let answered = false;
    for (let round = 1; ; round++) {
      const outcome = await this.options.send(this.request(wanted));
      this.callId ??= outcome.sent('call-id');
      this.from ??= outcome.sent('from');
      const { status } = outcome;
      if (round === maxRounds) return outcome;
      if (status === 401 || status === 407) {
        const value = parseChallenge(outcome.header(status === 407 ? 'proxy-authenticate' : 'www-authenticate') ?? '');
        // A second challenge that is not about an old nonce means that name or password are wrong.
        if (value === undefined || (answered && !value.stale)) {
          this.challenge = undefined;
          return outcome;
        }
        // A challenge that we answered ahead of time with an old nonce is a first one.
        answered = true;
        this.challenge = { value, proxy: status === 407 };
        this.nonceCount = 0;
      } else if (status === 423 && wanted > 0) {
        const least = Number(/^[0-9]{1,7}$/.exec(outcome.header('min-expires') ?? '')?.[0] ?? 0);
        if (least <= wanted || least > longestExpiresSeconds) return outcome;
        wanted = least;
        this.expiresSeconds = least;
      } else {
        return outcome;
      }
    }
  }

  private request(expiresSeconds: number): SentRegister {
    const { account, line, localPort } = this.options;
    const registrar = /^sips?:/i.test(account.registrar) ? account.registrar : `sip:${account.registrar}`;
    const place = parseSipUri(registrar);
    const domain = account.domain ?? bareHost(registrar);
    const uri = `sip:${domain}`;
    const transport = place?.scheme === 'sips' ? 'tls' : place?.params.get('transport');
    const user = encodeURIComponent(account.username);
    const record = `<sip:${user}@${domain}>`;
    const kind = transport === undefined || transport === 'udp' ? '' : `;transport=${transport}`;
    this.sequence++;
    const headers: Record<string, string> = {
      From: this.from ?? record,
      To: record,
      CSeq: `${this.sequence} REGISTER`,
      Contact: `<sip:${user}@localhost:${localPort(transport)}${kind};line=${line}>;expires=${expiresSeconds}`,
      Expires: String(expiresSeconds),
      ...(this.callId === undefined ? {} : { 'Call-ID': this.callId }),
    };
    if (this.challenge !== undefined) {
      const { value, proxy } = this.challenge;
      this.nonceCount++;
      headers[proxy ? 'Proxy-Authorization' : 'Authorization'] = authorization(
        value,
        account,
        { method: 'REGISTER', uri },
        this.options.cnonce(),
        this.nonceCount,
      );
    }
    return { uri, proxy: registrar, headers };
  }

  /** §10.2.4: what the registrar granted our Contact, by the line that marks it. */
  private grantedIn(outcome: RegisterOutcome): number | undefined {
    for (const text of splitValues(outcome.header('contact') ?? '') ?? []) {
      const contact = parseNameAddr(text);
      if (contact?.uri.includes(`;line=${this.line}`) !== true) continue;
      const stated = contact.params.get('expires');
      if (stated !== undefined && /^[0-9]{1,7}$/.test(stated)) return Number(stated);
    }
    const header = outcome.header('expires');
    return header !== undefined && /^[0-9]{1,7}$/.test(header) ? Number(header) : undefined;
  }

  private step(event: RegistrationEvent): void {
    this.state = nextRegistration(this.state, event);
  }
}

/** Of a SIP URI, without its port: the domain that an account usually has. */
function bareHost(uri: string): string {
  const host = parseSipUri(uri)?.host ?? '';
  return host.includes(':') ? `[${host}]` : host;
}
