/**
 * Keeps the audio of sentences that are said again and again word for word (greetings, fallbacks), so that a caller
 * hears the greeting with the first packet. The voice makes them; nothing here is recorded ahead.
 */
import type { Voice, VoiceChunk } from '../parts';

const MAX_SENTENCES = 64;
const MAX_CHARACTERS = 400;

export class SpokenCache {
  private readonly sentences = new Map<string, readonly VoiceChunk[]>();

  async *speak(voice: Voice, text: string, signal: AbortSignal): AsyncGenerator<VoiceChunk> {
    const known = this.sentences.get(text);
    if (known !== undefined) {
      // Move to the young end: the oldest unused sentence is the one that goes.
      this.sentences.delete(text);
      this.sentences.set(text, known);
      yield* known;
      return;
    }
    const chunks: VoiceChunk[] = [];
    for await (const chunk of voice.synthesise(text, signal)) {
      chunks.push(chunk);
      yield chunk;
    }
    // An aborted sentence is not whole and must not be kept.
    if (signal.aborted || text.length > MAX_CHARACTERS) return;
    this.sentences.set(text, chunks);
    const oldest = this.sentences.keys().next();
    if (this.sentences.size > MAX_SENTENCES && oldest.done !== true) this.sentences.delete(oldest.value);
  }
}
