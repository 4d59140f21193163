/** An endpoint on virtual time with a memory transport below and the test as its application above. */
import { ManualClock } from '../../../src/core/clock';
import { silentLogger } from '../../../src/core/log';
import { type AppMessage, parseAppMessage } from '../../../src/sip/embedded/app-message';
import { Endpoint } from '../../../src/sip/embedded/endpoint';
import type { AppLink, Delivery } from '../../../src/sip/embedded/endpoint-context';
import type { Hop } from '../../../src/sip/embedded/transport';
import { MemoryTransport } from './memory-transport';

export class EndpointDriver implements AppLink {
  readonly transport: MemoryTransport;
  readonly endpoint: Endpoint;
  readonly deliveries: Delivery[] = [];
  onDelivery: (delivery: Delivery) => void = () => {};
  registered = true;
  admit: (source: Hop) => boolean = () => true;
  private sequence = 0;

  constructor(
    readonly clock: ManualClock = new ManualClock(),
    address = '127.0.0.1',
    port = 5060,
    name: 'udp' | 'tcp' = 'udp',
  ) {
    this.transport = new MemoryTransport({ address, port }, name);
    this.endpoint = new Endpoint(
      {
        transports: [this.transport],
        clock,
        log: silentLogger,
        resolve: async (uri) => [{ transport: name, address: uri.host, port: uri.port ?? 5060 }],
        interfaces: () => ({}),
        random: (bytes) => {
          this.sequence++;
          return `${port}${this.sequence}`.padStart(bytes * 2, '0');
        },
        admit: (source) => this.admit(source),
      },
      this,
    );
  }

  async start(): Promise<this> {
    await this.endpoint.start();
    return this;
  }

  next(): number | undefined {
    return this.registered ? 1 : undefined;
  }

  deliver(_owner: number, delivery: Delivery): boolean {
    this.deliveries.push(delivery);
    this.onDelivery(delivery);
    return true;
  }

  /** What was delivered, in short: `INVITE`, `200`. */
  get delivered(): string[] {
    return this.deliveries.map(({ message }) => (message.kind === 'request' ? message.method : String(message.status)));
  }

  last(what: string): Delivery {
    const found = [...this.deliveries]
      .reverse()
      .find(({ message }) => (message.kind === 'request' ? message.method : String(message.status)) === what);
    if (found === undefined) throw new Error(`no ${what} was delivered: ${this.delivered.join(' ')}`);
    return found;
  }

  /** 'refused: …' or the message as it went out. */
  answer(transactionId: string, text: string): string {
    const prepared = this.endpoint.prepareResponse(1, transactionId, app(text));
    if ('refused' in prepared) return `refused: ${prepared.refused}`;
    prepared.commit();
    return prepared.transactionId;
  }

  async request(
    text: string,
    ids: { readonly transactionId?: string; readonly dialogId?: string; readonly proxy?: string } = {},
  ): Promise<string> {
    const prepared = await this.endpoint.prepareRequest(
      1,
      { transactionId: '', dialogId: '', proxy: '', ...ids },
      app(text),
    );
    if ('refused' in prepared) return `refused: ${prepared.refused}`;
    prepared.commit();
    return prepared.transactionId;
  }

  /** Start lines sent since the last call. */
  takeLines(): string[] {
    const { lines } = this.transport;
    this.transport.sent.length = 0;
    return lines;
  }

  get dump(): Record<string, unknown> {
    return { ...this.endpoint.dump() };
  }
}

export function app(text: string): AppMessage {
  const parsed = parseAppMessage(text.replace(/\r?\n/g, '\r\n'));
  if (parsed === undefined) throw new Error('the test wrote a message that cannot be read');
  return parsed;
}

/** Lets promises run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

export const sdpBody =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

export interface Wire {
  readonly method: string;
  readonly branch?: string;
  readonly cseq?: number;
  readonly callId?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly via?: string;
  readonly extra?: string;
  readonly body?: string;
}

/** A request of a caller at 192.0.2.1:5060. */
export function wire({
  method,
  branch = 'one',
  cseq = 1,
  callId = 'call-1',
  fromTag = 'far',
  toTag,
  via,
  extra = '',
  body = '',
}: Wire): string {
  return [
    `${method} sip:demo@127.0.0.1:5060 SIP/2.0`,
    via ?? `Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK${branch}`,
    'Max-Forwards: 70',
    `From: "Far" <sip:far@192.0.2.1>;tag=${fromTag}`,
    `To: <sip:demo@127.0.0.1>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    'Contact: <sip:far@192.0.2.1:5060>',
    ...(extra === '' ? [] : [extra]),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

export function headerOf(text: string, name: string): string | undefined {
  const start = `${name.toLowerCase()}:`;
  return text
    .split('\r\n')
    .find((line) => line.toLowerCase().startsWith(start))
    ?.slice(start.length)
    .trim();
}

export function tagOfTo(text: string): string {
  return /;tag=([^;>\s]+)/.exec(headerOf(text, 'To') ?? '')?.[1] ?? '';
}
