/**
 * The line from a caller's packet to the listener's frame, top to bottom:
 *
 *   transport -> jitter buffer -> decode | conceal -> resample to 16 kHz -> 20 ms frames on the call's sample clock
 *
 * Packets come when they come; frames leave on the pacer's tick, one per 20 ms, without exception.
 */
import { ComfortNoise } from '../audio/comfort-noise';
import { DtmfDetector } from '../audio/dtmf-detector';
import { noiseRms, rms, saturate } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import { SampleQueue } from '../audio/sample-queue';
import type { Codec } from '../codecs/codec';
import { Concealment } from '../codecs/concealment';
import { createCodec } from '../codecs/preference';
import { comfortNoiseRms, staticComfortNoiseType } from '../rtp/comfort-noise-payload';
import { JitterBuffer } from '../rtp/jitter-buffer';
import { ReceptionStatistics } from '../rtp/reception';
import { type Dtmf, TelephoneEventReceiver } from '../rtp/telephone-event';
import type { MediaFormat, MediaPacket } from './transport';

export const callSampleRate = 16_000;
export const callFrameSamples = 320;
const frameMs = 20;
/** About -50 dBFS: below it a frame is taken for a pause, where time may be shortened or stretched unheard. */
const quietRms = 100;
/** A far end that sends nothing is concealed for so long, then it is silence. */
const idleConcealMs = 60;
/** The noise that comfort noise is scaled from. */
const referenceNoiseDbm0 = -30;
/** A jitter buffer answers a pull within a packet or a gap; more answers than this per tick means tiny packets. */
const maxPullsPerTick = 32;

export class Inbound {
  /** 16 kHz samples since the call's first. */
  callSample = 0;
  readonly reception: ReceptionStatistics;
  ignoredPayloadTypes = 0;
  /** Frames of silence that stand for time in which the thread did not run. */
  skippedFrames = 0;
  lastPacketMs: number | undefined;
  private codec: Codec;
  private jitterBuffer: JitterBuffer;
  private concealment: Concealment;
  private resampler: Resampler;
  private decoded: SampleQueue;
  private events: TelephoneEventReceiver | undefined;
  /** Keys that are sung, from a far end that sends no events; one that does would be heard twice. */
  private sung: DtmfDetector | undefined;
  private readonly frame = new Int16Array(callFrameSamples);
  private narrow: Int16Array;
  private scratch: Int16Array;
  private other: Int16Array;
  private quiet = true;
  private idleMs = 0;
  private enabled = true;
  private started = false;
  private noise: ComfortNoise;
  private noiseScratch: Int16Array;
  /** What the far end's silence sounds like, as its last packet said; undefined: it speaks, or never told. */
  private comfortRms: number | undefined;
  /** How long packets waited in the buffer, over the frames in which it was running. */
  private delaySumMs = 0;
  private delayFrames = 0;
  /** What the next packet repeated of a lost one. */
  private recoveredMs = 0;
  /** Of codecs and buffers that were replaced by a change of format. */
  private concealedBeforeMs = 0;
  private before = { late: 0, duplicate: 0, overflow: 0, bad: 0 };

  constructor(
    private format: MediaFormat,
    private readonly onDtmf: (dtmf: Dtmf) => void,
  ) {
    this.codec = createCodec(format.codec.name);
    const { clockRate, decodeRate } = this.codec.description;
    this.reception = new ReceptionStatistics(clockRate);
    this.jitterBuffer = this.makeJitterBuffer();
    this.concealment = new Concealment(decodeRate);
    this.resampler = new Resampler(decodeRate, callSampleRate);
    this.decoded = new SampleQueue(decodeRate);
    this.narrow = new Int16Array((decodeRate * frameMs) / 1000);
    this.scratch = new Int16Array(this.codec.maxDecodedSamples);
    this.other = new Int16Array(this.codec.maxDecodedSamples);
    this.events = makeEvents(format);
    this.sung = makeDetector(format);
    this.noise = makeNoise(decodeRate);
    this.noiseScratch = new Int16Array(this.scratch.length);
  }

  get stats() {
    const counts = this.jitterBuffer.counts;
    return {
      packetsLate: this.before.late + counts.late,
      packetsDropped:
        this.before.duplicate +
        counts.duplicate +
        this.before.overflow +
        counts.overflow +
        this.before.bad +
        this.codec.badPayloads +
        counts.unplayable +
        this.ignoredPayloadTypes,
      packetsLost: this.reception.lost,
      jitterMs: this.reception.jitterMs,
      delayMs: this.jitterBuffer.delayMs,
      meanDelayMs: this.delayFrames === 0 ? 0 : this.delaySumMs / this.delayFrames,
      targetDelayMs: this.jitterBuffer.targetDelayMs,
      concealedMs: this.concealedBeforeMs + this.concealment.concealedMs,
      recoveredMs: this.recoveredMs,
      jitterBuffer: counts,
    };
  }

  /** A re-INVITE: another codec begins a new line, the same one goes on undisturbed. */
  setFormat(format: MediaFormat): void {
    const sameCodec = format.codec.name === this.format.codec.name;
    const sameEvents =
      format.telephoneEvent?.payloadType === this.format.telephoneEvent?.payloadType &&
      format.telephoneEvent?.clockRate === this.format.telephoneEvent?.clockRate;
    this.format = format;
    if (!sameEvents) {
      this.events = makeEvents(format);
      this.sung = makeDetector(format);
    }
    if (sameCodec) return;

    const counts = this.jitterBuffer.counts;
    this.before.late += counts.late;
    this.before.duplicate += counts.duplicate;
    this.before.overflow += counts.overflow;
    this.before.bad += this.codec.badPayloads + counts.unplayable;
    this.concealedBeforeMs += this.concealment.concealedMs;
    this.codec.close();
    this.codec = createCodec(format.codec.name);
    const { clockRate, decodeRate } = this.codec.description;
    this.reception.setClockRate(clockRate);
    this.jitterBuffer = this.makeJitterBuffer();
    this.concealment = new Concealment(decodeRate);
    this.resampler = new Resampler(decodeRate, callSampleRate);
    this.decoded = new SampleQueue(decodeRate);
    this.narrow = new Int16Array((decodeRate * frameMs) / 1000);
    this.scratch = new Int16Array(this.codec.maxDecodedSamples);
    this.noiseScratch = new Int16Array(this.scratch.length);
    this.other = new Int16Array(this.codec.maxDecodedSamples);
    this.noise = makeNoise(decodeRate);
    this.comfortRms = undefined;
  }

  /** On hold frames are silence, whatever still arrives. */
  setEnabled(enabled: boolean): void {
    if (this.enabled && !enabled) {
      this.jitterBuffer.reset();
      this.concealment.reset();
      this.decoded.reset();
    }
    this.enabled = enabled;
  }

  /** Another socket speaks from now on: its numbers mean nothing to the old stream's. */
  newSource(): void {
    this.jitterBuffer.reset();
  }

  close(): void {
    this.codec.close();
  }

  push(packet: MediaPacket, arrivalMs: number): void {
    this.lastPacketMs = arrivalMs;
    this.reception.push(packet, arrivalMs);
    if (!this.enabled) return;
    if (packet.payloadType === this.format.codec.payloadType) {
      this.comfortRms = undefined;
      this.jitterBuffer.put(packet, arrivalMs);
    } else if (this.events !== undefined && packet.payloadType === this.format.telephoneEvent?.payloadType) {
      for (const dtmf of this.events.push(packet, arrivalMs)) this.onDtmf(dtmf);
    } else if (packet.payloadType === (this.format.comfortNoise?.payloadType ?? staticComfortNoiseType)) {
      // Its number is static, and many send it unasked.
      this.comfortRms = comfortNoiseRms(packet.payload);
    } else {
      this.ignoredPayloadTypes++;
    }
  }

  /** The next 20 ms at 16 kHz. The array is the same each time. */
  tick(nowMs: number): Int16Array {
    const expired = this.events?.expire(nowMs);
    if (expired !== undefined) this.onDtmf(expired);
    this.callSample += callFrameSamples;
    if (!this.enabled) {
      this.frame.fill(0);
      return this.frame;
    }
    const wanted = this.narrow.length;
    for (let pulls = 0; this.decoded.length < wanted && pulls < maxPullsPerTick; pulls++) this.pull(nowMs);
    if (this.idleMs === 0 && this.started) {
      this.delaySumMs += Math.max(0, this.jitterBuffer.delayMs);
      this.delayFrames++;
    }
    const got = this.decoded.read(this.narrow, wanted);
    if (got < wanted) this.narrow.fill(0, got);
    this.quiet = rms(this.narrow) < quietRms;
    this.resampler.process(this.narrow, this.frame);
    if (this.sung !== undefined) for (const key of this.sung.push(this.frame)) this.onDtmf(key);
    return this.frame;
  }

  private pull(nowMs: number): void {
    const pulled = this.jitterBuffer.pull(nowMs, this.quiet);
    switch (pulled.kind) {
      case 'packet':
        this.emit(this.scratch, this.codec.decode(pulled.packet.payload, this.scratch));
        return;
      case 'merge': {
        const first = this.codec.decode(pulled.from.payload, this.other);
        const length = this.codec.decode(pulled.packet.payload, this.scratch);
        const blended = Math.min(first, length);
        for (let i = 0; i < blended; i++) {
          const weight = i / blended;
          this.scratch[i] = Math.round(this.scratch[i]! * weight + this.other[i]! * (1 - weight));
        }
        this.emit(this.scratch, length);
        return;
      }
      case 'gap': {
        const { clockRate, decodeRate } = this.codec.description;
        const samples = Math.round((pulled.ticks * decodeRate) / clockRate);
        if (pulled.reason === 'idle') {
          this.idleMs += (pulled.ticks * 1000) / clockRate;
          if (!this.started || this.idleMs > idleConcealMs) {
            this.silence(samples);
            return;
          }
          // The far end said that it falls silent: its noise comes up while the last sound fades.
          if (this.comfortRms !== undefined) {
            this.conceal(samples, this.idleMs / idleConcealMs);
            return;
          }
        }
        if (pulled.reason === 'lost') this.repair(samples, pulled.next?.payload);
        else this.conceal(samples);
        return;
      }
    }
  }

  private emit(pcm: Int16Array, length: number): void {
    if (length === 0) {
      this.conceal(this.narrow.length);
      return;
    }
    this.started = true;
    this.idleMs = 0;
    this.concealment.good(pcm, length);
    this.decoded.write(pcm, length);
  }

  /**
   * A loss that is certain: what the next packet repeats of it, else what the codec makes of its own state, else repetition. (Of a
   * packet that may still come the codec is told nothing: its state must fit it then.)
   */
  private repair(samples: number, next: Uint8Array | undefined): void {
    const length = Math.min(samples, this.scratch.length);
    const recovered = next === undefined ? 0 : (this.codec.recover?.(next, length, this.scratch) ?? 0);
    if (recovered > 0) {
      this.recoveredMs += (recovered * 1000) / this.codec.description.decodeRate;
      this.emit(this.scratch, recovered);
      return;
    }
    const made = this.codec.conceal?.(length, this.scratch) ?? 0;
    if (made === 0) {
      this.conceal(length);
      return;
    }
    this.concealment.concealWith(this.scratch, made);
    this.decoded.write(this.scratch, made);
  }

  private conceal(samples: number, noiseGain = 0): void {
    const length = Math.min(samples, this.scratch.length);
    this.concealment.conceal(this.scratch, length);
    if (noiseGain > 0) this.addNoise(length, noiseGain);
    this.decoded.write(this.scratch, length);
  }

  private addNoise(length: number, gain: number): void {
    if (this.comfortRms === undefined) return;
    const scale = (gain * this.comfortRms) / noiseRms(referenceNoiseDbm0);
    const noise = this.noiseScratch.subarray(0, length);
    this.noise.fill(noise);
    for (let i = 0; i < length; i++) this.scratch[i] = saturate(this.scratch[i]! + scale * noise[i]!);
  }

  private silence(samples: number): void {
    const length = Math.min(samples, this.scratch.length);
    this.scratch.fill(0, 0, length);
    if (this.started) this.concealment.silence();
    this.addNoise(length, 1);
    this.decoded.write(this.scratch, length);
  }

  private makeJitterBuffer(): JitterBuffer {
    const codec = this.codec;
    return new JitterBuffer({
      clockRate: codec.description.clockRate,
      durationTicks: (payload) => codec.durationTicks(payload),
      redundant: codec.recover !== undefined,
    });
  }
}

/** Where in the loop a call begins does not matter: it hears one far end only. */
function makeNoise(sampleRate: number): ComfortNoise {
  return new ComfortNoise(sampleRate, referenceNoiseDbm0, () => 0);
}

function makeEvents(format: MediaFormat): TelephoneEventReceiver | undefined {
  return format.telephoneEvent && new TelephoneEventReceiver(format.telephoneEvent.clockRate);
}

function makeDetector(format: MediaFormat): DtmfDetector | undefined {
  return format.telephoneEvent === undefined ? new DtmfDetector(callSampleRate) : undefined;
}
