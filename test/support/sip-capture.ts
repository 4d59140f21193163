/** What passes one end's SIP transports, as it passes: the captures from which docs/sip-ladders.md is drawn. */
import type { Hop, SipTransport } from '../../src/sip/embedded/transport';

export interface CapturedMessage {
  /** Since the first message. */
  readonly atMs: number;
  readonly sent: boolean;
  readonly transport: string;
  /** Port of the far end: what tells who it is on loopback. */
  readonly port: number;
  readonly text: string;
}

export class SipCapture {
  readonly messages: CapturedMessage[] = [];
  private startedMs: number | undefined;

  /** The same transport, overheard. */
  around(transport: SipTransport): SipTransport {
    const note = (sent: boolean, bytes: Buffer, hop: Hop): void => {
      const text = bytes.toString('utf8');
      // Keep-alives are no messages.
      if (text.trim() === '') return;
      this.startedMs ??= performance.now();
      const atMs = Math.round(performance.now() - this.startedMs);
      this.messages.push({ atMs, sent, transport: hop.transport, port: hop.port, text });
    };
    return {
      name: transport.name,
      reliable: transport.reliable,
      get local() {
        return transport.local;
      },
      start: (receive) =>
        transport.start((bytes, from) => {
          note(false, bytes, from);
          receive(bytes, from);
        }),
      send: (bytes, to, failed) => {
        note(true, bytes, to);
        transport.send(bytes, to, failed);
      },
      stop: () => transport.stop(),
      dump: () => transport.dump(),
    };
  }
}
