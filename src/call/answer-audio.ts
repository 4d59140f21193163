/**
 * Audio of answers on its way from the engine to the caller: kept back while an answer is only on trial, passed on once
 * it is released. Bounded; what does not fit is dropped and counted.
 */
import { durationMsOf, type SpokenChunk } from './spoken-prompts';

const MAX_HELD_MS = 60_000;

interface Held {
  readonly chunks: SpokenChunk[];
  heldMs: number;
  released: boolean;
}

export class AnswerAudio {
  private readonly turns = new Map<number, Held>();
  droppedMs = 0;

  constructor(private readonly play: (turnId: number, chunk: SpokenChunk) => void) {}

  /** From here on audio of this turn is wanted. */
  expect(turnId: number): void {
    if (!this.turns.has(turnId)) this.turns.set(turnId, { chunks: [], heldMs: 0, released: false });
  }

  expects(turnId: number): boolean {
    return this.turns.has(turnId);
  }

  push(turnId: number, chunk: SpokenChunk): void {
    const held = this.turns.get(turnId);
    if (held === undefined) return;
    if (held.released) {
      this.play(turnId, chunk);
      return;
    }
    const durationMs = durationMsOf(chunk);
    if (held.heldMs + durationMs > MAX_HELD_MS) {
      this.droppedMs += durationMs;
      return;
    }
    held.heldMs += durationMs;
    held.chunks.push(chunk);
  }

  release(turnId: number): void {
    const held = this.turns.get(turnId);
    if (held === undefined || held.released) return;
    held.released = true;
    for (const chunk of held.chunks.splice(0)) this.play(turnId, chunk);
  }

  forget(turnId: number): void {
    this.turns.delete(turnId);
  }

  clear(): void {
    this.turns.clear();
  }
}
