/** Opens the Mini-Omni layout on our own trunk: post-adapter, guide and codec of one folder, the generator of another. */
import { openModelFolder } from '../manifest';
import { VoiceGraphs } from '../omni/voice-graphs';
import { WordStream } from '../omni/word-stream';
import { voiceParameters } from '../piper/vits-graphs';
import type { OwnWords } from '../text/own-words';
import { Pronouncer } from '../text/pronouncer';
import { OnnxPostAdapter } from './post-adapter';
import { RowVoice } from './row-voice';
import { TextGuide } from './text-guide';
import { idsOfTrunk, type ReadableTrunk, TrunkStreamModel } from './trunk-stream-lm';

export interface RowVoiceOptions {
  readonly folder: string;
  /** The Piper voice whose latents the codec was made for: its generator and its symbols. */
  readonly generatorFolder: string;
  readonly pronunciationFolder: string;
  /** Stays with whoever opened it. */
  readonly trunk: ReadableTrunk & { readonly vocabulary: number };
  readonly threads?: number;
}

export async function openRowVoice(options: RowVoiceOptions): Promise<RowVoice> {
  const { trunk, threads } = options;
  const folder = await openModelFolder(options.folder);
  const generator = await openModelFolder(options.generatorFolder);
  const { phonemeIds: symbols } = generator.parameters(voiceParameters);
  const adapter = await OnnxPostAdapter.open(folder, threads);
  const { codes, specialAudioIds } = adapter.parameters;
  const ids = idsOfTrunk(trunk, trunk.vocabulary, codes, specialAudioIds);
  const opened: { close(): Promise<void> }[] = [adapter];
  try {
    const graphs = await VoiceGraphs.open(folder, generator, threads);
    opened.push(graphs);
    const pronouncer = await Pronouncer.open(options.pronunciationFolder);
    const guide = (own?: OwnWords) =>
      new TextGuide(graphs, symbols, new WordStream(pronouncer, graphs.parameters.lookAheadWords, own), (tokenIds) =>
        trunk.decode(tokenIds),
      );
    const model = new TrunkStreamModel(trunk, adapter, ids, () => guide());
    return new RowVoice({ model, graphs, pronouncer, newGuide: guide });
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}
