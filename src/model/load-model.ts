/** The table of engines: from a name in the configuration to a model that is loaded, verified and warm. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TrunklineError } from '../core/errors';
import type { SearchKnowledge } from '../core/passage';
import type { StartTrace } from '../core/start-trace';
import { type InferenceServer, OpenInference } from '../onnx/open-inference';
import { openGraphsAt } from '../onnx/session';
import { TrunkBrain, type TrunkBrainOptions } from './brain/brain';
import type { Brain } from './brain/conversation-brain';
import { OpenAiBrain, type OpenAiEndpoint } from './brain/openai-brain';
import { RelevanceTable } from './brain/relevance';
import { Cascade } from './cascade/cascade';
import { openLlamaOmni } from './llama-omni/open-llama-omni';
import { UnitVoice } from './llama-omni/unit-voice';
import { openModelFolder } from './manifest';
import { openMiniOmni } from './mini-omni/open-mini-omni';
import { openRowVoice } from './mini-omni/open-row-voice';
import { OmniEar } from './omni/ear';
import { Omni, type StreamingVoice } from './omni/omni';
import { OmniVoice } from './omni/omni-voice';
import type { OmniModel } from './omni-model';
import type { Recogniser, Voice } from './parts';
import { PiperVoice } from './piper/piper-voice';
import { Trunk } from './trunk/trunk';
import { OverlapStates } from './whisper/overlap-states';
import { TurnEnd } from './whisper/turn-end';
import { openWhisper } from './whisper/whisper-recogniser';

export interface LoadOptions {
  readonly name: string;
  readonly modelsDir: string;
  readonly threads: number;
  readonly llm?: OpenAiEndpoint;
  /** Where a brain looks things up that its persona has documents for. */
  readonly search?: SearchKnowledge;
  /** For the engine `remote`. */
  readonly remote?: Partial<Pick<InferenceServer, 'models'>> & Omit<InferenceServer, 'models'>;
}

/**
 * What the engine `remote` runs on its server unless it is told otherwise: the graphs that are most of its work and whose inputs and
 * outputs are small. The language model's are not: its sequences, 46 kB for each position, would travel with every token.
 */
export const remoteGraphs: Readonly<Record<string, string>> = {
  'whisper-base/encoder.onnx': 'whisper-encoder',
  'omni-voice/talker-encoder.onnx': 'talker-encoder',
  'omni-voice/talker-frames.onnx': 'talker-frames',
  'omni-voice/codec-decoder.onnx': 'codec-decoder',
  'piper-joe/generator.onnx': 'generator',
};

type Family = (options: LoadOptions, trace: StartTrace) => Promise<OmniModel>;

const FAMILIES: Readonly<Record<string, Family>> = {
  cascade: openCascade,
  omni: openOmni,
  remote: openRemote,
  'mini-omni': openMiniOmniFamily,
  'llama-omni': openEitherLlamaOmni,
};

export const engineNames: readonly string[] = Object.keys(FAMILIES);

/** Rejects with `engine.unknown`, or with the code of the weights that are missing or damaged. */
export function loadModel(options: LoadOptions, trace: StartTrace): Promise<OmniModel> {
  const open = FAMILIES[options.name];
  if (open === undefined) {
    throw new TrunklineError('engine.unknown', `The engine ${options.name} is not installed.`, {
      fix: `Set engine.name to ${engineNames.join(' or ')}.`,
    });
  }
  return open(options, trace);
}

async function openCascade(options: LoadOptions, trace: StartTrace): Promise<OmniModel> {
  const { modelsDir, threads, llm, search } = options;
  const [recogniser, brain, voice] = await Promise.all([
    trace.span('recogniser', () => openRecogniser(modelsDir, threads)),
    trace.span('brain', () =>
      llm === undefined ? openTrunkBrain(modelsDir, threads, { search }) : new OpenAiBrain(llm, search),
    ),
    trace.span('voice', () => openVoice(modelsDir, threads)),
  ]);
  return new Cascade({ recogniser, brain, voice, nowMs: () => performance.now() });
}

function openOmni(options: LoadOptions, trace: StartTrace): Promise<OmniModel> {
  return openOnTrunk('omni', options, trace, () => OmniVoice.open(voiceOptions('omni-voice', options)));
}

/** The engine `omni`, some of whose graphs run on a server. */
async function openRemote(options: LoadOptions, trace: StartTrace): Promise<OmniModel> {
  const { remote } = options;
  if (remote === undefined) {
    throw new TrunklineError('engine.no-server', 'The engine remote needs a server.', {
      fix: 'Set engine.remote.url (docs/remote-engine.md).',
    });
  }
  openGraphsAt(new OpenInference({ ...remote, models: remote.models ?? remoteGraphs }));
  try {
    return await openOnTrunk('remote', options, trace, () => OmniVoice.open(voiceOptions('omni-voice', options)));
  } finally {
    openGraphsAt(undefined);
  }
}

/** What was imported, if anything; else our own small one: the trunk and the ear of `omni`, a voice of LLaMA-Omni's form. */
async function openEitherLlamaOmni(options: LoadOptions, trace: StartTrace): Promise<OmniModel> {
  const { modelsDir, threads } = options;
  const has = (name: string) => existsSync(join(modelsDir, name, 'manifest.json'));
  if (!has('llama-omni')) {
    if (!has('omni-units')) {
      throw new TrunklineError('engine.no-weights', 'There are no weights of LLaMA-Omni.', {
        fix: 'Import its checkpoint with `npx trunkline models import FOLDER` (docs/models.md), or make our own (docs/models/llama-omni.md).',
      });
    }
    return openOnTrunk('llama-omni', options, trace, () => UnitVoice.open(voiceOptions('omni-units', options)));
  }
  return trace.span('llama-omni', async () =>
    openLlamaOmni({
      folder: join(modelsDir, 'llama-omni'),
      threads,
      recogniser: await openRecogniser(modelsDir, threads),
      reader: await openVoice(modelsDir, threads),
      nowMs: () => performance.now(),
    }),
  );
}

function voiceOptions(folder: string, { modelsDir, threads }: LoadOptions) {
  return {
    voiceFolder: join(modelsDir, folder),
    generatorFolder: join(modelsDir, 'piper-joe'),
    pronunciationFolder: join(modelsDir, 'g2p-en'),
    threads,
  };
}

/** An engine that hears with the soft ear, thinks with the shipped trunk and speaks from its states. */
async function openOnTrunk(
  name: string,
  options: LoadOptions,
  trace: StartTrace,
  openStreamingVoice: (trunk: Promise<Trunk>) => Promise<StreamingVoice>,
): Promise<OmniModel> {
  const { modelsDir, threads, llm, search } = options;
  const opening = trace.span('brain', () => openTrunk(modelsDir, threads, { search }));
  const [{ trunk, brain }, voice] = await Promise.all([
    opening,
    trace.span('voice', () => openStreamingVoice(opening.then((opened) => opened.trunk))),
  ]);
  const ear = await trace.span('ear', async () =>
    OmniEar.open({
      whisperFolder: join(modelsDir, 'whisper-base'),
      folder: await openModelFolder(join(modelsDir, 'omni-ear')),
      turnEnd: await openTurnEnd(modelsDir),
      overlapStates: await openOverlapStates(modelsDir),
      embed: (tokenIds) => trunk.embed(tokenIds),
      threads,
    }),
  );
  // Another model may think; then its text alone guides the voice.
  const thinking = llm === undefined ? brain : new OpenAiBrain(llm, search);
  return new Omni({ name, ear, brain: thinking, voice, nowMs: () => performance.now() });
}

/** The published checkpoint where it was imported; else the layout on our own trunk, where its weights are. */
function openMiniOmniFamily(options: LoadOptions, trace: StartTrace): Promise<OmniModel> {
  const { modelsDir, threads } = options;
  const there = (folder: string) => existsSync(join(modelsDir, folder, 'manifest.json'));
  if (there('mini-omni') || !there('mini-omni-135m')) return openImportedMiniOmni(options, trace);
  return openOnTrunk('mini-omni', options, trace, async (trunk) =>
    openRowVoice({
      folder: join(modelsDir, 'mini-omni-135m'),
      generatorFolder: join(modelsDir, 'piper-joe'),
      pronunciationFolder: join(modelsDir, 'g2p-en'),
      trunk: await trunk,
      threads,
    }),
  );
}

async function openImportedMiniOmni(options: LoadOptions, trace: StartTrace): Promise<OmniModel> {
  const { modelsDir, threads } = options;
  return trace.span('mini-omni', async () =>
    openMiniOmni({
      folder: join(modelsDir, 'mini-omni'),
      threads,
      reader: await openVoice(modelsDir, threads),
      nowMs: () => performance.now(),
    }),
  );
}

export async function openRecogniser(modelsDir: string, threads: number): Promise<Recogniser> {
  const turnEnd = await openTurnEnd(modelsDir);
  const overlapStates = await openOverlapStates(modelsDir);
  return openWhisper(join(modelsDir, 'whisper-base'), { threads, states: true, turnEnd, overlapStates });
}

async function openTurnEnd(modelsDir: string): Promise<TurnEnd> {
  return TurnEnd.open(await openModelFolder(join(modelsDir, 'turn-end')));
}

async function openOverlapStates(modelsDir: string): Promise<OverlapStates> {
  return OverlapStates.open(await openModelFolder(join(modelsDir, 'overlap-states')));
}

export async function openTrunkBrain(
  modelsDir: string,
  threads: number,
  options: TrunkBrainOptions = {},
): Promise<Brain> {
  return (await openTrunk(modelsDir, threads, options)).brain;
}

async function openTrunk(
  modelsDir: string,
  threads: number,
  options: TrunkBrainOptions = {},
): Promise<{ trunk: Trunk; brain: Brain }> {
  const folder = await openModelFolder(join(modelsDir, 'smollm2-135m'));
  const trunk = await Trunk.open(folder, { threads });
  const relevance = new RelevanceTable(JSON.parse(await folder.readText('relevance.json')));
  return { trunk, brain: new TrunkBrain(trunk, relevance, options) };
}

export function openVoice(modelsDir: string, threads: number): Promise<Voice> {
  return PiperVoice.open({
    voiceFolder: join(modelsDir, 'piper-joe'),
    pronunciationFolder: join(modelsDir, 'g2p-en'),
    threads,
  });
}
