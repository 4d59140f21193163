/** Opens an imported LLaMA-Omni (`trunkline models import`): every sum is checked before a byte is used. */
import { join } from 'node:path';
import { openModelFolder } from '../manifest';
import type { Recogniser, Voice } from '../parts';
import { TextTokenizer } from '../trunk/text-tokenizer';
import { LlamaOmni } from './llama-omni';
import { LlamaTrunk } from './llama-trunk';
import { llamaOmniParametersSchema } from './parameters';
import { SpeechDecoder } from './speech-decoder';
import { StackedEncoder } from './stacked-encoder';
import { UnitVocoder, type VocoderRules } from './unit-vocoder';

export interface OpenLlamaOmniOptions {
  readonly folder: string;
  readonly threads: number;
  readonly recogniser: Recogniser;
  readonly reader: Voice;
  readonly rules?: Partial<VocoderRules>;
  readonly mostTokens?: number;
  readonly nowMs: () => number;
}

export async function openLlamaOmni(options: OpenLlamaOmniOptions): Promise<LlamaOmni> {
  const { threads, ...rest } = options;
  const folder = await openModelFolder(options.folder);
  await folder.verify();
  const parameters = folder.parameters(llamaOmniParametersSchema);
  const tokenizer = new TextTokenizer(await folder.readText('tokenizer.json'));
  const path = (name: string) => join(folder.path, name);
  const how = (name: string) => ({ threads, label: `${folder.manifest.name}/${name}` });
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(part: T): T => {
    opened.push(part);
    return part;
  };
  try {
    const encoder = keep(await StackedEncoder.open(path('encoder.onnx'), parameters, how('encoder.onnx')));
    const trunk = keep(await LlamaTrunk.open(path('trunk.onnx'), parameters.trunk, how('trunk.onnx')));
    const name = 'speech-decoder.onnx';
    const decoder = keep(await SpeechDecoder.open(path(name), parameters.decoder, how(name)));
    const graphs = { durations: await folder.read('unit-durations.onnx'), sound: await folder.read('unit-sound.onnx') };
    const vocoder = keep(await UnitVocoder.open(graphs, { threads, label: folder.manifest.name }));
    return new LlamaOmni({ parameters, encoder, trunk, decoder, vocoder, tokenizer, ...rest });
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}
