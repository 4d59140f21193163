/**
 * Where softphones can be reached: the registrar and its table of contacts (RFC 3261 §10.3, the instance rule of RFC 5626
 * §6). Every contact keeps the way its REGISTER came, so that a phone behind NAT or on a WebSocket can be rung.
 */
import type { Clock } from '../core/clock';
import type { DigestGuard } from './digest-guard';
import { parseCSeq, parseNameAddr, splitValues } from './header-values';
import { bracketed, parseSipUri } from './uri';
import type { SipSource } from './user-agent';

export interface RegisterRequest {
  readonly uri: string;
  readonly source: SipSource;
  header(name: string): string | undefined;
}

export interface RegisterAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What it takes to ring a softphone. */
export interface Contact {
  readonly uri: string;
  /** The place, or the connection, that its REGISTER came from. */
  readonly proxy: string;
  readonly expiresInSeconds: number;
}

export interface RegistrarOptions {
  readonly users: readonly string[];
  readonly guard: DigestGuard;
  readonly clock: Clock;
  readonly now: () => Date;
}

interface Binding {
  readonly uri: string;
  readonly key: string;
  readonly proxy: string;
  readonly callId: string;
  readonly sequence: number;
  readonly expiresAtMs: number;
}

const usualSeconds = 3600;
const shortestSeconds = 60;
const longestSeconds = 7200;
/** A person has a handful of phones; the next one is refused. */
const maxContacts = 10;

export class Registrar {
  private readonly bindings = new Map<string, Binding[]>();
  readonly counters = { registered: 0, removed: 0, refused: 0 };

  constructor(private readonly options: RegistrarOptions) {}

  isUser(username: string): boolean {
    return this.options.users.includes(username);
  }

  /** The latest first; none: nobody has registered by that name. */
  contactsOf(username: string): Contact[] {
    const nowMs = this.options.clock.nowMs();
    return this.live(username)
      .map(({ uri, proxy, expiresAtMs }) => ({
        uri,
        proxy,
        expiresInSeconds: Math.max(1, Math.round((expiresAtMs - nowMs) / 1000)),
      }))
      .reverse();
  }

  /** How many contacts each user has. */
  summary(): { readonly username: string; readonly contacts: number }[] {
    return this.options.users.map((username) => ({ username, contacts: this.live(username).length }));
  }

  /** Nothing is told to who has not proved to be a user: unknown names and wrong passwords look the same. */
  register(request: RegisterRequest): RegisterAnswer {
    const { guard } = this.options;
    const verdict = guard.check(
      request.header('authorization'),
      { method: 'REGISTER', uri: request.uri },
      request.source.address,
    );
    if (verdict.kind !== 'passed' || !this.isUser(verdict.username)) {
      return this.refuse(401, {
        'WWW-Authenticate': guard.challenge(request.source.address, verdict.kind === 'stale'),
      });
    }
    const record = parseSipUri(parseNameAddr(request.header('to') ?? '')?.uri ?? '');
    // §10.3, step 4: who one is says for whom one may register.
    if (record?.user !== verdict.username) return this.refuse(403);
    return this.bind(verdict.username, request);
  }

  private bind(username: string, request: RegisterRequest): RegisterAnswer {
    const callId = request.header('call-id') ?? '';
    const sequence = parseCSeq(request.header('cseq') ?? '')?.number ?? 0;
    const contacts = splitValues(request.header('contact') ?? '')?.filter((one) => one !== '') ?? [];
    const stated = wholeSeconds(request.header('expires'));
    const held = this.live(username);
    // §10.3, step 7: an older request of the same phone must not undo a newer one.
    const isLate = (one: Binding): boolean => one.callId === callId && one.sequence >= sequence;

    if (contacts.includes('*')) {
      if (contacts.length > 1 || stated !== 0) return this.refuse(400);
      if (held.some(isLate)) return this.refuse(500);
      this.counters.removed += held.length;
      this.bindings.delete(username);
      return this.ok(username);
    }
    let next = held;
    for (const text of contacts) {
      const contact = parseNameAddr(text);
      const uri = parseSipUri(contact?.uri ?? '');
      if (contact === undefined || uri === undefined) return this.refuse(400);
      const seconds = wholeSeconds(contact.params.get('expires')) ?? stated ?? usualSeconds;
      if (seconds > 0 && seconds < shortestSeconds) {
        return this.refuse(423, { 'Min-Expires': String(shortestSeconds) });
      }
      const instance = contact.params.get('+sip.instance');
      const key = instance === undefined ? contact.uri : `${instance} ${contact.params.get('reg-id') ?? ''}`;
      const before = next.find((one) => one.key === key || one.uri === contact.uri);
      if (before !== undefined && isLate(before)) return this.refuse(500);
      next = next.filter((one) => one !== before);
      if (seconds === 0) {
        this.counters.removed += before === undefined ? 0 : 1;
        continue;
      }
      if (next.length >= maxContacts) return this.refuse(403);
      this.counters.registered++;
      next = [
        ...next,
        {
          uri: contact.uri,
          key,
          proxy: wayBack(request.source),
          callId,
          sequence,
          expiresAtMs: this.options.clock.nowMs() + Math.min(seconds, longestSeconds) * 1000,
        },
      ];
    }
    if (next.length > 0) this.bindings.set(username, next);
    else this.bindings.delete(username);
    return this.ok(username);
  }

  private ok(username: string): RegisterAnswer {
    const contacts = this.contactsOf(username).map(
      ({ uri, expiresInSeconds }) => `<${uri}>;expires=${expiresInSeconds}`,
    );
    const headers: Record<string, string> = { Date: this.options.now().toUTCString() };
    if (contacts.length > 0) headers['Contact'] = contacts.join(', ');
    return { status: 200, headers };
  }

  private refuse(status: number, headers: Readonly<Record<string, string>> = {}): RegisterAnswer {
    this.counters.refused++;
    return { status, headers };
  }

  private live(username: string): Binding[] {
    const nowMs = this.options.clock.nowMs();
    const held = this.bindings.get(username) ?? [];
    return held.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  }
}

/** RFC 3261 §20.19: what is no number counts as an hour. */
function wholeSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^[0-9]{1,10}$/.test(text) ? Number(text) : usualSeconds;
}

function wayBack({ address, port, transport }: SipSource): string {
  return `sip:${bracketed(address)}:${port};transport=${transport}`;
}
