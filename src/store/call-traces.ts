/**
 * What is kept of calls for people who look into them, in memory only and within a budget: SIP messages with secrets masked,
 * samples of the quality, the newest RTP packets. Calls that have ended give way to newer ones; nothing survives a restart.
 */
import type { CallEvent } from '../core/call-event';
import type {
  CallTraceReader,
  OverheardSip,
  QualitySample,
  QualityTrace,
  RtpCapture,
  SipTrace,
  TracedSipMessage,
} from '../core/call-trace';
import { capturedPackets } from '../media/packet-capture';
import { qualityIntervalMs } from '../media/quality-meter';
import { maskedMessage } from '../sip/masked-message';
import { bracketed } from '../sip/uri';
import { type PcapPacket, writePcap } from './pcap';

export interface CallTracesOptions {
  readonly now: () => Date;
  /** Of all calls together, about. */
  readonly maxBytes: number;
}

/** A call with more than that is a loop or an attack; the first tell more than the last. */
const mostMessages = 200;
const mostMessageBytes = 8192;
/** An hour at two seconds; then every second sample goes and the others stand for twice the time. */
const mostSamples = 1800;
/** What a message or a sample costs beside its text. */
const overheadBytes = 200;
/** Who speaks of no call that we know of keeps no memory for longer than the next so many. */
const mostWithoutCall = 64;

interface Trace {
  callId: string | undefined;
  ended: boolean;
  readonly sipCallIds: Set<string>;
  readonly messages: (TracedSipMessage & { readonly wallMs: number })[];
  dropped: number;
  intervalMs: number;
  /** Samples that make up one of `intervalMs`, and the first of them while the others are awaited. */
  samples: QualitySample[];
  pending: QualitySample[];
  capture: RtpCapture | undefined;
  bytes: number;
}

export class CallTraces implements CallTraceReader {
  private readonly byCall = new Map<string, Trace>();
  private readonly bySip = new Map<string, Trace>();
  /** Of `bySip`, those of no call that we know of (yet). */
  private readonly strangers = new Map<string, Trace>();
  private bytes = 0;
  /** Traces that gave way to newer ones. */
  forgotten = 0;

  constructor(private readonly options: CallTracesOptions) {}

  get keptBytes(): number {
    return this.bytes;
  }

  /** A message that passed. One that opens no call and belongs to none is not kept. */
  overhear(message: OverheardSip): void {
    const text = new TextDecoder().decode(message.bytes);
    const head = text.slice(0, Math.max(0, text.indexOf('\r\n\r\n')));
    const sipCallId = /^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]+?)[ \t]*$/im.exec(head)?.[1];
    if (sipCallId === undefined) return;
    const known = this.bySip.get(sipCallId);
    if (known === undefined && !/^cseq[ \t]*:[ \t]*\d+[ \t]+INVITE[ \t]*$/im.test(head)) return;
    const trace = known ?? this.begin(sipCallId);
    if (trace.messages.length >= mostMessages) {
      trace.dropped += 1;
      return;
    }
    const at = this.options.now();
    const { sent, transport, local, remote } = message;
    const masked = maskedMessage(text);
    const shown = masked.length > mostMessageBytes ? `${masked.slice(0, mostMessageBytes)}…` : masked;
    trace.messages.push({
      at: at.toISOString(),
      wallMs: at.getTime(),
      sent,
      transport,
      local: place(local),
      remote: place(remote),
      copy: trace.messages.some((before) => before.sent === sent && before.text === shown),
      text: shown,
    });
    this.grow(trace, 2 * shown.length + overheadBytes);
  }

  /** The call goes by that SIP Call-ID; messages may have passed before it is known. */
  link(callId: string, sipCallId: string): void {
    const trace = this.of(callId);
    const before = this.bySip.get(sipCallId);
    if (before === trace) return;
    if (before !== undefined && before.callId === undefined) {
      trace.messages.push(...before.messages);
      trace.messages.sort((one, other) => one.wallMs - other.wallMs);
      trace.dropped += before.dropped;
      trace.bytes += before.bytes;
    }
    this.strangers.delete(sipCallId);
    trace.sipCallIds.add(sipCallId);
    this.bySip.set(sipCallId, trace);
  }

  /** Learns which calls there are, and which are over. */
  event(event: CallEvent): void {
    if (event.type === 'call.started' && event.data.sipCallId !== undefined) {
      this.link(event.callId, event.data.sipCallId);
    }
    if (event.type !== 'call.ended') return;
    const trace = this.byCall.get(event.callId);
    if (trace === undefined) return;
    trace.ended = true;
    this.grow(trace, 0);
  }

  sample(callId: string, sample: QualitySample): void {
    const trace = this.of(callId);
    trace.pending.push(sample);
    if (trace.pending.length * qualityIntervalMs < trace.intervalMs) return;
    trace.samples.push(joined(trace.pending.splice(0)));
    this.grow(trace, overheadBytes);
    if (trace.samples.length < mostSamples) return;
    trace.intervalMs *= 2;
    trace.samples = trace.samples.flatMap((one, index, all) =>
      index % 2 === 0 ? [] : [joined([all[index - 1] ?? one, one])],
    );
    this.grow(trace, -overheadBytes * trace.samples.length);
  }

  captured(callId: string, capture: RtpCapture): void {
    const trace = this.of(callId);
    trace.capture = capture;
    this.grow(trace, capture.records.length);
  }

  /** Nothing is left of it; of a recording: no packet of the call. */
  erase(callId: string, what: 'call' | 'transcript' | 'recording' | 'voicemail'): void {
    const trace = this.byCall.get(callId);
    if (trace === undefined) return;
    if (what === 'call') this.forget(callId, trace);
    if (what !== 'recording' || trace.capture === undefined) return;
    const { length } = trace.capture.records;
    trace.capture = undefined;
    this.grow(trace, -length);
  }

  sip(callId: string): SipTrace | undefined {
    const trace = this.byCall.get(callId);
    return trace && { messages: trace.messages.map(({ wallMs: _, ...message }) => message), dropped: trace.dropped };
  }

  quality(callId: string): QualityTrace | undefined {
    const trace = this.byCall.get(callId);
    return trace && { intervalMs: trace.intervalMs, samples: [...trace.samples] };
  }

  pcap(callId: string): Uint8Array | undefined {
    const trace = this.byCall.get(callId);
    if (trace === undefined || (trace.messages.length === 0 && trace.capture === undefined)) return undefined;
    const packets = [...sipPackets(trace), ...rtpPackets(trace)];
    return writePcap(packets.sort((one, other) => one.wallMs - other.wallMs));
  }

  private of(callId: string): Trace {
    const known = this.byCall.get(callId);
    if (known !== undefined) return known;
    const trace = newTrace(callId);
    this.bytes += trace.bytes;
    this.byCall.set(callId, trace);
    return trace;
  }

  private begin(sipCallId: string): Trace {
    for (const [oldest, { bytes }] of this.strangers) {
      if (this.strangers.size < mostWithoutCall) break;
      this.strangers.delete(oldest);
      this.bySip.delete(oldest);
      this.bytes -= bytes;
    }
    const trace = newTrace(undefined);
    this.bytes += trace.bytes;
    trace.sipCallIds.add(sipCallId);
    this.bySip.set(sipCallId, trace);
    this.strangers.set(sipCallId, trace);
    return trace;
  }

  /** Live calls are never forgotten: each is bounded by itself. */
  private grow(trace: Trace, bytes: number): void {
    trace.bytes += bytes;
    this.bytes += bytes;
    for (const [callId, oldest] of this.byCall) {
      if (this.bytes <= this.options.maxBytes) return;
      if (!oldest.ended) continue;
      this.forget(callId, oldest);
      this.forgotten += 1;
    }
  }

  private forget(callId: string, trace: Trace): void {
    this.byCall.delete(callId);
    for (const sipCallId of trace.sipCallIds) this.bySip.delete(sipCallId);
    this.bytes -= trace.bytes;
  }
}

function newTrace(callId: string | undefined): Trace {
  return {
    callId,
    ended: false,
    sipCallIds: new Set(),
    messages: [],
    dropped: 0,
    intervalMs: qualityIntervalMs,
    samples: [],
    pending: [],
    capture: undefined,
    bytes: overheadBytes,
  };
}

/** One sample for the time of several. */
function joined(samples: readonly QualitySample[]): QualitySample {
  const last = samples.at(-1)!;
  if (samples.length === 1) return last;
  const received = samples.reduce((sum, { packetsReceived }) => sum + packetsReceived, 0);
  const scores = samples.flatMap(({ mos }) => (mos === undefined ? [] : [mos]));
  return {
    ...last,
    lostShare: samples.reduce((sum, { lostShare }) => sum + lostShare, 0) / samples.length,
    jitterMs: Math.max(...samples.map(({ jitterMs }) => jitterMs)),
    packetsReceived: received,
    packetsSent: samples.reduce((sum, { packetsSent }) => sum + packetsSent, 0),
    ...(scores.length === 0 ? {} : { mos: Math.min(...scores) }),
  };
}

function place({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${bracketed(address)}:${port}`;
}

function placeOf(text: string): { address: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

function sipPackets({ messages }: Trace): PcapPacket[] {
  return messages.map(({ wallMs, sent, local, remote, text }) => {
    const [us, them] = [placeOf(local), placeOf(remote)];
    const payload = new TextEncoder().encode(text);
    return { wallMs, payload, from: sent ? us : them, to: sent ? them : us };
  });
}

/** RFC 5737: of a browser's call the addresses are not known here. */
const documentation = [
  { address: '192.0.2.1', port: 30_000 },
  { address: '192.0.2.2', port: 30_002 },
] as const;

function rtpPackets({ capture, messages }: Trace): PcapPacket[] {
  if (capture === undefined) return [];
  // Bound to every address: then that of the signalling is the one that was used.
  const bound = capture.local;
  const wildcard = bound === undefined || ['0.0.0.0', '::'].includes(bound.address);
  const signalled = messages[0] === undefined ? undefined : placeOf(messages[0].local).address;
  const us = bound && { ...bound, address: wildcard ? (signalled ?? bound.address) : bound.address };
  const local = us ?? documentation[0];
  const remote = capture.remote ?? documentation[1];
  return [...capturedPackets(capture)].map(({ wallMs, sent, kept, bytes }) => ({
    ...{ wallMs, bytes, payload: kept },
    from: sent ? local : remote,
    to: sent ? remote : local,
  }));
}
