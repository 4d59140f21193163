/**
 * The softphone's line without an agent: page, WHIP endpoint and a media thread, each the real one, on free ports. The
 * number says what is heard: `echo`, or `tone`.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import express from 'express';

import { type ErrorCode, TrunklineError } from '../../src/core/errors';
import { silentLogger } from '../../src/core/log';
import { answerWithProblem } from '../../src/http/problem';
import { whipRouter } from '../../src/http/whip';
import { MediaThread } from '../../src/media/media-thread';
import type { FromMedia, MediaSource, ToMedia } from '../../src/media/protocol';
import { workerEntry } from '../../src/workers/locate';

export interface SoftphoneLineOptions {
  readonly toneHz?: number;
  /** Refuses every call with this code. */
  readonly refuse?: TrunklineError;
}

export class SoftphoneLine {
  readonly messages: FromMedia[] = [];
  private readonly waiting = new Map<string, (message: FromMedia) => void>();
  private calls = 0;

  private constructor(
    private readonly server: Server,
    private readonly thread: MediaThread,
  ) {}

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/`;
  }

  static async start(options: SoftphoneLineOptions = {}): Promise<SoftphoneLine> {
    const thread = MediaThread.start({
      name: 'webrtc',
      entry: workerEntry('media'),
      onMessage: (message) => line.onMessage(message),
    });
    const app = express();
    const server = createServer(app);
    const line = new SoftphoneLine(server, thread);
    app.get('/readyz', (_request, response) => void response.json({ ready: true }));
    app.use(
      '/whip',
      whipRouter({
        authorise: () => true,
        placeCall: async (number, offerSdp) => {
          if (options.refuse !== undefined) throw options.refuse;
          return line.place(number, offerSdp, options.toneHz ?? 1000);
        },
        patch: (sessionId, fragment) => line.post({ type: 'webrtc-candidates', sessionId, fragment }),
        restart: (sessionId, fragment) => line.restart(sessionId, fragment),
        hangup: (sessionId) => line.post({ type: 'close', sessionId }),
      }),
    );
    app.use(express.static(path.join(__dirname, '../../src/http/page')));
    app.use(answerWithProblem(silentLogger));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  post(message: ToMedia): void {
    this.thread.post(message);
  }

  /** The newest call's session. */
  get sessionId(): string {
    return `call-${this.calls}`;
  }

  sendEvent(event: object): void {
    this.post({ type: 'send-event', sessionId: this.sessionId, json: JSON.stringify(event) });
  }

  async until(check: (message: FromMedia) => boolean): Promise<FromMedia> {
    for (let attempt = 0; attempt < 500; attempt += 1) {
      const found = this.messages.find(check);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`The media thread said only ${this.messages.map(({ type }) => type).join(', ')}.`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await this.thread.close();
  }

  private async restart(sessionId: string, fragment: string): Promise<string | undefined> {
    const earlier = this.messages.length;
    this.post({ type: 'webrtc-restart', sessionId, fragment });
    const answer = await this.until((message) => {
      return message.type === 'webrtc-restarted' && this.messages.indexOf(message) >= earlier;
    });
    return answer.type === 'webrtc-restarted' ? answer.fragment : undefined;
  }

  private async place(number: string, offerSdp: string, toneHz: number): Promise<{ id: string; answerSdp: string }> {
    this.calls += 1;
    const { sessionId } = this;
    const answered = new Promise<FromMedia>((resolve) => this.waiting.set(sessionId, resolve));
    this.post({
      type: 'open-webrtc',
      sessionId,
      offerSdp,
      iceServers: [],
      advertised: ['127.0.0.1'],
      ports: [33_000, 33_999],
      timeoutMs: 30_000,
    });
    const source: MediaSource =
      number === 'tone' ? { kind: 'tone', frequencyHz: toneHz, levelDbm0: -10 } : { kind: 'echo' };
    const answer = await answered;
    if (answer.type === 'failed') throw new TrunklineError(answer.code as ErrorCode, answer.message);
    if (answer.type !== 'webrtc-answer') throw new Error(`The call was answered by ${answer.type}.`);
    this.post({ type: 'source', sessionId, source });
    return { id: sessionId, answerSdp: answer.answerSdp };
  }

  private onMessage(message: FromMedia): void {
    this.messages.push(message);
    if (!('sessionId' in message) || (message.type !== 'webrtc-answer' && message.type !== 'failed')) return;
    this.waiting.get(message.sessionId)?.(message);
    this.waiting.delete(message.sessionId);
  }
}
