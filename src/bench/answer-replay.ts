/** Replays what came back after a call of ours was answered, in virtual time: for measuring who was taken for whom. */
import { toFloat } from '../audio/pcm';
import { ToneDetector } from '../audio/tone-detector';
import type { AnswerRules } from '../core/answer-rules';
import { SpeechTap } from '../listener/speech-tap';
import { AnswerWatch } from '../turn/answer-watch';
import type { AnswerVerdict } from '../turn/answered-by';
import { levelDbOf } from '../turn/energy-gate';
import type { SpeechProbability } from '../turn/silero-vad';
import { VAD_SAMPLE_RATE, VAD_WINDOW_SAMPLES } from '../turn/vad';
import { VoiceDetector } from '../turn/voice-detector';

export interface AnswerReplay {
  /** 16 kHz, from the moment of the answer. */
  readonly pcm: Int16Array;
  readonly rules: AnswerRules;
  readonly openStream: () => SpeechProbability;
  /** Undefined: without words. */
  readonly recognise?: (pcm: Float32Array) => Promise<{ readonly text: string }>;
  /** From asking for words to having them. */
  readonly listenMs: number;
}

export type ReplayedVerdict = AnswerVerdict & { readonly atMs: number };

const SAMPLES_PER_MS = VAD_SAMPLE_RATE / 1_000;

export async function replayAnswer(run: AnswerReplay): Promise<ReplayedVerdict[]> {
  const watch = new AnswerWatch(0, run.rules, run.recognise !== undefined);
  const detector = new VoiceDetector(run.openStream());
  const tap = new SpeechTap();
  const tones = new ToneDetector(VAD_SAMPLE_RATE);
  const verdicts: ReplayedVerdict[] = [];
  let words: { readonly dueSample: number; readonly text: string } | undefined;
  let headSample = 0;
  const take = async (heard: Parameters<AnswerWatch['push']>[0]): Promise<void> => {
    for (const effect of watch.push(heard)) {
      if (effect.type !== 'listen') verdicts.push({ ...effect, atMs: headSample / SAMPLES_PER_MS });
      else {
        const { text = '' } = (await run.recognise?.(toFloat(run.pcm.slice(effect.fromSample, effect.toSample)))) ?? {};
        words = { dueSample: headSample + run.listenMs * SAMPLES_PER_MS, text };
      }
    }
  };
  for (let start = 0; start + VAD_WINDOW_SAMPLES <= run.pcm.length && !watch.over; start += VAD_WINDOW_SAMPLES) {
    headSample = start + VAD_WINDOW_SAMPLES;
    const window = run.pcm.slice(start, headSample);
    detector.frame(start, levelDbOf(window), levelDbOf(new Int16Array(0)));
    const events = await detector.push(start, window);
    const heard = tap.push({ startSample: start, pcm: window }, events);
    if (heard !== undefined) await take({ type: 'heard', ...heard });
    for (const event of events) await take(event);
    for (const tone of tones.push(window)) await take({ type: 'tone', ...tone });
    if (words !== undefined && words.dueSample <= headSample) {
      const { text } = words;
      words = undefined;
      await take({ type: 'words', text });
    }
    if ((watch.deadlineSample ?? Number.POSITIVE_INFINITY) <= headSample)
      await take({ type: 'time', sample: headSample });
  }
  return verdicts;
}
