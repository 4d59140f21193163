/** A SIP transport without a network: what is sent is kept or handed to another one, through rules that may lose it. */
import type { Hop, SipTransport, TransportName } from '../../../src/sip/embedded/transport';

export class MemoryTransport implements SipTransport {
  readonly reliable: boolean;
  readonly sent: { readonly text: string; readonly to: Hop }[] = [];
  /** Called for each message; true loses it. */
  lose: (text: string, count: number) => boolean = () => false;
  peer: MemoryTransport | undefined;
  private receive: ((bytes: Buffer, from: Hop) => void) | undefined;
  private count = 0;

  constructor(
    readonly local: { readonly address: string; readonly port: number },
    readonly name: TransportName = 'udp',
  ) {
    this.reliable = name !== 'udp';
  }

  async start(receive: (bytes: Buffer, from: Hop) => void): Promise<void> {
    this.receive = receive;
  }

  send(bytes: Buffer, to: Hop): void {
    const text = bytes.toString('utf8');
    this.sent.push({ text, to });
    this.count++;
    if (this.lose(text, this.count)) return;
    this.peer?.inject(bytes, { transport: this.name, ...this.local });
  }

  inject(bytes: Buffer | string, from: Hop = { transport: this.name, address: '192.0.2.1', port: 5060 }): void {
    this.receive?.(typeof bytes === 'string' ? Buffer.from(bytes.replace(/\r?\n/g, '\r\n'), 'utf8') : bytes, from);
  }

  /** Start lines of what was sent. */
  get lines(): string[] {
    return this.sent.map(({ text }) => text.slice(0, text.indexOf('\r\n')));
  }

  async stop(): Promise<void> {
    this.receive = undefined;
  }

  dump(): Readonly<Record<string, number>> {
    return { sent: this.sent.length };
  }
}

export function connect(a: MemoryTransport, b: MemoryTransport): void {
  a.peer = b;
  b.peer = a;
}
