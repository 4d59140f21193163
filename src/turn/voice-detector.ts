/** One caller's audio to onsets and ends of speech: energy gate, speech network and hysteresis in a row. */
import { EnergyGate, levelDbOf } from './energy-gate';
import type { SpeechProbability } from './silero-vad';
import { DEFAULT_VAD, VAD_SAMPLE_RATE, VAD_WINDOW_SAMPLES, type VadConfig, type VadEvent, VadHysteresis } from './vad';

const WINDOW_MS = (VAD_WINDOW_SAMPLES * 1_000) / VAD_SAMPLE_RATE;
/** Quiet windows that are still judged, so that the network hears the speech fade. */
const QUIET_WINDOWS_JUDGED = 12;

export class VoiceDetector {
  private readonly gate = new EnergyGate();
  private readonly hysteresis: VadHysteresis;
  private quietWindows = 0;
  private previous: Int16Array | undefined;
  /** Windows that were loud enough to ask the network about. */
  judged = 0;

  constructor(
    private readonly stream: SpeechProbability,
    config: VadConfig = DEFAULT_VAD,
  ) {
    this.hysteresis = new VadHysteresis(config);
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
    return this.hysteresis.push({ startSample, samples: pcm.length, probability, levelDb });
  }

  /** The stream has a hole at `headSample`: what was going on before it is over. */
  interrupt(headSample: number): VadEvent[] {
    this.stream.reset();
    this.previous = undefined;
    return this.hysteresis.interrupt(headSample);
  }
}
