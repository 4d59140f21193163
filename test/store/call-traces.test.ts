/** What is kept of calls: found by the call, within its bounds, gone with the oldest. */
import { type CallEvent, CallEventSequence } from '../../src/core/call-event';
import type { OverheardSip, QualitySample } from '../../src/core/call-trace';
import { PacketCapture } from '../../src/media/packet-capture';
import { parseRtp } from '../../src/rtp/packet';
import { CallTraces } from '../../src/store/call-traces';
import { readPcap } from '../support/pcap-reader';

let nowMs = Date.UTC(2026, 0, 1);
const now = () => new Date(nowMs++);
const sources = { newId: () => 'e', now };
const here = { address: '192.0.2.1', port: 5060 };
const there = { address: '2001:db8::7', port: 5070 };

const message = (sipCallId: string, cseq: string, more = '', sent = false): OverheardSip => ({
  ...{ sent, transport: 'udp', local: here, remote: there },
  bytes: Buffer.from(
    `${cseq.split(' ')[1]} sip:demo@x SIP/2.0\r\nCall-ID: ${sipCallId}\r\nCSeq: ${cseq}\r\n${more}\r\n`,
  ),
});
const started = (callId: string, sipCallId?: string): CallEvent =>
  new CallEventSequence(callId, sources).next('call.started', {
    ...{ direction: 'inbound', transport: 'sip', from: 'a', to: 'demo', sipCallId },
  });
const ended = (callId: string): CallEvent =>
  new CallEventSequence(callId, sources, 1).next('call.ended', { cause: 'caller-hangup', durationMs: 0 });
const sample = (atMs: number, lostShare = 0): QualitySample => ({
  ...{ atMs, lostShare, jitterMs: 1, mos: 4.4, packetsReceived: 100, packetsSent: 100 },
});

function traces(maxBytes = 1_000_000): CallTraces {
  return new CallTraces({ now, maxBytes });
}

describe('the SIP messages of a call', () => {
  it('are kept from its INVITE on, which comes before anybody knows the call', () => {
    const kept = traces();
    kept.overhear(message('abc', '1 INVITE'));
    kept.event(started('call_1', 'abc'));
    kept.overhear(message('abc', '1 INVITE', '', true));
    kept.overhear(message('abc', '2 BYE'));
    const { messages, dropped } = kept.sip('call_1') ?? { messages: [], dropped: -1 };
    expect(dropped).toBe(0);
    expect(messages.map(({ sent, text }) => [sent, text.split(' ')[0]])).toEqual([
      [false, 'INVITE'],
      [true, 'INVITE'],
      [false, 'BYE'],
    ]);
    expect(messages[0]).toMatchObject({ local: '192.0.2.1:5060', remote: '[2001:db8::7]:5070', copy: false });
  });

  it('of a call of ours are found by the Call-ID that it got, or by several', () => {
    const kept = traces();
    kept.event(started('call_1'));
    kept.overhear(message('first', '1 INVITE', '', true));
    kept.link('call_1', 'first');
    kept.link('call_1', 'second');
    kept.overhear(message('second', '1 INVITE', '', true));
    expect(kept.sip('call_1')?.messages).toHaveLength(2);
  });

  it('say which are copies, and mask what is secret', () => {
    const kept = traces();
    const secret = 'Authorization: Digest username="a", response="RESPONSE-1"\r\n';
    for (let times = 0; times < 2; times++) kept.overhear(message('abc', '1 INVITE', secret));
    kept.event(started('call_1', 'abc'));
    const messages = kept.sip('call_1')?.messages ?? [];
    expect(messages.map(({ copy }) => copy)).toEqual([false, true]);
    expect(JSON.stringify(messages)).not.toContain('RESPONSE-1');
  });

  it('are not those of registrations, scanners and junk', () => {
    const kept = traces();
    kept.overhear(message('reg', '1 REGISTER'));
    kept.overhear(message('ping', '1 OPTIONS'));
    kept.overhear({ ...message('x', '1 INVITE'), bytes: Buffer.from('\r\n\r\n') });
    expect(kept.keptBytes).toBe(0);
    for (let number = 0; number < 1000; number++) kept.overhear(message(`scan${number}`, '1 INVITE'));
    expect(kept.keptBytes).toBeLessThan(64 * 1000);
  });

  it('are counted and no longer kept beyond their bound', () => {
    const kept = traces();
    kept.event(started('call_1', 'abc'));
    for (let number = 0; number < 250; number++) kept.overhear(message('abc', `${number} INVITE`));
    expect(kept.sip('call_1')).toMatchObject({ dropped: 50 });
    expect(kept.sip('call_1')?.messages).toHaveLength(200);
  });
});

describe('the quality of a call', () => {
  it('stands for twice the time when an hour is full', () => {
    const kept = traces();
    for (let at = 1; at <= 4000; at++) kept.sample('call_1', sample(2000 * at, at % 2 === 0 ? 0.5 : 0));
    const { intervalMs, samples } = kept.quality('call_1') ?? { intervalMs: 0, samples: [] };
    expect(intervalMs).toBe(8000);
    expect(samples.length).toBeLessThanOrEqual(1800);
    // What was lost in every second sample is half as much over both.
    expect(new Set(samples.map(({ lostShare }) => lostShare))).toEqual(new Set([0.25]));
    expect(samples.at(-1)?.atMs).toBe(8_000_000);
  });
});

describe('calls together', () => {
  it('keep to the budget: what has ended first goes, live calls stay', () => {
    const kept = traces(20_000);
    for (let number = 0; number < 50; number++) {
      const id = `call_${number}`;
      kept.event(started(id, id));
      kept.overhear(message(id, '1 INVITE', `X: ${'x'.repeat(400)}\r\n`));
      if (number > 0) kept.event(ended(id));
    }
    expect(kept.keptBytes).toBeLessThanOrEqual(20_000);
    expect(kept.forgotten).toBeGreaterThan(20);
    expect(kept.sip('call_0')?.messages).toHaveLength(1);
    expect(kept.sip('call_1')).toBeUndefined();
    expect(kept.sip('call_49')?.messages).toHaveLength(1);
  });
});

describe('the capture file of a call', () => {
  it('has its SIP and its RTP in the order of time, between the right places', () => {
    const kept = traces();
    kept.overhear(message('abc', '1 INVITE'));
    kept.event(started('call_1', 'abc'));
    const capture = new PacketCapture(10, false);
    const packet = {
      ...{ payloadType: 0, sequenceNumber: 7, timestampTicks: 160, ssrc: 9, marker: true },
      payload: new Uint8Array(160),
    };
    capture.note(packet, true, nowMs + 20, false);
    kept.captured(
      'call_1',
      capture.get({ local: { address: '0.0.0.0', port: 20_000 }, remote: { address: '198.51.100.4', port: 4000 } }),
    );
    nowMs += 1000;
    kept.overhear(message('abc', '2 BYE'));
    const read = readPcap(kept.pcap('call_1') ?? new Uint8Array());
    expect(read.map(({ to }) => to.port)).toEqual([5060, 4000, 5060]);
    const [, rtp] = read;
    expect(rtp).toMatchObject({ from: { address: '192.0.2.1', port: 20_000 }, originalBytes: 172 });
    expect(parseRtp(rtp?.payload ?? new Uint8Array())).toMatchObject({ sequenceNumber: 7, ssrc: 9 });
  });

  it('is none where nothing is kept', () => {
    expect(traces().pcap('call_1')).toBeUndefined();
  });
});

describe('what is erased of a call', () => {
  const withPackets = (): CallTraces => {
    const kept = traces();
    kept.overhear(message('abc', '1 INVITE'));
    kept.event(started('call_1', 'abc'));
    const capture = new PacketCapture(1, true);
    const packet = { payloadType: 0, sequenceNumber: 7, timestampTicks: 0, ssrc: 9, marker: true };
    capture.note({ ...packet, payload: new Uint8Array(160) }, false, nowMs, false);
    kept.captured('call_1', capture.get({ local: undefined, remote: undefined }));
    return kept;
  };

  it('is all of it, and what comes late for it is kept no more', () => {
    const kept = withPackets();
    kept.erase('call_1', 'call');
    expect(kept.sip('call_1')).toBeUndefined();
    expect(kept.keptBytes).toBe(0);
    kept.overhear(message('abc', '2 BYE'));
    expect(kept.keptBytes).toBe(0);
  });

  it('is every packet with its recording, and no message', () => {
    const kept = withPackets();
    expect(readPcap(kept.pcap('call_1')!)).toHaveLength(2);
    kept.erase('call_1', 'recording');
    expect(readPcap(kept.pcap('call_1')!)).toHaveLength(1);
    kept.erase('call_1', 'transcript');
    expect(kept.sip('call_1')?.messages).toHaveLength(1);
  });
});
