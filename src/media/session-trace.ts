/** What a session keeps for people who look into its call: a sample of its quality now and then, and its newest packets. */
import type { QualitySample } from '../core/call-trace';
import { PacketCapture } from './packet-capture';
import type { FromMedia, SocketAddress } from './protocol';
import { QualityMeter, qualityIntervalMs, type ReceptionCounts } from './quality-meter';
import type { MediaFormat, MediaPacket, MediaTransport } from './transport';

const frameMs = 20;

export class SessionTrace {
  private readonly meter = new QualityMeter();
  private frames = 0;
  private dueInFrames = qualityIntervalMs / frameMs;
  private packets: PacketCapture | undefined;
  private remote: SocketAddress | undefined;
  /** While it is on, what is said and pressed is for nobody. */
  secure = false;

  /** `wallMs`: milliseconds since 1970, as fine as the clock gives them. */
  constructor(private readonly wallMs: () => number) {}

  /** What is kept already goes on being kept. */
  capture(packets: number, payload: boolean): void {
    this.packets ??= new PacketCapture(packets, payload);
  }

  /** The far end that was locked. */
  heardFrom(remote: SocketAddress | undefined): void {
    this.remote = remote;
  }

  note(packet: MediaPacket, sent: boolean, format: MediaFormat | undefined): void {
    if (this.packets === undefined) return;
    const isKey = packet.payloadType === format?.telephoneEvent?.payloadType;
    this.packets.note(packet, sent, this.wallMs(), this.secure || isKey);
  }

  /** Where packets go to leave: the transport, overheard. */
  around(transport: MediaTransport): Pick<MediaTransport, 'send'> {
    return {
      send: (packet) => {
        this.note(packet, true, transport.format);
        return transport.send(packet);
      },
    };
  }

  /** Once a frame; a sample where one is due. */
  tick(counts: () => ReceptionCounts): QualitySample | undefined {
    this.frames += 1;
    if (this.frames < this.dueInFrames) return undefined;
    this.dueInFrames = this.frames + qualityIntervalMs / frameMs;
    return this.meter.sample(this.frames * frameMs, counts());
  }

  /** Frames in which the thread did not run. */
  skip(frames: number): void {
    this.frames += frames;
  }

  captured(sessionId: string, local: SocketAddress | undefined): FromMedia | undefined {
    if (this.packets === undefined) return undefined;
    return { type: 'captured', sessionId, capture: this.packets.get({ local, remote: this.remote }) };
  }
}
