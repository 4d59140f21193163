/**
 * What a far end hears of those it is connected with: all of them together and not itself, frame by frame on the 16 kHz
 * clock of calls, at the rate of its own codec.
 */
import { Resampler } from '../audio/resampler';
import { SampleQueue } from '../audio/sample-queue';
import { VoiceMixer } from '../audio/voice-mixer';
import { callFrameSamples, callSampleRate } from './inbound';

/** Of each of them so much may wait, so that nobody is heard late. */
const maxWaitingMs = 100;
/**
 * Voices of another thread come by its clock and through a queue of messages: a frame is kept in hand, so that one that is late
 * leaves no hole, and what a stalled thread brings at once is left out.
 */
const inHandSamples = 2 * callFrameSamples;
const tooMuchSamples = 4 * callFrameSamples;

interface Voice {
  readonly queue: SampleQueue;
  readonly frame: Int16Array;
  fromAfar: boolean;
  flows: boolean;
}

/** The name under which an agent is heard who speaks on the call `sessionId` and stays in a conference. */
export function agentVoice(sessionId: string): string {
  return `${sessionId}/agent`;
}

/** The name under which is heard what leaves for the far end of `sessionId`: for those who listen in. */
export function lineVoice(sessionId: string): string {
  return `${sessionId}/line`;
}

export function sessionOfVoice(voice: string): string {
  return voice.replace(/\/(?:agent|line)$/, '');
}

export class MixMinus {
  /** All of them, in the frame that was pulled last, 16 kHz. */
  readonly others = new Int16Array(callFrameSamples);
  private readonly voices: ReadonlyMap<string, Voice>;
  private readonly frames: readonly Int16Array[];
  private readonly mixer = new VoiceMixer();
  private readonly resampler: Resampler;
  private readonly ready: SampleQueue;
  private readonly scratch: Int16Array;

  constructor(
    readonly peers: readonly string[],
    rate: number,
  ) {
    const waiting = (callSampleRate * maxWaitingMs) / 1000;
    this.voices = new Map(peers.map((peer) => [peer, newVoice(waiting)]));
    this.frames = [...this.voices.values()].map(({ frame }) => frame);
    this.resampler = new Resampler(callSampleRate, rate);
    this.scratch = new Int16Array(this.resampler.maxOutput(callFrameSamples));
    this.ready = new SampleQueue(2 * this.scratch.length);
  }

  /** A frame of one of them; of anybody else it is nothing. `fromAfar`: of another thread. */
  heard(frame: Int16Array, from: string, fromAfar = false): void {
    const voice = this.voices.get(from);
    if (voice === undefined) return;
    voice.fromAfar = fromAfar;
    voice.queue.write(frame);
  }

  /** The next frame of time; returns how many samples of `out` there were. */
  pull(out: Int16Array): number {
    let longest = 0;
    for (const voice of this.voices.values()) {
      const got = isReady(voice) ? voice.queue.read(voice.frame) : 0;
      voice.frame.fill(0, got);
      longest = Math.max(longest, got);
    }
    if (longest === 0) this.others.fill(0);
    else {
      this.mixer.mix(this.frames, this.others);
      this.ready.write(this.scratch, this.resampler.process(this.others, this.scratch, longest));
    }
    return this.ready.read(out);
  }

  /** Something else is heard meanwhile: what waited would only be late. */
  skip(): void {
    for (const { queue } of this.voices.values()) queue.reset();
    this.ready.reset();
  }
}

function newVoice(capacity: number): Voice {
  return {
    queue: new SampleQueue(capacity),
    frame: new Int16Array(callFrameSamples),
    fromAfar: false,
    flows: false,
  };
}

function isReady(voice: Voice): boolean {
  const { queue, fromAfar } = voice;
  if (!fromAfar) return true;
  if (queue.length > tooMuchSamples) queue.skip(queue.length - inHandSamples);
  voice.flows = voice.flows ? queue.length > 0 : queue.length >= inHandSamples;
  return voice.flows;
}
