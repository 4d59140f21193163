/**
 * The line from the agent's samples to the caller's packet, top to bottom:
 *
 *   playout queue | echo | tone, else comfort noise -> encode -> packetize -> transport, on the pacer's tick
 *
 * While sending is on, a packet leaves every packet time, whatever there is to say; on hold nothing leaves at all.
 */
import { ComfortNoise } from '../audio/comfort-noise';
import { noiseRms } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import { dtmfFrequencies, Tone } from '../audio/tone';
import type { Codec } from '../codecs/codec';
import { createCodec } from '../codecs/preference';
import { writeComfortNoise } from '../rtp/comfort-noise-payload';
import { Packetizer } from '../rtp/packetizer';
import { TelephoneEventSender } from '../rtp/telephone-event';
import { AgentInConference } from './agent-in-conference';
import { MixMinus } from './mix-minus';
import { type PlayoutEvent, PlayoutQueue } from './playout-queue';
import type { MediaSource } from './protocol';
import type { MediaFormat, MediaTransport } from './transport';

const frameMs = 20;
/** Audible as a live line, far below speech. */
const comfortNoiseDbm0 = -62;
/** Where silence is described instead of sent: noise is sent on for so long, then its description now and then. */
const hangoverFrames = 10;
const describeEveryFrames = 20;
/** An echo is a connection with oneself. */
const OWN_FAR_END = 'own';
const dtmfToneDbm0 = -9;
/** A packet of 60 ms less one byte, and a frame, at a byte each 125 µs. */
const maxGatheredBytes = 640;

export class Outbound {
  readonly playout: PlayoutQueue;
  readonly packetizer: Packetizer;
  private codec: Codec;
  private frame: Int16Array;
  private noise: ComfortNoise;
  private source: MediaSource = { kind: 'playout' };
  private tone: Tone | undefined;
  private music:
    | {
        readonly pcm: Int16Array;
        readonly sampleRate: number;
        readonly yields: boolean;
        played: Int16Array;
        at: number;
      }
    | undefined;
  private echo: MixMinus | undefined;
  private connected: MixMinus | undefined;
  /** An agent who stays on a call that is connected: what it says, and how that is added. */
  private agent: AgentInConference | undefined;
  private events: TelephoneEventSender | undefined;
  /** Digits sung in band because the far end takes no events. */
  private sung: { digit: string; framesLeft: number }[] = [];
  private sungTone: Tone | undefined;
  /** Coded samples that wait for a packet of another length than a frame to be full, and when the first of them is due. */
  private readonly gathered = new Uint8Array(maxGatheredBytes);
  private gatheredBytes = 0;
  private gatheredTimestamp = 0;
  /** Frames since something was said last. */
  private silentFrames = 0;
  private enabled = true;

  constructor(
    private format: MediaFormat,
    private readonly random: () => number,
    onPlayout: (event: PlayoutEvent) => void,
  ) {
    this.codec = createCodec(format.codec.name);
    const { encodeRate } = this.codec.description;
    this.playout = new PlayoutQueue(encodeRate, onPlayout);
    this.packetizer = new Packetizer(random);
    this.frame = new Int16Array((encodeRate * frameMs) / 1000);
    this.noise = new ComfortNoise(encodeRate, comfortNoiseDbm0, random);
    this.events = makeSender(format);
  }

  get encodeRate(): number {
    return this.codec.description.encodeRate;
  }

  get sending(): boolean {
    return this.enabled;
  }

  setFormat(format: MediaFormat): void {
    const sameCodec = format.codec.name === this.format.codec.name;
    const sameEvents =
      format.telephoneEvent?.payloadType === this.format.telephoneEvent?.payloadType &&
      format.telephoneEvent?.clockRate === this.format.telephoneEvent?.clockRate;
    if (format.codec.packetMs !== this.format.codec.packetMs) this.gatheredBytes = 0;
    this.format = format;
    if (!sameEvents) this.events = makeSender(format);
    if (sameCodec) return;
    this.codec.close();
    this.codec = createCodec(format.codec.name);
    const { encodeRate } = this.codec.description;
    this.frame = new Int16Array((encodeRate * frameMs) / 1000);
    this.noise = new ComfortNoise(encodeRate, comfortNoiseDbm0, this.random);
    this.playout.setOutputRate(encodeRate);
    this.gatheredBytes = 0;
    this.setSource(this.source);
    if (this.music !== undefined) this.music = { ...this.music, at: 0, played: this.brought(this.music) };
  }

  /** The share of our packets, 0…1, that the far end reports lost: codecs with redundancy repeat more then. */
  expectLoss(share: number): void {
    this.codec.expectLoss?.(share);
  }

  close(): void {
    this.codec.close();
  }

  setEnabled(enabled: boolean): void {
    if (this.enabled === enabled) return;
    this.enabled = enabled;
    this.gatheredBytes = 0;
    this.packetizer.pause();
  }

  setSource(source: MediaSource): void {
    this.source = source;
    this.tone = source.kind === 'tone' ? new Tone([source.frequencyHz], source.levelDbm0, this.encodeRate) : undefined;
    this.echo = source.kind === 'echo' ? new MixMinus([OWN_FAR_END], this.encodeRate) : undefined;
    this.connected = source.kind === 'bridge' ? new MixMinus(source.peers, this.encodeRate) : undefined;
    this.agent =
      source.kind === 'bridge' && source.playout === true
        ? new AgentInConference(this.encodeRate, this.frame.length)
        : undefined;
  }

  /** `yields`: it stands still while something is played. */
  setMusic(sound: { readonly pcm: Int16Array; readonly sampleRate: number } | undefined, yields = false): void {
    const quiet = sound === undefined || sound.pcm.length === 0;
    this.music = quiet ? undefined : { ...sound, yields, at: 0, played: this.brought(sound) };
  }

  private brought({ pcm, sampleRate }: { readonly pcm: Int16Array; readonly sampleRate: number }): Int16Array {
    const resampler = new Resampler(sampleRate, this.encodeRate);
    const out = new Int16Array(resampler.maxOutput(pcm.length));
    return out.slice(0, resampler.process(pcm, out));
  }

  /** What our own far end says, for the echo. */
  heardOwn(frame: Int16Array): void {
    this.echo?.heard(frame, OWN_FAR_END);
  }

  /** What somebody says with whom we may be connected. */
  heardPeer(frame: Int16Array, from: string, fromAfar: boolean): void {
    this.connected?.heard(frame, from, fromAfar);
  }

  /** A conference in which our agent stays: what it said in the last frame, and the others besides our far end, 16 kHz. */
  get conference(): { readonly said: Int16Array; readonly others: Int16Array } | undefined {
    const { agent, connected } = this;
    return agent === undefined || connected === undefined ? undefined : { said: agent.said, others: connected.others };
  }

  sendDtmf(digits: string): void {
    if (this.events !== undefined) {
      this.events.send(digits);
      return;
    }
    for (const digit of digits) {
      if (dtmfFrequencies(digit) !== undefined && this.sung.length < 64) this.sung.push({ digit, framesLeft: 10 });
    }
  }

  /** Time in which nothing could be sent: the timestamps go on without packets. */
  skip(frames: number): void {
    this.gatheredBytes = 0;
    this.packetizer.advance(frames * this.frameTicks);
  }

  /** Sends what is due now. Returns what the far end hears of it, undefined if nothing was sent. */
  tick(transport: Pick<MediaTransport, 'send'>): Int16Array | undefined {
    if (!this.enabled) {
      this.packetizer.advance(this.frameTicks);
      return undefined;
    }
    this.agent?.quiet();
    const event = this.events?.next();
    if (event !== undefined) {
      const began = this.packetizer.timestampTicks - event.beganFramesAgo * this.frameTicks;
      const payloadType = this.format.telephoneEvent?.payloadType ?? 0;
      transport.send(this.packetizer.eventPacket(payloadType, event.payload, began >>> 0, event.marker));
      this.packetizer.pause();
      this.gatheredBytes = 0;
      this.frame.fill(0);
    } else {
      this.silentFrames = this.fill() ? 0 : this.silentFrames + 1;
      if (this.format.comfortNoise !== undefined && this.silentFrames > hangoverFrames) {
        this.describeSilence(transport, this.format.comfortNoise.payloadType);
      } else this.send(transport, this.codec.encode(this.frame));
    }
    this.packetizer.advance(this.frameTicks);
    return this.frame;
  }

  private get frameTicks(): number {
    return (this.codec.description.clockRate * frameMs) / 1000;
  }

  /**
   * G.711 and G.722 are bytes in a row, one per tick of their clock, and leave in packets as long as the far end asks for;
   * two of 10 ms leave one behind the other. Opus stays at one frame.
   */
  private send(transport: Pick<MediaTransport, 'send'>, payload: Uint8Array): void {
    const { payloadType, name, packetMs } = this.format.codec;
    if (name === 'opus' || packetMs === frameMs) {
      transport.send(this.packetizer.packet(payloadType, payload));
      return;
    }
    const packetBytes = (Math.min(60, Math.max(10, packetMs)) * payload.length) / frameMs;
    if (this.gatheredBytes === 0) this.gatheredTimestamp = this.packetizer.timestampTicks;
    this.gathered.set(payload, this.gatheredBytes);
    this.gatheredBytes += payload.length;
    let at = 0;
    for (; this.gatheredBytes - at >= packetBytes; at += packetBytes) {
      const packet = this.gathered.subarray(at, at + packetBytes);
      transport.send(this.packetizer.packet(payloadType, packet, (this.gatheredTimestamp + at) >>> 0));
    }
    this.gathered.copyWithin(0, at, this.gatheredBytes);
    this.gatheredBytes -= at;
    this.gatheredTimestamp = (this.gatheredTimestamp + at) >>> 0;
  }

  /** Discontinuous transmission (RFC 3389 §4): its level when silence begins, and again before a NAT forgets us. */
  private describeSilence(transport: Pick<MediaTransport, 'send'>, payloadType: number): void {
    const since = this.silentFrames - hangoverFrames - 1;
    this.gatheredBytes = 0;
    if (since % describeEveryFrames !== 0) return;
    const payload = writeComfortNoise(noiseRms(comfortNoiseDbm0));
    transport.send(this.packetizer.eventPacket(payloadType, payload, this.packetizer.timestampTicks, false));
    this.packetizer.pause();
  }

  /** False: there was nothing to say, and the frame is noise. */
  private fill(): boolean {
    const frame = this.frame;
    if (this.sing(frame)) {
      this.connected?.skip();
      return true;
    }
    if (this.music !== undefined && !(this.music.yields && this.playout.playing)) {
      const { played } = this.music;
      for (let i = 0; i < frame.length; i++) {
        frame[i] = played[this.music.at]!;
        this.music.at = (this.music.at + 1) % played.length;
      }
      this.connected?.skip();
      return true;
    }
    if (this.source.kind === 'tone') {
      this.tone!.fill(frame);
      return true;
    }
    const line = this.echo ?? this.connected;
    const got = line === undefined ? this.playout.pull(frame) : line.pull(frame);
    if (got < frame.length) this.noise.fill(frame, got);
    return this.agent === undefined ? got > 0 : this.agent.speakOver(frame, this.playout) || got > 0;
  }

  /** 120 ms of a key's two tones, then 80 ms of silence. */
  private sing(frame: Int16Array): boolean {
    const key = this.sung[0];
    if (key === undefined) return false;
    this.sungTone ??= new Tone(dtmfFrequencies(key.digit) ?? [], dtmfToneDbm0, this.encodeRate);
    if (key.framesLeft > 4) this.sungTone.fill(frame);
    else frame.fill(0);
    if (--key.framesLeft === 0) {
      this.sung.shift();
      this.sungTone = undefined;
    }
    return true;
  }
}

function makeSender(format: MediaFormat): TelephoneEventSender | undefined {
  return format.telephoneEvent && new TelephoneEventSender(format.telephoneEvent.clockRate, frameMs);
}
