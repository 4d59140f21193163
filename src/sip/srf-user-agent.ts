/**
 * SipUserAgent over drachtio-srf: one code path for a real drachtio-server and for the embedded endpoint, which is
 * started here when no server is named (RFC 3261 §8, §11, §13).
 */
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { OverheardSip } from '../core/call-trace';
import type { Clock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { Logger } from '../core/log';
import { ControlLiveness } from './control-liveness';
import type { Account } from './digest';
import { type EmbeddedEndpoint, openEmbeddedEndpoint } from './embedded/embedded-endpoint';
import { openTransports } from './embedded/open-transports';
import type { NameServer } from './embedded/resolver';
import type { BaseTimers } from './embedded/sip-timers';
import type { TlsCredentials, TlsFiles } from './embedded/tls-credentials';
import type { SipTransport, TransportName } from './embedded/transport';
import { forkDial } from './fork-dial';
import { localAddressFor } from './local-address';
import type { RegisterAnswer, RegisterRequest } from './registrar';
import type { RegisterOutcome, SentRegister } from './registration';
import {
  answerSessionTimer,
  defaultSessionTimer,
  type SessionTimerAgreement,
  type SessionTimerSettings,
} from './session-timer';
import { SrfSipDialog } from './srf-dialog';
import { acceptsSdp, allowedMethods, bodyIsSdp, sdpType, supportedHeader, unsupportedExtensions } from './srf-headers';
import { SrfIncomingInvite, transportOf } from './srf-incoming-invite';
import { dialOut } from './srf-outgoing-invite';
import { answerRegister, sendOptions, sendRegister } from './srf-register';
import { createSrf, type Srf, type SrfDialog, type SrfRequest, type SrfResponse } from './srf-types';
import type { IncomingInvite, OutgoingInvite, SipDialog, SipSource, SipUserAgent } from './user-agent';

export interface SrfUserAgentOptions {
  /** `host` '*': every IPv4 address, and every IPv6 one where the machine has any. */
  readonly listen: { readonly host: string; readonly port: number };
  /** What the embedded endpoint listens on; UDP and TCP if left out. */
  readonly protocols?: readonly TransportName[];
  /** Where a transport does not listen at its usual distance from `listen.port`. */
  readonly ports?: Readonly<Partial<Record<TransportName, number | undefined>>>;
  /** For TLS and secure WebSocket. */
  readonly tls?: TlsFiles | undefined;
  /** The machine's own if left out. */
  readonly names?: NameServer | undefined;
  readonly advertised?: string;
  /** A real drachtio-server; without it the embedded endpoint listens. */
  readonly drachtio?: { readonly host: string; readonly port: number; readonly secret: string };
  readonly clock: Clock;
  readonly log: Logger;
  readonly userAgentName: string;
  /** False: drop the request without an answer (scanners). Asked once per new request; embedded endpoint only. */
  readonly admit?: (source: SipSource) => boolean;
  /** False: drop the message unread. Embedded endpoint only, as `shun`. */
  readonly hear?: (source: SipSource) => boolean;
  /** True: drop requests of such a User-Agent without an answer. */
  readonly shun?: (userAgent: string | undefined) => boolean;
  /** Told of every SIP message; embedded endpoint only. */
  readonly overhear?: ((message: OverheardSip) => void) | undefined;
  /** RFC 4028; 30 minutes, and nothing below 90 s, if left out. */
  readonly sessionTimer?: SessionTimerSettings | undefined;
  /** The registrar; without one REGISTER is refused with 405. */
  readonly onRegister?: (request: RegisterRequest) => RegisterAnswer;
  /** Headers that prove who calls, for an outgoing call. */
  readonly signedHeaders?: (call: OutgoingInvite) => Readonly<Record<string, string>>;
  /** After how many seconds a call may be sent to us again, when none can be taken now. */
  readonly full?: () => number | undefined;
  /** For tests; the RFC's values otherwise. */
  readonly timers?: BaseTimers;
  readonly transports?: readonly SipTransport[];
}

const connectWithinMs = 10_000;
const answeredElsewhere = ['REGISTER', 'SUBSCRIBE', 'NOTIFY', 'REFER', 'MESSAGE', 'PUBLISH', 'INFO', 'UPDATE'];

export class SrfUserAgent implements SipUserAgent {
  private readonly srf: Srf = createSrf();
  private readonly liveness: ControlLiveness;
  private readonly dialogs = new Set<SrfSipDialog>();
  private embedded: EmbeddedEndpoint | undefined;
  private credentials: TlsCredentials | undefined;
  private addresses: readonly SipSource[] = [];
  private inviteHandler: ((invite: IncomingInvite) => void) | undefined;
  private retryAfterSeconds: number | undefined;
  private state: 'idle' | 'started' | 'stopped' = 'idle';
  private readonly counters = {
    invitesIn: 0,
    invitesRefused: 0,
    invitesOut: 0,
    optionsIn: 0,
    otherMethodsRefused: 0,
    controlConnectionsLost: 0,
  };

  constructor(private readonly options: SrfUserAgentOptions) {
    this.liveness = new ControlLiveness(() => this.srf.app.client, options.clock);
  }

  get local(): readonly SipSource[] {
    return this.addresses;
  }

  async start(): Promise<void> {
    const { drachtio, clock, log, advertised, timers, admit, hear, shun, overhear, listen } = this.options;
    this.srf.use('invite', (request, response) => this.onInviteRequest(request, response));
    this.srf.use('options', (request, response) => this.onOptions(request, response));
    for (const method of answeredElsewhere) {
      this.srf.use(method.toLowerCase(), (request, response) => this.onOtherMethod(request, response));
    }
    // A real server answers PRACK itself and tells us of it.
    this.srf.use('prack', () => undefined);
    this.srf.on('error', (error) => log.warn('The SIP control connection has a problem', { error }));
    this.srf.on('close', () => this.onConnectionLost());
    if (drachtio === undefined) {
      const { ports, tls, names, protocols = ['udp', 'tcp'] } = this.options;
      const opened = openTransports({ ...listen, ports, protocols, tls }, clock, log);
      this.credentials = opened.credentials;
      const transports = this.options.transports ?? opened.transports;
      const guard = { admit, hear, shun, overhear };
      this.embedded = await openEmbeddedEndpoint({ transports, clock, log, advertised, timers, ...guard, names });
    }
    try {
      const hostPorts = await this.connect(drachtio ?? this.embedded?.control);
      this.addresses = this.embedded?.local ?? parseHostPorts(hostPorts);
      this.state = 'started';
      this.liveness.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  private connect(
    server: { readonly host: string; readonly port: number; readonly secret: string } | undefined,
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      if (server === undefined) throw new Error('no endpoint to connect to');
      const failed = (code: 'sip.drachtio-unreachable' | 'sip.drachtio-refused', cause?: unknown): void => {
        timer.cancel();
        const sentence =
          code === 'sip.drachtio-refused' ? 'drachtio-server refused our secret.' : 'drachtio-server does not answer.';
        const fix = 'Check sip.drachtio and sip.drachtioSecret, or leave both out to use the embedded endpoint.';
        reject(new TrunklineError(code, sentence, { fix, cause, details: { host: server.host, port: server.port } }));
      };
      const timer = this.options.clock.after(connectWithinMs, () => failed('sip.drachtio-unreachable'));
      this.srf.on('connect', (error, hostPorts) => {
        timer.cancel();
        if (error) failed('sip.drachtio-refused', error);
        else resolve(hostPorts ?? '');
      });
      this.srf.connect({
        host: server.host,
        port: server.port,
        secret: server.secret,
        reconnect: { retryMaxDelay: 5000 },
      });
    });
  }

  onInvite(run: (invite: IncomingInvite) => void): void {
    this.inviteHandler = run;
  }

  async invite(given: OutgoingInvite): Promise<{ readonly dialog: SipDialog; readonly answerSdp: string }> {
    this.counters.invitesOut++;
    const { userAgentName } = this.options;
    const call = { ...given, headers: { ...given.headers, ...this.options.signedHeaders?.(given) } };
    const dial = (one: OutgoingInvite) => dialOut(this.srf, one, { userAgentName, cnonce, timer: this.timer });
    const { dialog, answerSdp, timer } =
      call.places === undefined
        ? await dial(call)
        : await forkDial(
            call.places,
            ({ to, proxy }, signal) => dial({ ...call, to, signal, ...(proxy === undefined ? {} : { proxy }) }),
            (late) => late.dialog.request({ method: 'BYE' }, () => {}),
            call.signal,
          );
    return { dialog: this.adopt(dialog, 'uac', timer, call.auth), answerSdp };
  }

  /** Rejects with `sip.unreachable` when no network gave an answer. */
  register(request: SentRegister): Promise<RegisterOutcome> {
    return sendRegister(this.srf, request, this.options.userAgentName);
  }

  /** OPTIONS outside any call; rejects like `register`. */
  askOptions(request: SentRegister): Promise<RegisterOutcome> {
    return sendOptions(this.srf, request, this.options.userAgentName);
  }

  localAddressFor(peerAddress: string): string {
    const bound = this.addresses[0]?.address ?? this.options.listen.host;
    return localAddressFor(peerAddress, {
      bound,
      advertised: this.options.advertised,
      interfaces: networkInterfaces(),
    });
  }

  /** Certificates that were renewed are taken up now. False: they cannot be used, and the old ones stay. */
  reloadCertificates(): boolean {
    return this.credentials?.reload() ?? true;
  }

  drain(retryAfterSeconds: number): void {
    this.retryAfterSeconds = retryAfterSeconds;
  }

  async stop(): Promise<void> {
    if (this.state === 'stopped') return;
    this.state = 'stopped';
    this.liveness.stop();
    // Their session timers would go on for half an hour.
    for (const dialog of [...this.dialogs]) dialog.lost('the SIP endpoint was stopped');
    const agent = this.srf.app.client;
    if (agent !== undefined) {
      // Not to be taken for a loss: the library would connect again.
      agent.wp.closing = true;
      for (const socket of agent.mapServer.keys()) socket.destroy();
    }
    await this.embedded?.stop();
    this.credentials?.close();
  }

  dump(): Readonly<Record<string, unknown>> {
    return {
      ...this.counters,
      dialogs: this.dialogs.size,
      draining: this.retryAfterSeconds !== undefined,
      liveness: { ...this.liveness.counters },
      embedded: this.embedded?.dump(),
    };
  }

  private onInviteRequest(request: SrfRequest, response: SrfResponse): void {
    this.counters.invitesIn++;
    const refusal = this.refusalOf(request);
    if (refusal !== undefined || this.inviteHandler === undefined) {
      this.counters.invitesRefused++;
      response.send(refusal?.status ?? 480, { headers: { ...refusal?.headers } });
      return;
    }
    this.inviteHandler(
      new SrfIncomingInvite(this.srf, request, response, {
        adopt: (dialog, timer) => this.adopt(dialog, 'uas', timer),
        userAgentName: this.options.userAgentName,
        timer: this.timer,
      }),
    );
  }

  /** RFC 3261 §8.2.2 and §8.2.3: what keeps us from even looking at the call. */
  private refusalOf(
    request: SrfRequest,
  ): { readonly status: number; readonly headers?: Record<string, string> } | undefined {
    const unsupported = unsupportedExtensions(request.get('require'));
    if (unsupported.length > 0) return { status: 420, headers: { Unsupported: unsupported.slice(0, 10).join(', ') } };
    if (!bodyIsSdp(request)) return { status: 415, headers: { Accept: sdpType, 'Accept-Encoding': 'identity' } };
    if (!acceptsSdp(request)) return { status: 406 };
    if ((request.get('contact') ?? '') === '') return { status: 400 };
    const timer = answerSessionTimer(this.timer, request);
    if (timer.kind === 'too-small') return { status: 422, headers: timer.headers };
    if (this.retryAfterSeconds !== undefined) {
      return { status: 503, headers: { 'Retry-After': String(this.retryAfterSeconds) } };
    }
    return undefined;
  }

  private onOptions(request: SrfRequest, response: SrfResponse): void {
    this.counters.optionsIn++;
    const unsupported = unsupportedExtensions(request.get('require'));
    if (unsupported.length > 0) {
      response.send(420, { headers: { Unsupported: unsupported.slice(0, 10).join(', ') } });
      return;
    }
    const headers: Record<string, string> = {
      Allow: allowedMethods,
      Accept: sdpType,
      'Accept-Encoding': 'identity',
      Supported: supportedHeader,
    };
    // As an INVITE would be answered (RFC 3261 §11.2): a dispatcher in front takes us out, and asks again.
    const retryAfterSeconds = this.retryAfterSeconds ?? this.options.full?.();
    if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
    response.send(retryAfterSeconds === undefined ? 200 : 503, { headers });
  }

  private onOtherMethod(request: SrfRequest, response: SrfResponse): void {
    const { onRegister } = this.options;
    if (request.method === 'REGISTER' && onRegister !== undefined && request.get('require') === undefined) {
      answerRegister(request, response, onRegister);
      return;
    }
    this.counters.otherMethodsRefused++;
    response.send(405, { headers: { Allow: allowedMethods } });
  }

  private get timer(): SessionTimerSettings {
    return this.options.sessionTimer ?? defaultSessionTimer;
  }

  private adopt(
    dialog: SrfDialog,
    role: 'uas' | 'uac',
    timerAgreed: SessionTimerAgreement | undefined,
    credentials?: Account,
  ): SrfSipDialog {
    const adopted = new SrfSipDialog({
      srf: this.srf,
      dialog,
      role,
      clock: this.options.clock,
      log: this.options.log,
      random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
      cnonce,
      credentials,
      timer: this.timer,
      timerAgreed,
      onClosed: (closed) => this.dialogs.delete(closed),
    });
    if (!adopted.over) this.dialogs.add(adopted);
    return adopted;
  }

  private onConnectionLost(): void {
    if (this.state !== 'started') return;
    this.counters.controlConnectionsLost++;
    for (const dialog of [...this.dialogs]) dialog.lost('the SIP control connection was lost');
  }
}

function cnonce(): string {
  return randomBytes(8).toString('hex');
}

/** `udp/192.0.2.1:5060,tcp/[2001:db8::1]:5060`, as a server announces itself. */
export function parseHostPorts(text: string): SipSource[] {
  const sources: SipSource[] = [];
  for (const piece of text.split(',').slice(0, 32)) {
    const match = /^(?:([a-z]{2,3})\/)?\[?([0-9A-Za-z.:_-]+?)\]?:([0-9]{1,5})$/.exec(piece.trim());
    if (match === null) continue;
    sources.push({ transport: transportOf(match[1] ?? 'udp'), address: match[2] ?? '', port: Number(match[3]) });
  }
  return sources;
}
