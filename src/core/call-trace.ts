/** What is kept of a call for people who look into it: its SIP messages, its quality over time, its newest RTP packets. */
import { z } from 'zod';

export const tracedSipMessageSchema = z.object({
  at: z.iso.datetime(),
  sent: z.boolean(),
  transport: z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']),
  /** `address:port`, an IPv6 address in brackets. */
  local: z.string(),
  remote: z.string(),
  /** The same bytes as a message before it: a retransmission. */
  copy: z.boolean(),
  /** As on the wire, secrets masked, cut at the length that is kept. */
  text: z.string(),
});
export type TracedSipMessage = z.output<typeof tracedSipMessageSchema>;

export const sipTraceSchema = z.object({
  messages: z.array(tracedSipMessageSchema),
  /** Not kept because there were too many. */
  dropped: z.int(),
});
export type SipTrace = z.output<typeof sipTraceSchema>;

export const qualitySampleSchema = z.object({
  /** Since media began. */
  atMs: z.number(),
  /** In this interval: lost or too late to be played, 0 to 1. */
  lostShare: z.number(),
  /** RFC 3550 appendix A.8, smoothed. */
  jitterMs: z.number(),
  /** Of this interval, by the E-model; left out where nothing was received in it. */
  mos: z.number().optional(),
  /** By RTCP, smoothed, where the far end reports. */
  roundTripMs: z.number().optional(),
  packetsReceived: z.int(),
  packetsSent: z.int(),
});
export type QualitySample = z.output<typeof qualitySampleSchema>;

export const qualityTraceSchema = z.object({
  /** Between two samples; it doubles each time that a long call has filled the list. */
  intervalMs: z.number(),
  samples: z.array(qualitySampleSchema),
});
export type QualityTrace = z.output<typeof qualityTraceSchema>;

/** A SIP message as it passed our transport. */
export interface OverheardSip {
  readonly sent: boolean;
  readonly bytes: Uint8Array;
  readonly transport: TracedSipMessage['transport'];
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
}

/** A call's newest RTP packets, oldest first, as src/media/packet-capture.ts lays them out. */
export interface RtpCapture {
  readonly records: Uint8Array;
  readonly slotBytes: number;
  /** Older ones that gave way. */
  readonly dropped: number;
  /** Undefined for WebRTC, where ICE chose. */
  readonly local: { readonly address: string; readonly port: number } | undefined;
  readonly remote: { readonly address: string; readonly port: number } | undefined;
}

/** Reading traces: what the store offers and HTTP asks for. Undefined: nothing is kept of that call (any more). */
export interface CallTraceReader {
  sip(callId: string): SipTrace | undefined;
  quality(callId: string): QualityTrace | undefined;
  /** A capture file (pcap) of both: SIP so far, RTP once the call has ended. */
  pcap(callId: string): Uint8Array | undefined;
}
