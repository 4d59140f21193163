/**
 * Sorts what a media thread says by session, on the control side, and gives each call a small handle that knows its own
 * session only. Answers to `open-*` become promises.
 */
import { TrunklineError } from '../core/errors';
import type { FromMedia, MediaStats, SocketAddress, ToMedia } from './protocol';

export interface MediaPort {
  post(message: ToMedia, transfer?: readonly ArrayBuffer[]): void;
}

/** Every message that a session may send, and every one that may come back for it. */
export type SessionCommand = Extract<ToMedia, { sessionId: string }>;
export type SessionMessage = Extract<FromMedia, { sessionId: string }>;
type WithoutSession<T> = T extends { sessionId: string } ? Omit<T, 'sessionId'> : never;

export class MediaRouter {
  private readonly sessions = new Map<string, MediaLink>();
  private strays = 0;

  constructor(private readonly port: MediaPort) {}

  /** For the thread's `onMessage`. Messages for sessions that are gone are counted and dropped. */
  receive(message: FromMedia): void {
    if (!('sessionId' in message)) return;
    const link = this.sessions.get(message.sessionId);
    if (link === undefined) {
      this.strays += 1;
      return;
    }
    link.receive(message);
    if (message.type === 'closed') this.sessions.delete(message.sessionId);
  }

  open(sessionId: string): MediaLink {
    const link = new MediaLink(sessionId, this.port);
    this.sessions.set(sessionId, link);
    return link;
  }

  /** The thread is gone: every session has failed. */
  failAll(code: string, message: string): void {
    for (const link of this.sessions.values())
      link.receive({ type: 'failed', sessionId: link.sessionId, code, message });
    this.sessions.clear();
  }

  dump(): { readonly sessions: number; readonly strays: number } {
    return { sessions: this.sessions.size, strays: this.strays };
  }
}

/** One call's media as the control thread holds it. */
export class MediaLink {
  private listener: (message: SessionMessage) => void = () => undefined;
  private settle: ((message: SessionMessage) => void) | undefined;
  private settleRestart: ((answer: string | undefined) => void) | undefined;
  private closing: Promise<MediaStats | undefined> | undefined;
  private resolveClosed: (stats: MediaStats | undefined) => void = () => undefined;

  constructor(
    readonly sessionId: string,
    private readonly port: MediaPort,
  ) {}

  onMessage(listener: (message: SessionMessage) => void): void {
    this.listener = listener;
  }

  post(command: WithoutSession<SessionCommand>, transfer?: readonly ArrayBuffer[]): void {
    this.port.post({ ...command, sessionId: this.sessionId } as SessionCommand, transfer);
  }

  /** Binds an even RTP port; rejects with the thread's code when none is free. */
  async openRtp(bindAddress: string, ports: readonly [number, number]): Promise<SocketAddress> {
    const reply = await this.ask({ type: 'open-rtp', bindAddress, ports });
    if (reply.type !== 'opened') throw unexpected(reply);
    return reply.local;
  }

  async openWebRtc(offer: Omit<Extract<ToMedia, { type: 'open-webrtc' }>, 'type' | 'sessionId'>): Promise<string> {
    const reply = await this.ask({ type: 'open-webrtc', ...offer });
    if (reply.type !== 'webrtc-answer') throw unexpected(reply);
    return reply.answerSdp;
  }

  /** Resolves with our side's fragment; undefined: it cannot be now, or the session has ended. One at a time. */
  restartIce(fragment: string): Promise<string | undefined> {
    if (this.settleRestart !== undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.settleRestart = (answer) => {
        this.settleRestart = undefined;
        resolve(answer);
      };
      this.post({ type: 'webrtc-restart', fragment });
    });
  }

  /** Idempotent; resolves with the session's last statistics when the thread has released its ports. */
  close(): Promise<MediaStats | undefined> {
    this.closing ??= new Promise((resolve) => {
      this.resolveClosed = resolve;
      this.post({ type: 'close' });
    });
    return this.closing;
  }

  receive(message: SessionMessage): void {
    if (message.type === 'webrtc-restarted') {
      this.settleRestart?.(message.fragment);
      return;
    }
    if (message.type === 'closed' || message.type === 'failed') this.settleRestart?.(undefined);
    if (message.type === 'closed') this.resolveClosed(message.stats);
    if (this.settle !== undefined && isReply(message)) {
      const settle = this.settle;
      this.settle = undefined;
      settle(message);
      return;
    }
    if (message.type === 'failed') this.resolveClosed(undefined);
    this.listener(message);
  }

  private ask(command: WithoutSession<SessionCommand>): Promise<SessionMessage> {
    return new Promise((resolve, reject) => {
      this.settle = (message) => {
        if (message.type === 'failed') {
          reject(new TrunklineError(message.code as `${string}.${string}`, message.message));
        } else resolve(message);
      };
      this.post(command);
    });
  }
}

function isReply(message: SessionMessage): boolean {
  return (
    message.type === 'opened' ||
    message.type === 'webrtc-answer' ||
    message.type === 'failed' ||
    message.type === 'closed'
  );
}

function unexpected(reply: SessionMessage): TrunklineError {
  return new TrunklineError('media.closed-early', `The media session ended before it was open (${reply.type}).`, {
    fix: 'Try the call again.',
  });
}
