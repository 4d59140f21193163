/**
 * The agent's own voice comes back, as lines and speakerphones return it: 30 to 300 ms late and 6 to 40 dB below. It must stop the
 * agent nowhere on that grid, and must not make it deaf to a caller who speaks over it. The networks are those that ship; what the
 * recogniser would find is told by whose voice there is in the span.
 */
import path from 'node:path';
import { Resampler } from '../../src/audio/resampler';
import { readQuestions, utteranceOf } from '../../src/bench/questions';
import { openModelFolder } from '../../src/model/manifest';
import { OverlapSoundNet } from '../../src/turn/overlap-sound';
import { type Replay, type ReplayedEffect, replay } from '../../src/turn/replay';
import { SileroVad } from '../../src/turn/silero-vad';
import { DEFAULT_TURNS } from '../../src/turn/turn-state';

const AFTER_MS = [30, 80, 150, 220, 300];
const BELOW_DB = [6, 12, 18, 26, 34, 40];
const GRID = AFTER_MS.flatMap((afterMs) => BELOW_DB.map((belowDb) => ({ afterMs, belowDb })));

const QUESTIONS = path.join(__dirname, '../fixtures/questions');
const MODELS = path.join(__dirname, '../../models');
const SENT_DB = -20;
const CALLER_DB = -24;
const CALLER_FROM_MS = 3_000;

/** What some voice of the recorded questions says, one after the other, 16 kHz, at a level in dBFS. */
async function speech(voice: string, count: number, levelDb: number): Promise<{ pcm: Int16Array; text: string }> {
  const spoken = readQuestions(QUESTIONS)
    .filter((question) => question.voice === voice)
    .slice(0, count);
  const parts: number[] = [];
  for (const question of spoken) {
    const { pcm, sampleRate } = await utteranceOf(QUESTIONS, question);
    for (const chunk of new Resampler(sampleRate, 16_000).push(pcm)) parts.push(...chunk);
  }
  const power = parts.reduce((sum, sample) => sum + sample * sample, 0) / parts.length;
  const gain = (32_768 * 10 ** (levelDb / 20)) / Math.sqrt(power);
  const pcm = Int16Array.from(parts, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * gain))));
  return { pcm, text: spoken.map(({ text }) => text).join(' ') };
}

describe('the agent’s own voice come back', () => {
  let vad: SileroVad;
  let sounds: OverlapSoundNet;
  let agent: { pcm: Int16Array; text: string };
  let caller: { pcm: Int16Array; text: string };

  beforeAll(async () => {
    vad = await SileroVad.open(await (await openModelFolder(path.join(MODELS, 'silero-vad'))).read('silero-vad.onnx'));
    const folder = await openModelFolder(path.join(MODELS, 'overlap-sound'));
    sounds = await OverlapSoundNet.open(await folder.read('overlap-sound.onnx'));
    agent = await speech('flite:rms', 5, SENT_DB);
    caller = await speech('flite:slt', 1, CALLER_DB);
  }, 60_000);
  afterAll(async () => {
    await vad.close();
    await sounds.close();
  });

  async function heard(
    { afterMs, belowDb }: { afterMs: number; belowDb: number },
    callerPcm?: Int16Array,
  ): Promise<readonly ReplayedEffect[]> {
    const gain = 10 ** (-belowDb / 20);
    const run: Replay = {
      pcm: agent.pcm.map((sample) => Math.round(sample * gain)),
      turns: DEFAULT_TURNS,
      openStream: () => vad.openStream(),
      sounds,
      agentText: agent.text,
      echoAfterMs: afterMs,
      ...(callerPcm === undefined ? {} : { callerPcm }),
      callerLevelDb: CALLER_DB,
      engine: {
        transcriptMs: 50,
        firstAudioMs: 240,
        listenMs: 150,
        recognise: async (_, toSample) => {
          const callerIsIn = callerPcm !== undefined && toSample / 16 > CALLER_FROM_MS + 300;
          return { text: callerIsIn ? caller.text : agent.text, speech: true };
        },
      },
    };
    return (await replay(run)).effects;
  }

  const stops = (effects: readonly ReplayedEffect[]) => effects.filter(({ effect }) => effect.type === 'flush');

  it.each(GRID)(
    'does not stop it, $afterMs ms late and $belowDb dB below',
    async (line) => {
      const effects = await heard(line);
      expect(stops(effects)).toEqual([]);
      // Nor is it left paused.
      const last = effects.findLast(({ effect }) => effect.type === 'pause' || effect.type === 'resume');
      expect(last?.effect.type).not.toBe('pause');
    },
    30_000,
  );

  it.each(GRID)(
    'does not make it deaf to a caller, $afterMs ms late and $belowDb dB below',
    async (line) => {
      const over = new Int16Array(CALLER_FROM_MS * 16 + caller.pcm.length);
      over.set(caller.pcm, CALLER_FROM_MS * 16);
      const [stop] = stops(await heard(line, over));
      expect(stop).toBeDefined();
      expect(stop!.atMs).toBeGreaterThan(CALLER_FROM_MS);
    },
    30_000,
  );
});
