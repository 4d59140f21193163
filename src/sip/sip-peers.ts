/**
 * Everybody this agent knows by name: the trunks it is registered at, those it takes calls from, and the softphones that
 * register here. Opened beside the user agent, closed before it, so that registrations can be taken back.
 */
import type { Clock } from '../core/clock';
import type { Logger } from '../core/log';
import { admit } from './admission';
import { type DigestAlgorithm, DigestGuard } from './digest-guard';
import { type Caller, FrontDoor, passwordsOf, type TrunkPeer, type UserPeer } from './front-door';
import { type Contact, type RegisterAnswer, type RegisterRequest, Registrar } from './registrar';
import { Registration, type RegistrationAccount, type RegistrationStatus } from './registration';
import type { SrfUserAgent } from './srf-user-agent';
import { type SentOptions, TrunkHealth, type TrunkHealthStatus } from './trunk-health';
import type { IncomingInvite } from './user-agent';

export interface SipPeersOptions {
  readonly trunks: readonly (TrunkPeer & { readonly qualifySeconds?: number | undefined })[];
  readonly users: readonly UserPeer[];
  readonly registrations: readonly RegistrationAccount[];
  /** What callers and softphones are asked in; MD5 if left out. */
  readonly digest?: readonly DigestAlgorithm[];
  readonly clock: Clock;
  readonly now: () => Date;
  readonly log: Logger;
  /** Hexadecimal digits from a cryptographic source. */
  readonly random: (bytes: number) => string;
}

export interface SipPeersStatus {
  readonly registrations: readonly RegistrationStatus[];
  /** Those that are asked by OPTIONS whether they are there. */
  readonly trunks: readonly TrunkHealthStatus[];
  readonly users: readonly { readonly username: string; readonly contacts: number }[];
}

const realm = 'trunkline';

export class SipPeers {
  private readonly guard: DigestGuard;
  private readonly registrar: Registrar;
  private readonly door: FrontDoor;
  private registrations: Registration[] = [];
  private health: TrunkHealth[] = [];

  constructor(private readonly options: SipPeersOptions) {
    const { trunks, users, clock, now, random, digest: algorithms = ['MD5'] } = options;
    this.guard = new DigestGuard({ realm, passwords: passwordsOf(trunks, users), algorithms, clock, random });
    this.registrar = new Registrar({ users: users.map(({ username }) => username), guard: this.guard, clock, now });
    this.door = new FrontDoor({ trunks, users, lines: () => this.registrations, guard: this.guard });
  }

  /** For the user agent; undefined: there are no users, and REGISTER is refused like any method that we do not have. */
  get onRegister(): ((request: RegisterRequest) => RegisterAnswer) | undefined {
    return this.options.users.length === 0 ? undefined : (request) => this.registrar.register(request);
  }

  /** Once the user agent has started. */
  start(userAgent: SrfUserAgent): void {
    const { registrations, clock, now, log, random } = this.options;
    const share = (): number => Number.parseInt(random(4), 16) / 2 ** 32;
    this.registrations = registrations.map(
      (account) =>
        new Registration({
          account,
          send: (request) => userAgent.register(request),
          localPort: (transport = 'udp') =>
            (userAgent.local.find((one) => one.transport === transport) ?? userAgent.local[0])?.port ?? 5060,
          clock,
          now,
          log,
          random: share,
          cnonce: () => random(8),
          line: random(8),
        }),
    );
    for (const registration of this.registrations) registration.start();
    this.health = this.options.trunks.flatMap(({ name, proxy, qualifySeconds }) => {
      if (proxy === undefined || qualifySeconds === undefined) return [];
      const send = (request: SentOptions) => userAgent.askOptions(request);
      return [new TrunkHealth({ trunk: { name, proxy, qualifySeconds }, send, clock, now, log, random: share })];
    });
    for (const one of this.health) one.start();
  }

  /** Undefined: the call has been answered with 401 or 403. */
  admit(invite: IncomingInvite): Caller | undefined {
    return admit(invite, this.door);
  }

  isUser(name: string): boolean {
    return this.registrar.isUser(name);
  }

  contactsOf(username: string): Contact[] {
    return this.registrar.contactsOf(username);
  }

  /** False: it has not answered, and nobody should wait for it. Trunks that are not asked are believed. */
  isUsable(trunk: string): boolean {
    return this.health.find(({ name }) => name === trunk)?.isUsable ?? true;
  }

  get status(): SipPeersStatus {
    return {
      registrations: this.registrations.map(({ status }) => status),
      trunks: this.health.map(({ status }) => status),
      users: this.registrar.summary(),
    };
  }

  get gauges(): Readonly<Record<string, number>> {
    const { registrations, users, trunks } = this.status;
    return {
      trunkline_sip_registrations: registrations.length,
      trunkline_sip_registrations_up: registrations.filter(
        ({ expiresAt, state }) => expiresAt !== undefined && (state === 'registered' || state === 'refreshing'),
      ).length,
      trunkline_sip_register_failures: registrations.reduce((sum, { failures }) => sum + failures, 0),
      trunkline_sip_trunks_asked: trunks.length,
      trunkline_sip_trunks_up: this.health.filter(({ isUsable }) => isUsable).length,
      trunkline_sip_options_missed: trunks.reduce((sum, { missed }) => sum + missed, 0),
      trunkline_sip_contacts: users.reduce((sum, { contacts }) => sum + contacts, 0),
      trunkline_sip_wrong_passwords: this.guard.counters.wrong,
      trunkline_sip_guesses_locked_out: this.guard.counters.lockedOut,
      trunkline_sip_callers_refused: this.door.counters.refused,
    };
  }

  async close(): Promise<void> {
    for (const one of this.health) one.close();
    await Promise.all(this.registrations.map((one) => one.close()));
  }
}
