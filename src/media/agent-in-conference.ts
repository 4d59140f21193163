/** An agent who speaks on a call that is connected with others: its voice is added to theirs, and kept for them to hear. */
import { Resampler } from '../audio/resampler';
import { SampleQueue } from '../audio/sample-queue';
import { VoiceMixer } from '../audio/voice-mixer';
import { callFrameSamples, callSampleRate } from './inbound';
import type { PlayoutQueue } from './playout-queue';

export class AgentInConference {
  /** What it said in the last frame, 16 kHz. */
  readonly said = new Int16Array(callFrameSamples);
  private readonly own: Int16Array;
  private readonly mixer = new VoiceMixer();
  private readonly resampler: Resampler;
  private readonly scratch: Int16Array;
  private readonly ready = new SampleQueue(3 * callFrameSamples);

  constructor(rate: number, frameSamples: number) {
    this.own = new Int16Array(frameSamples);
    this.resampler = new Resampler(rate, callSampleRate);
    this.scratch = new Int16Array(this.resampler.maxOutput(frameSamples));
  }

  /** In this frame something else is heard. */
  quiet(): void {
    this.said.fill(0);
  }

  /** Adds what is to be played to `frame`; false: there is nothing. */
  speakOver(frame: Int16Array, playout: PlayoutQueue): boolean {
    const { own, ready, said } = this;
    const got = playout.pull(own);
    own.fill(0, got);
    ready.write(this.scratch, this.resampler.process(own, this.scratch));
    said.fill(0, ready.read(said));
    this.mixer.mix([frame, own], frame);
    return got > 0;
  }
}
