/** A name server on loopback that knows what a test tells it: NAPTR, SRV, A and AAAA over UDP (RFC 1035, 2782, 3403, 3596). */
import { createSocket, type Socket } from 'node:dgram';

export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | {
      readonly type: 'NAPTR';
      readonly order: number;
      readonly preference: number;
      readonly service: string;
      readonly replacement: string;
    };

const types: Readonly<Record<DnsRecord['type'], number>> = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 };

export class DnsServer {
  /** `SRV _sip._udp.example.com`, as they were asked. */
  readonly asked: string[] = [];
  private constructor(
    private readonly socket: Socket,
    readonly records: Map<string, readonly DnsRecord[]>,
  ) {}

  static async open(records: Readonly<Record<string, readonly DnsRecord[]>>): Promise<DnsServer> {
    const socket = createSocket('udp4');
    const server = new DnsServer(socket, new Map(Object.entries(records)));
    socket.on('message', (query, from) => {
      const answer = server.answer(query);
      socket.send(answer, from.port, from.address);
    });
    await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  close(): Promise<void> {
    return new Promise((closed) => this.socket.close(() => closed()));
  }

  private answer(query: Buffer): Buffer {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = query.readUInt16BE(at + 1);
    const question = query.subarray(12, at + 5);
    const name = labels.join('.').toLowerCase();
    const typeName = Object.entries(types).find(([, number]) => number === type)?.[0] ?? String(type);
    this.asked.push(`${typeName} ${name}`);
    const known = this.records.get(name);
    const found = (known ?? []).filter((one) => types[one.type] === type);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    // An answer with authority; 3: there is no such name.
    head.writeUInt16BE(0x8580 | (known === undefined ? 3 : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(found.length, 6);
    return Buffer.concat([head, question, ...found.map(encode)]);
  }
}

function encode(record: DnsRecord): Buffer {
  const data = dataOf(record);
  const head = Buffer.alloc(12);
  // The name is that of the question, at byte 12.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(types[record.type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(1, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function dataOf(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number));
    case 'AAAA':
      if (record.address !== '::1') throw new Error('the test needs no other');
      return Buffer.concat([Buffer.alloc(15), Buffer.from([1])]);
    case 'SRV':
      return Buffer.concat([numbers(record.priority, record.weight, record.port), name(record.target)]);
    case 'NAPTR':
      return Buffer.concat([
        numbers(record.order, record.preference),
        text('s'),
        text(record.service),
        text(''),
        name(record.replacement),
      ]);
  }
}

function numbers(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
}

function name(value: string): Buffer {
  const labels = value === '.' ? [] : value.split('.');
  return Buffer.concat([...labels.map(text), Buffer.from([0])]);
}
