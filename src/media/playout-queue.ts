/**
 * The agent's speech on its way out, and the ledger of what has left: per turn, samples in order, brought to the codec's
 * rate as they are needed, and the words whose audio was played. Pure: frames are pulled on the pacer's clock, and
 * pausing, flushing and running dry fade within 5 ms, so that nothing clicks.
 */
import { Resampler } from '../audio/resampler';
import { SampleQueue } from '../audio/sample-queue';
import type { PlayoutWord } from './protocol';

export interface PlayoutEvent {
  readonly turnId: number;
  readonly state: 'started' | 'finished' | 'flushed' | 'starved' | 'progress';
  readonly playedMs: number;
  readonly heardText: string;
}

interface Turn {
  readonly turnId: number;
  readonly chunks: { readonly pcm: Int16Array; readonly sampleRate: number; at: number }[];
  readonly words: { readonly text: string; readonly middleMs: number }[];
  /** Length of all samples that came. */
  receivedMs: number;
  playedSamples: number;
  playedBeforeMs: number;
  progressMs: number;
  resampler: Resampler | undefined;
  tailPushed: boolean;
  state: 'waiting' | 'playing' | 'starved' | 'paused';
  ended: boolean;
}

const fadeMs = 5;
const progressEveryMs = 200;
const frameMs = 20;
/** What one call may have waiting; beyond it samples are dropped and counted. */
export const maxQueuedMs = 180_000;
const maxWords = 4000;
const rememberedTurns = 16;

export class PlayoutQueue {
  private turns: Turn[] = [];
  private flushedUpTo = Number.NEGATIVE_INFINITY;
  /** The last turns that were played to their end. */
  private readonly finished: number[] = [];
  private rate: number;
  /** Resampled and not yet played, of the first turn only. */
  private readonly ready: SampleQueue;
  private scratch = new Int16Array(4096);
  /** The few samples with which cut-off speech fades out. */
  private tail: Int16Array | undefined;
  private fadeInLeft = 0;
  droppedMs = 0;
  /** Messages about turns that were flushed or finished already. */
  staleMessages = 0;

  constructor(
    outputRate: number,
    private readonly emit: (event: PlayoutEvent) => void,
  ) {
    this.rate = outputRate;
    this.ready = new SampleQueue(48_000);
  }

  /** True while something would be played now. */
  get playing(): boolean {
    const turn = this.turns[0];
    return turn !== undefined && turn.state !== 'paused';
  }

  get queuedMs(): number {
    let sum = 0;
    for (const turn of this.turns) sum += turn.receivedMs - this.playedMs(turn);
    return sum;
  }

  play(turnId: number, pcm: Int16Array, sampleRate: number, words: readonly PlayoutWord[]): void {
    if (this.isOver(turnId) || !Number.isFinite(sampleRate) || sampleRate < 4000 || sampleRate > 192_000) {
      this.staleMessages++;
      return;
    }
    const turn = this.turnFor(turnId);
    if (turn.ended) {
      this.staleMessages++;
      return;
    }
    const lengthMs = (pcm.length * 1000) / sampleRate;
    if (this.queuedMs + lengthMs > maxQueuedMs) {
      this.droppedMs += lengthMs;
      return;
    }
    for (const word of words) {
      if (turn.words.length >= maxWords) break;
      const middle = (word.startSample + word.endSample) / 2;
      turn.words.push({ text: word.text, middleMs: turn.receivedMs + (middle * 1000) / sampleRate });
    }
    if (pcm.length > 0) turn.chunks.push({ pcm, sampleRate, at: 0 });
    turn.receivedMs += lengthMs;
  }

  end(turnId: number): void {
    if (this.isOver(turnId)) {
      this.staleMessages++;
      return;
    }
    const turn = this.turnFor(turnId);
    turn.ended = true;
    if (turn === this.turns[0] && this.isDry(turn)) this.finish(turn);
  }

  pause(turnId: number): void {
    const turn = this.turns.find((candidate) => candidate.turnId === turnId);
    if (turn === undefined || turn.state === 'paused') return;
    if (turn === this.turns[0] && turn.state === 'playing') this.tail = this.fadeOut(turn);
    turn.state = 'paused';
  }

  resume(turnId: number): void {
    const turn = this.turns.find((candidate) => candidate.turnId === turnId);
    if (turn === undefined || turn.state !== 'paused') return;
    turn.state = turn.playedSamples > 0 || turn.playedBeforeMs > 0 ? 'playing' : 'waiting';
    this.fadeInLeft = this.fadeSamples;
  }

  /** As new, except for the fade of what was being played; nothing is told of the turns that are dropped. */
  restart(): void {
    const head = this.turns[0];
    if (head !== undefined && head.state === 'playing') this.tail = this.fadeOut(head);
    this.turns = [];
    this.ready.reset();
    this.finished.length = 0;
    this.flushedUpTo = Number.NEGATIVE_INFINITY;
  }

  /** Forgets every turn up to `turnId`; at most the fade of the first of them is still played. */
  flush(turnId: number): void {
    this.flushedUpTo = Math.max(this.flushedUpTo, turnId);
    const head = this.turns[0];
    if (head !== undefined && head.turnId <= turnId && head.state === 'playing') this.tail = this.fadeOut(head);
    let answered = false;
    const kept: Turn[] = [];
    for (const turn of this.turns) {
      if (turn.turnId > turnId) kept.push(turn);
      else {
        answered ||= turn.turnId === turnId;
        this.report(turn, 'flushed');
      }
    }
    if (head !== undefined && head.turnId <= turnId) this.ready.reset();
    this.turns = kept;
    if (!answered) this.emit({ turnId, state: 'flushed', playedMs: 0, heardText: '' });
  }

  /** The codec changed its rate. */
  setOutputRate(rate: number): void {
    if (rate === this.rate) return;
    for (const turn of this.turns) {
      turn.playedBeforeMs += (turn.playedSamples * 1000) / this.rate;
      turn.playedSamples = 0;
      turn.resampler = undefined;
    }
    this.ready.reset();
    this.tail = undefined;
    this.rate = rate;
  }

  /** Writes the next speech into `frame`; returns how many samples are speech. The rest is left as it was. */
  pull(frame: Int16Array): number {
    let at = 0;
    if (this.tail !== undefined) {
      const length = Math.min(frame.length, this.tail.length);
      frame.set(this.tail.subarray(0, length));
      this.tail = undefined;
      at = length;
    }
    while (at < frame.length) {
      const turn = this.turns[0];
      if (turn === undefined || turn.state === 'paused') break;
      this.prepare(turn, frame.length - at + this.fadeSamples);
      const wanted = frame.length - at;
      const dry = this.ready.length < wanted + this.fadeSamples && turn.chunks.length === 0 && !turn.ended;
      if (dry && this.ready.length === 0) {
        this.starve(turn);
        break;
      }
      if (turn.state !== 'playing') this.begin(turn);
      const taken = this.ready.read(frame, wanted, at);
      this.fadeIn(frame, at, taken);
      turn.playedSamples += taken;
      at += taken;
      if (dry) {
        fadeTo0(frame, Math.max(0, at - this.fadeSamples), at);
        this.starve(turn);
        break;
      }
      if (this.isDry(turn) && turn.ended) this.finish(turn);
      else this.progress(turn);
    }
    return at;
  }

  dump() {
    return {
      queuedMs: Math.round(this.queuedMs),
      droppedMs: Math.round(this.droppedMs),
      staleMessages: this.staleMessages,
      turns: this.turns.map((turn) => ({
        turnId: turn.turnId,
        state: turn.state,
        ended: turn.ended,
        playedMs: Math.round(this.playedMs(turn)),
      })),
    };
  }

  private get fadeSamples(): number {
    return (this.rate * fadeMs) / 1000;
  }

  private turnFor(turnId: number): Turn {
    let turn = this.turns.find((candidate) => candidate.turnId === turnId);
    if (turn === undefined) {
      turn = {
        turnId,
        chunks: [],
        words: [],
        receivedMs: 0,
        playedSamples: 0,
        playedBeforeMs: 0,
        progressMs: 0,
        resampler: undefined,
        tailPushed: false,
        state: 'waiting',
        ended: false,
      };
      this.turns.push(turn);
    }
    return turn;
  }

  /** Brings at least `samples` of the turn to the codec's rate, if it has them. */
  private prepare(turn: Turn, samples: number): void {
    while (this.ready.length < samples) {
      const chunk = turn.chunks[0];
      if (chunk === undefined) {
        if (turn.ended && !turn.tailPushed) {
          turn.tailPushed = true;
          this.pushTail(turn);
          continue;
        }
        return;
      }
      if (turn.resampler?.inputRate !== chunk.sampleRate) turn.resampler = new Resampler(chunk.sampleRate, this.rate);
      const block = chunk.pcm.subarray(chunk.at, chunk.at + (chunk.sampleRate * frameMs) / 1000);
      chunk.at += block.length;
      if (chunk.at >= chunk.pcm.length) turn.chunks.shift();
      this.resample(turn.resampler, block);
    }
  }

  /** What the filter still holds of the last samples. */
  private pushTail(turn: Turn): void {
    const resampler = turn.resampler;
    if (resampler === undefined || resampler.delaySamples === 0) return;
    const inputSamples = Math.ceil((resampler.delaySamples * resampler.inputRate) / this.rate);
    this.resample(resampler, new Int16Array(inputSamples));
  }

  private resample(resampler: Resampler, block: Int16Array): void {
    const needed = resampler.maxOutput(block.length);
    if (this.scratch.length < needed) this.scratch = new Int16Array(needed);
    this.ready.write(this.scratch, resampler.process(block, this.scratch));
  }

  private isDry(turn: Turn): boolean {
    return turn.chunks.length === 0 && (turn !== this.turns[0] || this.ready.length === 0);
  }

  private begin(turn: Turn): void {
    if (turn.state === 'starved') this.fadeInLeft = this.fadeSamples;
    const first = turn.state === 'waiting';
    turn.state = 'playing';
    if (first) this.report(turn, 'started');
  }

  private starve(turn: Turn): void {
    if (turn.state !== 'playing') return;
    turn.state = 'starved';
    this.report(turn, 'starved');
  }

  private isOver(turnId: number): boolean {
    return turnId <= this.flushedUpTo || this.finished.includes(turnId);
  }

  private finish(turn: Turn): void {
    this.turns.shift();
    this.finished.push(turn.turnId);
    if (this.finished.length > rememberedTurns) this.finished.shift();
    this.report(turn, 'finished');
  }

  private progress(turn: Turn): void {
    const playedMs = this.playedMs(turn);
    if (playedMs - turn.progressMs < progressEveryMs) return;
    turn.progressMs = playedMs;
    this.report(turn, 'progress');
  }

  /** A last few samples of the turn, fading. They count as played. */
  private fadeOut(turn: Turn): Int16Array {
    this.prepare(turn, this.fadeSamples);
    const tail = new Int16Array(Math.min(this.fadeSamples, this.ready.length));
    this.ready.read(tail);
    turn.playedSamples += tail.length;
    fadeTo0(tail, 0, tail.length);
    return tail;
  }

  private fadeIn(frame: Int16Array, from: number, length: number): void {
    const total = this.fadeSamples;
    for (let i = from; i < from + length && this.fadeInLeft > 0; i++, this.fadeInLeft--) {
      frame[i] = Math.round((frame[i]! * (total - this.fadeInLeft + 1)) / (total + 1));
    }
  }

  /** What has left, less what the resampler delays. */
  private playedMs(turn: Turn): number {
    const delayMs = ((turn.resampler?.delaySamples ?? 0) * 1000) / this.rate;
    const playedMs = turn.playedBeforeMs + (turn.playedSamples * 1000) / this.rate - delayMs;
    return Math.min(turn.receivedMs, Math.max(0, playedMs));
  }

  private report(turn: Turn, state: PlayoutEvent['state']): void {
    const playedMs = state === 'finished' ? turn.receivedMs : this.playedMs(turn);
    const heard = [];
    for (const word of turn.words) if (word.middleMs <= playedMs) heard.push(word.text.trim());
    this.emit({ turnId: turn.turnId, state, playedMs, heardText: heard.join(' ') });
  }
}

function fadeTo0(pcm: Int16Array, from: number, to: number): void {
  for (let i = from; i < to; i++) pcm[i] = Math.round((pcm[i]! * (to - i)) / (to - from + 1));
}
