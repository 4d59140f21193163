import { createSocket } from 'node:dgram';
import { RtpTransport } from '../../src/media/rtp-transport';
import type { MediaPacket, TransportHooks } from '../../src/media/transport';
import { PortPool } from '../../src/rtp/port-pool';
import { parseRtcp } from '../../src/rtp/rtcp';
import { pcmuFormat } from '../support/loopback-transport';

interface End {
  readonly transport: RtpTransport;
  readonly packets: MediaPacket[];
}

const opened: RtpTransport[] = [];

async function openEnd(bindAddress: string, ssrc: number, ports = new PortPool(1, 0, () => 0)): Promise<End> {
  const packets: MediaPacket[] = [];
  const hooks: TransportHooks = {
    onPacket: (packet) => packets.push(packet),
    onStarted: () => {},
    onState: () => {},
    onEvent: () => {},
  };
  const transport = await RtpTransport.open({
    bindAddress,
    ports,
    hooks,
    ssrc,
    nowMs: () => performance.now(),
    wallClockMs: () => Date.now(),
  });
  opened.push(transport);
  return { transport, packets };
}

async function waitFor(enough: () => boolean): Promise<void> {
  while (!enough()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const packet = (sequenceNumber: number, ssrc: number): MediaPacket => ({
  payloadType: 0,
  sequenceNumber,
  timestampTicks: sequenceNumber * 160,
  ssrc,
  marker: false,
  payload: Uint8Array.of(1, 2, 3),
});

afterEach(() => {
  for (const transport of opened.splice(0)) transport.close();
});

describe('RTP over UDP', () => {
  it.each(['127.0.0.1', '::1'])('carries packets both ways on %s', async (address) => {
    const a = await openEnd(address, 1);
    const b = await openEnd(address, 2);
    a.transport.connect(b.transport.local, pcmuFormat);
    b.transport.connect(a.transport.local, pcmuFormat);
    expect(a.transport.send(packet(0, 1))).toBe(true);
    expect(b.transport.send(packet(65_535, 2))).toBe(true);
    await waitFor(() => a.packets.length === 1 && b.packets.length === 1);
    expect(b.packets[0]).toMatchObject({ sequenceNumber: 0, ssrc: 1 });
    expect([...a.packets[0]!.payload]).toEqual([1, 2, 3]);
  });

  it('measures the round trip from the reports of both sides', async () => {
    const a = await openEnd('127.0.0.1', 1);
    const b = await openEnd('127.0.0.1', 2);
    a.transport.connect(b.transport.local, pcmuFormat);
    b.transport.connect(a.transport.local, pcmuFormat);
    a.transport.send(packet(0, 1));
    b.transport.send(packet(0, 2));
    await waitFor(() => a.packets.length === 1 && b.packets.length === 1);
    const received = { fractionLost: 0, cumulativeLost: 0, extendedHighestSequence: 0, jitterTicks: 0 };
    const report = (ssrc: number) => ({
      sentTimestampTicks: 0,
      sentPackets: 1,
      sentBytes: 3,
      received: { ssrc, ...received },
    });
    await waitFor(() => {
      a.transport.report(report(2));
      b.transport.report(report(1));
      return a.transport.counters().roundTripMs !== undefined;
    });
    expect(a.transport.counters().roundTripMs).toBeGreaterThanOrEqual(0);
    expect(a.transport.counters().malformed).toBe(0);
  });

  it('reports as a sender only while it sends, where SDP wants it, and says goodbye behind a last report', async () => {
    const [rtp, rtcp] = [createSocket('udp4'), createSocket('udp4')];
    const reports: string[][] = [];
    rtcp.on('message', (datagram) => reports.push((parseRtcp(datagram) ?? []).map(({ type }) => type)));
    for (const socket of [rtp, rtcp]) await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { transport } = await openEnd('127.0.0.1', 1);
    const address = '127.0.0.1';
    transport.connect({ address, port: rtp.address().port }, pcmuFormat, {
      rtcp: { address, port: rtcp.address().port },
    });
    const report = { sentTimestampTicks: 0, sentPackets: 1, sentBytes: 3, received: undefined };
    transport.report(report);
    transport.report(report);
    transport.close({ ...report, sentPackets: 2 });
    await waitFor(() => reports.length === 3);
    expect(reports).toEqual([
      ['sender-report', 'source-description'],
      ['receiver-report', 'source-description'],
      ['sender-report', 'source-description', 'bye'],
    ]);
    rtp.close();
    rtcp.close();
  });

  it('plays nothing of an attacker and sends nothing to it, before, during and after a new SDP', async () => {
    const line = await openEnd('127.0.0.1', 1);
    const [phone, moved, attacker] = await Promise.all([
      openEnd('127.0.0.1', 2),
      openEnd('127.0.0.1', 3),
      openEnd('127.0.0.2', 4),
    ]);
    const heard: number[] = [];
    const to = line.transport.local;
    attacker.transport.connect(to, pcmuFormat);
    phone.transport.connect(to, pcmuFormat);
    moved.transport.connect(to, pcmuFormat);
    let number = 0;
    const attack = async (packets: number) => {
      const before = line.transport.counters().foreign;
      for (let i = 0; i < packets; i++) attacker.transport.send(packet(number++, 4));
      // Its reports are no better.
      attacker.transport.report({ sentTimestampTicks: 0, sentPackets: number, sentBytes: 9, received: undefined });
      await waitFor(() => line.transport.counters().foreign >= before + packets + 1);
    };
    line.transport.connect(phone.transport.local, pcmuFormat);
    await attack(8);
    phone.transport.send(packet(0, 2));
    await waitFor(() => line.packets.length === 1);
    await attack(50);
    line.transport.connect(moved.transport.local, pcmuFormat);
    await attack(8);
    moved.transport.send(packet(0, 3));
    await waitFor(() => line.packets.length === 2);
    await attack(50);
    for (let i = 0; i < 20; i++) {
      line.transport.send(packet(i, 1));
      line.transport.report({ sentTimestampTicks: 0, sentPackets: i, sentBytes: 9, received: undefined });
    }
    await waitFor(() => moved.packets.length === 20);
    for (const { ssrc } of line.packets) heard.push(ssrc);
    expect(heard).toEqual([2, 3]);
    expect(attacker.packets).toEqual([]);
    expect(attacker.transport.counters().foreign + attacker.transport.counters().malformed).toBe(0);
  });

  it('takes an even port of the range with the odd one above, and another while that rests', async () => {
    const pool = new PortPool(41_000, 41_999, () => 0.3);
    const first = await openEnd('127.0.0.1', 1, pool);
    const { port } = first.transport.local;
    expect(port % 2).toBe(0);
    first.transport.close();
    first.transport.close();
    const second = await openEnd('127.0.0.1', 1, pool);
    expect(second.transport.local.port).not.toBe(port);
  });

  it('sends nothing before it knows where to, nor after it was closed', async () => {
    const { transport } = await openEnd('127.0.0.1', 1);
    expect(transport.send(packet(0, 1))).toBe(false);
    transport.connect({ address: '127.0.0.1', port: 9 }, pcmuFormat);
    transport.close();
    expect(transport.send(packet(0, 1))).toBe(false);
    expect(transport.sendEvent()).toBe(false);
  });
});
