/** Who hears whom on a media thread, and what goes across to the other thread for its calls: a browser and a phone that are connected. */
import type { MessagePort } from 'node:worker_threads';
import { sessionOfVoice } from './mix-minus';
import type { BetweenMedia } from './protocol';

export interface VoiceExchangeParts {
  /** Whether that session is one of this thread's. */
  readonly isOurs: (sessionId: string) => boolean;
  readonly hear: (sessionId: string, voice: string, frame: Int16Array, fromAfar: boolean) => void;
}

export class VoiceExchange {
  /** By voice: the sessions of this thread whose far ends hear it. */
  private readonly ears = new Map<string, Set<string>>();
  /** Voices of the other thread that are sent to us, and ours that it wants. */
  private readonly subscribed = new Set<string>();
  private readonly wanted = new Set<string>();
  private neighbour: MessagePort | undefined;

  constructor(private readonly parts: VoiceExchangeParts) {}

  attach(port: MessagePort): void {
    this.neighbour = port;
    port.on('message', (message: BetweenMedia) => this.receive(message));
  }

  /** Whom a session hears from now on. */
  connect(sessionId: string, voices: readonly string[]): void {
    for (const [voice, ears] of this.ears) {
      if (voices.includes(voice) || !ears.delete(sessionId) || ears.size > 0) continue;
      this.ears.delete(voice);
      if (this.subscribed.delete(voice)) this.tell({ type: 'unsubscribe', voice });
    }
    for (const voice of voices) {
      const ears = this.ears.get(voice) ?? new Set();
      this.ears.set(voice, ears.add(sessionId));
      if (this.parts.isOurs(sessionOfVoice(voice)) || this.subscribed.has(voice)) continue;
      this.subscribed.add(voice);
      this.tell({ type: 'subscribe', voice });
    }
  }

  /** Whether anybody hears it, here or on the other thread. */
  isHeard(voice: string): boolean {
    return this.ears.has(voice) || this.wanted.has(voice);
  }

  /** A frame of a voice of ours. */
  say(voice: string, frame: Int16Array): void {
    this.deliver(voice, frame, false);
    // Copied, not transferred: the frame is used again.
    if (this.wanted.has(voice)) this.tell({ type: 'voice', voice, pcm: frame });
  }

  /** It is heard by nobody any more. */
  silence(voice: string): void {
    this.ears.delete(voice);
    this.wanted.delete(voice);
  }

  /** So that the thread can end. */
  close(): void {
    this.ears.clear();
    this.neighbour?.close();
    this.neighbour = undefined;
  }

  private receive(message: BetweenMedia): void {
    if (message.type === 'voice') this.deliver(message.voice, message.pcm, true);
    else if (message.type === 'unsubscribe') this.wanted.delete(message.voice);
    else if (this.parts.isOurs(sessionOfVoice(message.voice))) this.wanted.add(message.voice);
  }

  private deliver(voice: string, frame: Int16Array, fromAfar: boolean): void {
    for (const ear of this.ears.get(voice) ?? []) this.parts.hear(ear, voice, frame, fromAfar);
  }

  private tell(message: BetweenMedia): void {
    this.neighbour?.postMessage(message);
  }
}
