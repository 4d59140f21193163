/**
 * One caller's audio to onsets and ends of speech: energy gate, speech network and hysteresis in a row; and what the
 * beginning of the speech sounds like, as far as it went.
 */
import type { SoundChances } from '../core/overlap-heard';
import { EchoMatch } from './echo-match';
import { EnergyGate, levelDbOf } from './energy-gate';
import type { OverlapSound } from './overlap-sound';
import type { SpeechProbability } from './silero-vad';
import { DEFAULT_VAD, VAD_SAMPLE_RATE, VAD_WINDOW_SAMPLES, type VadConfig, type VadEvent, VadHysteresis } from './vad';

const WINDOW_MS = (VAD_WINDOW_SAMPLES * 1_000) / VAD_SAMPLE_RATE;
/** Quiet windows that are still judged, so that the network hears the speech fade. */
const QUIET_WINDOWS_JUDGED = 12;
/** The sound of speech is judged from so long before its onset … */
const SOUND_LEAD_SAMPLES = 0.1 * VAD_SAMPLE_RATE;
/** … up to this length; by then the recogniser knows better. */
const LONGEST_SOUND_SAMPLES = 1.4 * VAD_SAMPLE_RATE;
/** The first look needs this much. */
const SHORTEST_SOUND_SAMPLES = 0.25 * VAD_SAMPLE_RATE;
const RECENT_WINDOWS = Math.ceil((LONGEST_SOUND_SAMPLES + 2 * VAD_WINDOW_SAMPLES) / VAD_WINDOW_SAMPLES);

export class VoiceDetector {
  private readonly gate = new EnergyGate();
  private readonly hysteresis: VadHysteresis;
  private quietWindows = 0;
  private previous: Int16Array | undefined;
  private readonly recent: { readonly startSample: number; readonly pcm: Int16Array }[] = [];
  private onsetSample = 0;
  private readonly echo = new EchoMatch();
  /** Windows that were loud enough to ask the network about. */
  judged = 0;

  constructor(
    private readonly stream: SpeechProbability,
    config: VadConfig = DEFAULT_VAD,
    private readonly sounds?: OverlapSound,
  ) {
    this.hysteresis = new VadHysteresis(config);
  }

  /** A frame of ECHO_FRAME_SAMPLES: how loud the line is, and what we send meanwhile, dBFS. Before the windows it is part of. */
  frame(startSample: number, heardDb: number, sentDb: number): void {
    this.echo.push(startSample, heardDb, sentDb);
  }

  /** `pcm`: VAD_WINDOW_SAMPLES samples that follow on the last. */
  async push(startSample: number, pcm: Int16Array): Promise<VadEvent[]> {
    const levelDb = levelDbOf(pcm);
    if (this.gate.passes(levelDb, WINDOW_MS)) {
      // The network remembers the silence in which it was left; the window before the sound leads it on from there.
      if (this.quietWindows > QUIET_WINDOWS_JUDGED && this.previous !== undefined)
        await this.stream.next(this.previous);
      this.quietWindows = 0;
    } else this.quietWindows += 1;
    this.previous = pcm;
    let probability = 0;
    if (this.quietWindows <= QUIET_WINDOWS_JUDGED) {
      this.judged += 1;
      probability = await this.stream.next(pcm);
    }
    const events = this.hysteresis.push({ startSample, samples: pcm.length, probability, levelDb });
    return this.describe(events, startSample, pcm);
  }

  /** The stream has a hole at `headSample`: what was going on before it is over. */
  interrupt(headSample: number): VadEvent[] {
    this.stream.reset();
    this.previous = undefined;
    this.recent.length = 0;
    return this.hysteresis.interrupt(headSample);
  }

  private async describe(events: VadEvent[], startSample: number, pcm: Int16Array): Promise<VadEvent[]> {
    this.recent.push({ startSample, pcm });
    if (this.recent.length > RECENT_WINDOWS) this.recent.shift();
    const described: VadEvent[] = [];
    for (const event of events) {
      if (event.type === 'speech-started') this.onsetSample = event.sample;
      const from = this.onsetSample - SOUND_LEAD_SAMPLES;
      const echo = this.echo.match(from, event.headSample);
      described.push({ ...event, echo, sound: await this.soundOf(from, event.headSample) });
    }
    return described;
  }

  private async soundOf(from: number, to: number): Promise<SoundChances | undefined> {
    const judged = to - from >= SHORTEST_SOUND_SAMPLES && to - from <= LONGEST_SOUND_SAMPLES;
    return judged ? this.sounds?.judge(this.span(from, to)) : undefined;
  }

  /** −1…1; silence where nothing is known. */
  private span(from: number, to: number): Float32Array {
    const out = new Float32Array(to - from);
    for (const { startSample, pcm } of this.recent) {
      const first = Math.max(0, from - startSample);
      for (let i = first; i < pcm.length && startSample + i < to; i += 1)
        out[startSample + i - from] = (pcm[i] ?? 0) / 32_768;
    }
    return out;
  }
}
