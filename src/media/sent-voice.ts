/** What leaves for a far end, as others hear it who listen in: on the 16 kHz clock of calls, and made only while somebody does. */
import { Resampler } from '../audio/resampler';
import { SampleQueue } from '../audio/sample-queue';
import { callFrameSamples, callSampleRate } from './inbound';
import { lineVoice } from './mix-minus';

export interface Ears {
  readonly heard?: (voice: string, frame: Int16Array) => void;
  /** Whether anybody hears that voice: what is made for them alone is not made otherwise. */
  readonly isHeard?: (voice: string) => boolean;
}

export class SentVoice {
  private readonly voice: string;
  private readonly frame = new Int16Array(callFrameSamples);
  private readonly ready = new SampleQueue(4 * callFrameSamples);
  private resampler: Resampler | undefined;
  private scratch = new Int16Array(0);

  constructor(
    sessionId: string,
    private readonly ears: Ears,
  ) {
    this.voice = lineVoice(sessionId);
  }

  /** A frame of 20 ms at the codec's rate; undefined: nothing was sent. */
  tell(sent: Int16Array | undefined, rate: number): void {
    if (sent === undefined || this.ears.isHeard?.(this.voice) !== true) return;
    if (this.resampler?.inputRate !== rate) this.resampler = new Resampler(rate, callSampleRate);
    const needed = this.resampler.maxOutput(sent.length);
    if (this.scratch.length < needed) this.scratch = new Int16Array(needed);
    this.ready.write(this.scratch, this.resampler.process(sent, this.scratch));
    this.frame.fill(0, this.ready.read(this.frame));
    this.ears.heard?.(this.voice, this.frame);
  }
}
