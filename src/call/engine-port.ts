/**
 * One call's side of the model process: what a conversation may ask of it, and what it hears back. The router sorts the
 * process's messages by call; messages for calls that are gone are counted and dropped.
 */
import type { FromEngine, ToEngine } from '../inference/protocol';
import type { AnswerInput, Persona } from '../model/omni-model';

/** What the model process says about one call; `failed` without a `callId` is said to all. */
export type EngineMessage = Extract<
  FromEngine,
  { type: 'opened' | 'answer-event' | 'cancelled' | 'listened' | 'failed' }
>;

export interface EnginePort {
  hear(startSample: number, pcm: Int16Array): void;
  answer(turnId: number, input: AnswerInput, speculative: boolean): void;
  promote(turnId: number): void;
  cancel(turnId: number): void;
  listen(requestId: number, fromSample: number, toSample: number): void;
  commit(
    turnId: number,
    turn: { readonly userText: string | undefined; readonly heardText: string; readonly interrupted: boolean },
  ): void;
  onMessage(take: (message: EngineMessage) => void): void;
  /** Idempotent. */
  close(): void;
}

export class EngineRouter {
  private readonly links = new Map<string, EngineLink>();
  private strays = 0;

  constructor(private readonly post: (message: ToEngine) => void) {}

  /** For the process's `onMessage`. */
  receive(message: FromEngine): void {
    if (message.type === 'ready' || message.type === 'warmed' || message.type === 'search') return;
    if (message.callId === undefined) {
      for (const link of this.links.values()) link.receive(message);
      return;
    }
    const link = this.links.get(message.callId);
    if (link === undefined) this.strays += 1;
    else link.receive(message);
  }

  open(callId: string, persona: Persona): EnginePort {
    const link = new EngineLink(callId, this.post, () => this.links.delete(callId));
    this.links.set(callId, link);
    this.post({ type: 'open', callId, persona });
    return link;
  }

  dump(): { readonly calls: number; readonly strays: number } {
    return { calls: this.links.size, strays: this.strays };
  }
}

class EngineLink implements EnginePort {
  private take: (message: EngineMessage) => void = () => undefined;
  private open = true;

  constructor(
    private readonly callId: string,
    private readonly send: (message: ToEngine) => void,
    private readonly forget: () => void,
  ) {}

  receive(message: EngineMessage): void {
    this.take(message);
  }

  onMessage(take: (message: EngineMessage) => void): void {
    this.take = take;
  }

  hear(startSample: number, pcm: Int16Array): void {
    this.post({ type: 'hear', callId: this.callId, startSample, pcm });
  }

  answer(turnId: number, input: AnswerInput, speculative: boolean): void {
    this.post({ type: 'answer', callId: this.callId, turnId, input, speculative });
  }

  promote(turnId: number): void {
    this.post({ type: 'promote', callId: this.callId, turnId });
  }

  cancel(turnId: number): void {
    this.post({ type: 'cancel', callId: this.callId, turnId });
  }

  listen(requestId: number, fromSample: number, toSample: number): void {
    this.post({ type: 'listen', callId: this.callId, requestId, fromSample, toSample });
  }

  commit(
    turnId: number,
    turn: { readonly userText: string | undefined; readonly heardText: string; readonly interrupted: boolean },
  ): void {
    this.post({ type: 'commit', callId: this.callId, turnId, ...turn });
  }

  close(): void {
    if (!this.open) return;
    this.post({ type: 'close', callId: this.callId });
    this.open = false;
    this.forget();
  }

  private post(message: ToEngine): void {
    if (this.open) this.send(message);
  }
}
