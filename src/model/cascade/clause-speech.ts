/** A voice that reads whole texts, fed while an answer is written: clause by clause, the first as early as it is whole. */
import type { StreamedSpeech, Voice, VoiceChunk } from '../parts';
import { ClauseSplitter } from '../text/clause-splitter';
import type { OwnWords } from '../text/own-words';

export class ClauseSpeech implements StreamedSpeech {
  private readonly splitter = new ClauseSplitter();
  private readonly clauses: string[] = [];
  private speaking: AsyncIterator<VoiceChunk> | undefined;

  constructor(
    private readonly voice: Voice,
    private readonly own?: OwnWords,
  ) {}

  push(delta: string): void {
    this.clauses.push(...this.splitter.push(delta));
  }

  end(): void {
    this.clauses.push(...this.splitter.flush());
  }

  async next(signal: AbortSignal): Promise<VoiceChunk | undefined> {
    for (;;) {
      if (this.speaking === undefined) {
        const clause = this.clauses.shift();
        if (clause === undefined) return undefined;
        this.speaking = this.voice.synthesise(clause, signal, this.own)[Symbol.asyncIterator]();
      }
      const chunk = await this.speaking.next();
      signal.throwIfAborted();
      if (chunk.done !== true) return chunk.value;
      this.speaking = undefined;
    }
  }

  async close(): Promise<void> {
    await this.speaking?.return?.();
    this.speaking = undefined;
  }
}
