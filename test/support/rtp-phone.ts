/** A G.711 phone for tests: one UDP socket that sends what it is given every 20 ms and keeps every packet it gets. */
import { createSocket, type Socket } from 'node:dgram';
import { linearFromMuLaw, muLawFromLinear } from '../../src/codecs/g711';
import { isRtcp, parseRtp, type RtpPacket, writeRtp } from '../../src/rtp/packet';

export interface Heard {
  readonly packet: RtpPacket;
  readonly atMs: number;
}

export class RtpPhone {
  readonly heard: Heard[] = [];
  ssrc = 0x1234;
  sequenceNumber = 65_500;
  timestampTicks = 0xffff_f000;
  private timer: NodeJS.Timeout | undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('message', (datagram) => {
      const packet = isRtcp(datagram) ? undefined : parseRtp(datagram);
      if (packet !== undefined) this.heard.push({ packet, atMs: performance.now() });
    });
  }

  static async open(): Promise<RtpPhone> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new RtpPhone(socket);
  }

  get address() {
    return { address: '127.0.0.1', port: this.socket.address().port };
  }

  /** Sends one frame of mu-law, or any payload, and moves the timestamp by a frame. */
  send(to: { address: string; port: number }, payload: Uint8Array, payloadType = 0, marker = false): void {
    this.raw(to, { payloadType, payload, marker, timestampTicks: this.timestampTicks });
    this.timestampTicks = (this.timestampTicks + 160) >>> 0;
  }

  raw(
    to: { address: string; port: number },
    packet: { payloadType: number; payload: Uint8Array; marker: boolean; timestampTicks: number },
  ): void {
    const out = new Uint8Array(12 + packet.payload.length);
    writeRtp({ ...packet, ssrc: this.ssrc, sequenceNumber: this.sequenceNumber }, out);
    this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
    this.socket.send(out, to.port, to.address);
  }

  bytes(to: { address: string; port: number }, datagram: Uint8Array): void {
    this.socket.send(datagram, to.port, to.address);
  }

  /** Sends frames from `next` on absolute deadlines until it yields undefined or `stop`. */
  stream(to: { address: string; port: number }, next: (frame: number) => Uint8Array | undefined): Promise<void> {
    const startMs = performance.now();
    let frame = 0;
    return new Promise((resolve) => {
      const step = () => {
        while (performance.now() >= startMs + frame * 20) {
          const payload = next(frame++);
          if (payload === undefined) return resolve();
          this.send(to, payload, 0, frame === 1);
        }
        this.timer = setTimeout(step, Math.max(1, startMs + frame * 20 - performance.now()));
      };
      step();
    });
  }

  /** Everything heard of one payload type as PCM, in order of arrival. */
  pcm(payloadType = 0, from = 0): Int16Array {
    const out: number[] = [];
    for (const { packet } of this.heard.slice(from)) {
      if (packet.payloadType !== payloadType) continue;
      for (const byte of packet.payload) out.push(linearFromMuLaw(byte));
    }
    return Int16Array.from(out);
  }

  close(): void {
    clearTimeout(this.timer);
    this.socket.close();
  }
}

/** A sine as mu-law frames of 20 ms. */
export function toneFrames(frequencyHz: number, amplitude: number): (frame: number) => Uint8Array {
  return (frame) => {
    const payload = new Uint8Array(160);
    for (let i = 0; i < 160; i++) {
      const t = (frame * 160 + i) / 8000;
      payload[i] = muLawFromLinear(Math.round(amplitude * Math.sin(2 * Math.PI * frequencyHz * t)));
    }
    return payload;
  };
}

/** Frequency by counting upward zero crossings between the first and the last of them. */
export function frequencyOf(pcm: Int16Array, sampleRate: number): number {
  // By tenths of a second, the middle one: a starved machine skips a packet, and the tone goes on with another phase.
  const span = Math.min(pcm.length, sampleRate / 10);
  const found: number[] = [];
  for (let at = 0; at + span <= pcm.length; at += span)
    found.push(crossingRate(pcm.subarray(at, at + span), sampleRate));
  return found.sort((a, b) => a - b)[found.length >> 1] ?? 0;
}

function crossingRate(pcm: Int16Array, sampleRate: number): number {
  let first = -1;
  let last = -1;
  let crossings = 0;
  for (let i = 1; i < pcm.length; i++) {
    if (pcm[i - 1]! < 0 && pcm[i]! >= 0) {
      // Between two samples the line is straight enough.
      const at = i - pcm[i]! / (pcm[i]! - pcm[i - 1]!);
      if (first < 0) first = at;
      else crossings++;
      last = at;
    }
  }
  return crossings === 0 ? 0 : (crossings * sampleRate) / (last - first);
}
