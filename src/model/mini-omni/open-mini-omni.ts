/** Opens an imported Mini-Omni: verified first, then every graph by its path. */

import { SnacDecoder } from '../codec/snac-decoder';
import { openModelFolder } from '../manifest';
import type { Voice } from '../parts';
import { TextTokenizer } from '../trunk/text-tokenizer';
import { MiniOmniIds } from './ids';
import { MiniOmni } from './mini-omni';
import { OnnxStreamModel } from './onnx-stream-lm';
import { miniOmniParametersSchema } from './parameters';
import type { SpeakRules } from './speak';
import { SpeechEncoder } from './speech-encoder';

export interface OpenMiniOmniOptions {
  readonly folder: string;
  readonly threads: number;
  readonly reader: Voice;
  readonly rules?: Partial<SpeakRules>;
  readonly nowMs: () => number;
}

export async function openMiniOmni(options: OpenMiniOmniOptions): Promise<MiniOmni> {
  const { threads, reader, rules, nowMs } = options;
  const folder = await openModelFolder(options.folder);
  await folder.verify();
  const parameters = folder.parameters(miniOmniParametersSchema);
  const tokenizer = new TextTokenizer(await folder.readText('tokenizer.json'));
  const encoder = await SpeechEncoder.open(folder, parameters, threads);
  const model = await OnnxStreamModel.open(folder, parameters, threads);
  const codec = await SnacDecoder.open(folder, 'snac.onnx', parameters.snac, { threads });
  return new MiniOmni({ ids: new MiniOmniIds(parameters), encoder, model, tokenizer, codec, reader, rules, nowMs });
}
