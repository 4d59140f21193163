/**
 * Records a call as WAV on the call's own sample clock: left what came in, right what went out in the same 20 ms, so that
 * gaps between the two can be read off the file; or what came in alone.
 */
import { Resampler } from '../audio/resampler';
import { SampleQueue } from '../audio/sample-queue';
import { WavWriter } from '../audio/wav-writer';
import type { TrunklineError } from '../core/errors';
import { callFrameSamples, callSampleRate } from './inbound';

export class Recorder {
  private readonly writer: WavWriter;
  private readonly stereo = new Int16Array(2 * callFrameSamples);
  private readonly right = new Int16Array(callFrameSamples);
  private readonly waiting = new SampleQueue(4 * callFrameSamples);
  private resampler: Resampler | undefined;
  private scratch = new Int16Array(0);
  private frames = 0;

  constructor(
    readonly path: string,
    onFailed: (error: TrunklineError) => void,
    private readonly channels: 1 | 2 = 2,
  ) {
    this.writer = new WavWriter(path, { sampleRate: callSampleRate, channels }, onFailed);
  }

  /** One frame of time; `outbound` undefined: nothing was sent. */
  write(inbound: Int16Array, outbound: Int16Array | undefined, outboundRate: number): void {
    this.frames++;
    if (this.channels === 1) {
      this.writer.write(inbound);
      return;
    }
    if (outbound !== undefined) {
      if (this.resampler?.inputRate !== outboundRate) this.resampler = new Resampler(outboundRate, callSampleRate);
      const needed = this.resampler.maxOutput(outbound.length);
      if (this.scratch.length < needed) this.scratch = new Int16Array(needed);
      this.waiting.write(this.scratch, this.resampler.process(outbound, this.scratch));
    }
    const got = this.waiting.read(this.right);
    this.right.fill(0, got);
    for (let i = 0; i < callFrameSamples; i++) {
      this.stereo[2 * i] = inbound[i]!;
      this.stereo[2 * i + 1] = this.right[i]!;
    }
    this.writer.write(this.stereo);
  }

  get durationMs(): number {
    return (this.frames * callFrameSamples * 1000) / callSampleRate;
  }

  close(): Promise<void> {
    return this.writer.close();
  }
}
