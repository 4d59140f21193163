/**
 * How something was said, judged from its tune, its level and spectrum, and the recogniser's states, which are there anyway: speech
 * or another sound, statement or question, calm, hurried or loud. The same in the trunk's embedding space, for sounds that hold
 * no words. models/recipe/trunkline_recipe/omni/ear_how.py trains it.
 *
 *      tune     [1, 30]             how the tune ends (tune.ts)
 *      mel      [1, 80, 2 · frames] the recogniser's features
 *      hidden   [1, frames, 512]    its encoder's states
 *      classes  [1, 10]             chances: of sounds, of intonations, of manners
 *      how      [1, 3, width]       what the trunk reads
 */
import { TrunklineError } from '../../core/errors';
import { type HowSaid, howSaidSchema } from '../../core/how-said';
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, float32Tensor } from '../../onnx/tensors';
import type { ModelFolder } from '../manifest';
import type { EncodedSpeech } from '../whisper/whisper-recogniser';
import { TUNE_SIZE, tuneOf } from './tune';

/** Told only from this chance on; below, it might as well be another. */
const SURE = { statement: 0.8, question: 0.95, manner: 0.7 };

const SOUNDS = howSaidSchema.shape.sound.options;
const INTONATIONS = howSaidSchema.shape.intonation.unwrap().options;
const MANNERS = howSaidSchema.shape.manner.unwrap().options;
const CLASSES: readonly string[] = [...SOUNDS, ...INTONATIONS, ...MANNERS];

export interface HowHeard {
  readonly said: HowSaid;
  /** Of each class, in the order of the manifest. */
  readonly chances: readonly number[];
  /** What the trunk reads where there are no words: [width] each. */
  readonly vectors: readonly Float32Array[];
}

export interface HowParameters {
  readonly stateWidth: number;
  readonly width: number;
  readonly howTokens: number;
  readonly classes: readonly string[];
}

export class HowSaidNet {
  private constructor(
    private readonly session: OnnxSession,
    private readonly parameters: HowParameters,
  ) {}

  /** Whoever opens it closes it. Rejects with `ear.bad-classes` when the weights tell of other classes than this program knows. */
  static async open(folder: ModelFolder, parameters: HowParameters): Promise<HowSaidNet> {
    const { stateWidth, width, howTokens, classes } = parameters;
    if (classes.join() !== CLASSES.join()) {
      throw new TrunklineError(
        'ear.bad-classes',
        'The weights of the ear tell of other sounds than this program knows.',
        {
          fix: 'Weights and program belong to different versions: check out both from one commit.',
        },
      );
    }
    const session = await openSession(await folder.read('how.onnx'), {
      threads: 1,
      label: `${folder.manifest.name}/how.onnx`,
      expect: {
        inputs: {
          tune: { type: 'float32', dims: [1, TUNE_SIZE] },
          mel: { type: 'float32', dims: [1, 80, null] },
          hidden: { type: 'float32', dims: [1, null, stateWidth] },
        },
        outputs: {
          classes: { type: 'float32', dims: [1, classes.length] },
          how: { type: 'float32', dims: [1, howTokens, width] },
        },
      },
    });
    return new HowSaidNet(session, parameters);
  }

  /** `pcm`: 16 kHz mono −1…1, and what the recogniser's encoder made of it. */
  async judge(pcm: Float32Array, speech: EncodedSpeech): Promise<HowHeard> {
    const { width } = this.parameters;
    const out = await this.session.run({
      tune: float32Tensor(tuneOf(pcm), [1, TUNE_SIZE]),
      mel: speech.mel,
      hidden: speech.tensors['hidden']!,
    });
    const chances = Array.from(float32Data(out['classes'], 'classes'));
    const rows = float32Data(out['how'], 'how');
    const vectors = Array.from({ length: rows.length / width }, (_, i) => rows.slice(i * width, (i + 1) * width));
    return { said: saidOf(chances), chances, vectors };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/** What the chances say for sure; of what is no speech there is no more to tell. */
function saidOf(chances: readonly number[]): HowSaid {
  const likeliest = <T>(names: readonly T[], from: number): { name: T; chance: number } => {
    const own = chances.slice(from, from + names.length);
    const chance = Math.max(...own);
    return { name: names[own.indexOf(chance)]!, chance };
  };
  const sound = likeliest(SOUNDS, 0).name;
  if (sound !== 'speech') return { sound };
  const intonation = likeliest(INTONATIONS, SOUNDS.length);
  const manner = likeliest(MANNERS, SOUNDS.length + INTONATIONS.length);
  return {
    sound,
    ...(intonation.chance >= SURE[intonation.name] ? { intonation: intonation.name } : {}),
    ...(manner.chance >= SURE.manner ? { manner: manner.name } : {}),
  };
}
