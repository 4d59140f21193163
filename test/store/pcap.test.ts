/** Capture files: read back by a reader of our own, and by tshark or tcpdump where there is one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { writePcap } from '../../src/store/pcap';
import { readPcap } from '../support/pcap-reader';

const place = fc.record({
  address: fc.oneof(fc.ipV4(), fc.ipV6()),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const packet = fc.record({
  wallMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  from: place,
  to: place,
  payload: fc.uint8Array({ maxLength: 400 }),
});

describe('a capture file', () => {
  it('holds every packet with its time, addresses, ports and payload, and right checksums', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 8 }), (packets) => {
        const read = readPcap(writePcap(packets));
        expect(read).toHaveLength(packets.length);
        for (const [index, one] of read.entries()) {
          const { wallMs, from, to, payload } = packets[index]!;
          expect(one).toMatchObject({ wallMs, checksumsHold: true, originalBytes: payload.length });
          expect([one.from.port, one.to.port]).toEqual([from.port, to.port]);
          expect([...one.payload]).toEqual([...payload]);
        }
      }),
    );
  });

  it('writes addresses of both families', () => {
    const between = (from: string, to: string) => {
      const [read] = readPcap(
        writePcap([
          { wallMs: 0, from: { address: from, port: 1 }, to: { address: to, port: 2 }, payload: new Uint8Array(1) },
        ]),
      );
      return [read?.from.address, read?.to.address];
    };
    expect(between('192.0.2.1', '198.51.100.255')).toEqual(['192.0.2.1', '198.51.100.255']);
    expect(between('::ffff:192.0.2.1', '192.0.2.2')).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(between('[2001:db8::1]', 'fe80::1%eth0')).toEqual(['2001:db8:0:0:0:0:0:1', 'fe80:0:0:0:0:0:0:1']);
    expect(between('2001:db8::1', '192.0.2.2')).toEqual(['2001:db8:0:0:0:0:0:1', '0:0:0:0:0:ffff:c000:202']);
    expect(between('phone.example', '192.0.2.2')).toEqual(['0.0.0.0', '192.0.2.2']);
  });

  it('says how long a packet was of which only the beginning is kept', () => {
    const kept = new Uint8Array(12);
    const [read] = readPcap(
      writePcap([
        {
          ...{ wallMs: 0, payload: kept, bytes: 172 },
          from: { address: '192.0.2.1', port: 1 },
          to: { address: '192.0.2.2', port: 2 },
        },
      ]),
    );
    expect(read?.payload).toHaveLength(12);
    expect(read?.originalBytes).toBe(172);
  });

  const reader = ['tshark', 'tcpdump'].find((name) => spawnSync(name, ['--version']).status === 0);
  (reader === undefined ? it.skip : it)('is read by a program that others wrote', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pcap-'));
    try {
      const file = join(folder, 'call.pcap');
      const text = 'OPTIONS sip:demo@192.0.2.2 SIP/2.0\r\nCall-ID: abc\r\n\r\n';
      writeFileSync(
        file,
        writePcap([
          {
            ...{ wallMs: 1_700_000_000_123, payload: new TextEncoder().encode(text) },
            from: { address: '192.0.2.1', port: 5060 },
            to: { address: '192.0.2.2', port: 5060 },
          },
        ]),
      );
      const said = execFileSync(reader ?? '', ['-n', '-r', file], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      expect(said).toMatch(/192\.0\.2\.1.*192\.0\.2\.2/);
      expect(said).toMatch(/OPTIONS/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
