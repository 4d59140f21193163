/**
 * Our own LLaMA-Omni voice: the trunk's text and states as they come, to units, to sound. Any other text can be spoken
 * too: without states it is read as the words alone suggest.
 */
import { openModelFolder } from '../manifest';
import { Speech } from '../omni/omni-voice';
import { WordStream } from '../omni/word-stream';
import type { Pace } from '../omni-model';
import type { Voice, VoiceChunk } from '../parts';
import type { PhonemeIdMap } from '../piper/phoneme-ids';
import { voiceParameters } from '../piper/vits-graphs';
import type { OwnWords } from '../text/own-words';
import { Pronouncer } from '../text/pronouncer';
import { UnitSentence } from './unit-sentence';
import { UnitVoiceGraphs } from './unit-voice-graphs';

export interface UnitVoiceOptions {
  readonly voiceFolder: string;
  /** The Piper voice whose latents the units were found in: its generator and its symbols. */
  readonly generatorFolder: string;
  readonly pronunciationFolder: string;
  readonly threads?: number;
}

export class UnitVoice implements Voice {
  private constructor(
    private readonly graphs: UnitVoiceGraphs,
    private readonly pronouncer: Pronouncer,
    private readonly symbols: PhonemeIdMap,
  ) {}

  static async open(options: UnitVoiceOptions): Promise<UnitVoice> {
    const generator = await openModelFolder(options.generatorFolder);
    const { phonemeIds } = generator.parameters(voiceParameters);
    const graphs = await UnitVoiceGraphs.open(await openModelFolder(options.voiceFolder), generator, options.threads);
    try {
      return new UnitVoice(graphs, await Pronouncer.open(options.pronunciationFolder), phonemeIds);
    } catch (error) {
      await graphs.close();
      throw error;
    }
  }

  get sampleRate(): number {
    return this.graphs.parameters.sampleRate;
  }

  /** A new answer, to be fed while it is spoken. It waits for no step of the language model, so the pace does not matter. */
  begin(_pace?: Pace, own?: OwnWords): Speech {
    const stream = new WordStream(this.pronouncer, this.graphs.parameters.lookAheadWords, own);
    return new Speech((early) => new UnitSentence(this.graphs, this.symbols, early), stream, this.sampleRate);
  }

  async *synthesise(text: string, signal: AbortSignal, own?: OwnWords): AsyncGenerator<VoiceChunk> {
    const speech = this.begin(undefined, own);
    speech.push(text);
    speech.end();
    for (let chunk = await speech.next(signal); chunk !== undefined; chunk = await speech.next(signal)) yield chunk;
  }

  async close(): Promise<void> {
    await Promise.all([this.graphs.close(), this.pronouncer.close()]);
  }
}
