/** The part of drachtio-srf that we use, typed by what it does: its own declarations miss most of this. */
import drachtioSrf from 'drachtio-srf';

export interface SrfRequest {
  readonly method: string;
  readonly uri: string;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocol: string;
  readonly source: string;
  readonly source_address: string;
  readonly source_port: number;
  readonly stackDialogId: string | undefined;
  get(name: string): string | undefined;
  on(event: 'cancel', run: (cancel: SrfMessage) => void): void;
  /** An UPDATE while the INVITE has no final response. */
  on(event: 'update', run: (update: SrfRequest, response: SrfResponse) => void): void;
  /** Of a request that we sent: provisional ones too. */
  on(event: 'response', run: (response: SrfResponse) => void): void;
  removeAllListeners(event: 'update'): void;
  cancel(done?: (error?: unknown) => void): void;
}

export interface SrfMessage {
  get(name: string): string | undefined;
}

export interface SrfSendOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface SrfResponse {
  readonly status: number;
  readonly reason: string | undefined;
  readonly body: string | undefined;
  readonly req: SrfRequest;
  /** '' when no network gave the answer (embedded endpoint). */
  readonly source_address: string;
  readonly finalResponseSent: boolean;
  get(name: string): string | undefined;
  send(status: number, options?: SrfSendOptions, done?: (error?: unknown) => void): void;
}

export interface SrfDialog {
  readonly id: string;
  connected: boolean;
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly req: SrfRequest;
  readonly res: SrfResponse;
  /** Called by the library for every request inside the dialog; srf-dialog.ts puts its own in front. */
  handle(request: SrfRequest, response: SrfResponse): void;
  /** With a callback: runs once for each response, provisional ones too. */
  request(
    options: { readonly method: string; readonly headers?: Record<string, string>; readonly body?: string },
    done: (error: unknown, response?: SrfResponse) => void,
  ): void;
  on(event: 'ack', run: (request: SrfRequest) => void): void;
  on(event: 'destroy', run: (request: SrfRequest | undefined, reason?: string) => void): void;
}

export interface SrfCreateUacOptions {
  readonly localSdp: string;
  readonly proxy?: string;
  readonly headers: Record<string, string>;
}

/** Rejections of createUAC carry the response when there was one. */
export interface SrfFailure {
  readonly status?: number;
  readonly res?: SrfResponse;
  readonly code?: string;
}

export interface SrfSocket {
  readonly destroyed: boolean;
  destroy(): void;
}

export interface SrfAgent {
  readonly mapServer: ReadonlyMap<
    SrfSocket,
    { readonly authenticated: boolean; readonly pendingRequests: Map<string, (token: readonly string[]) => void> }
  >;
  readonly wp: { send(socket: SrfSocket, message: string): string; closing?: boolean };
}

export type SrfMiddleware = (request: SrfRequest, response: SrfResponse) => void;

export interface Srf {
  readonly app: { readonly client?: SrfAgent };
  connect(options: {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
    readonly reconnect: { readonly retryMaxDelay: number };
  }): void;
  disconnect(): void;
  use(method: string, run: SrfMiddleware): void;
  on(
    event: 'connect',
    run: (error: unknown, hostPorts?: string, version?: string, localHostPorts?: string) => void,
  ): void;
  on(event: 'error' | 'close' | 'reconnecting', run: (...details: unknown[]) => void): void;
  createUAS(
    request: SrfRequest,
    response: SrfResponse,
    options: { readonly localSdp: string; readonly headers: Record<string, string> },
  ): Promise<SrfDialog>;
  createUAC(
    uri: string,
    options: SrfCreateUacOptions,
    progress: {
      readonly cbRequest: (error: unknown, request?: SrfRequest) => void;
      readonly cbProvisional: (response: SrfResponse) => void;
    },
  ): Promise<SrfDialog>;
  /** Outside any dialog. */
  request(
    uri: string,
    options: { readonly method: string; readonly headers: Record<string, string>; readonly proxy?: string },
    done: (error: unknown, request?: SrfRequest) => void,
  ): void;
  removeDialog(dialog: SrfDialog): void;
}

/** The one place where the library's own types are set aside. */
export function createSrf(): Srf {
  const Constructor = drachtioSrf as unknown as new () => Srf;
  return new Constructor();
}
