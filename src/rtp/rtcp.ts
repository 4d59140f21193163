/**
 * RTCP (RFC 3550 §6): sender and receiver reports, the CNAME they must carry, and BYE; read from anyone, written by us.
 * What we do not use (other texts of SDES, APP, feedback, XR) is stepped over by its length.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |V=2|P|  count  |      PT       |   length in words, less one   |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { readUint32, writeUint32 } from './packet';

const senderReport = 200;
const receiverReport = 201;
const sourceDescription = 202;
const goodbye = 203;
/** Item of SDES. */
const canonicalName = 1;
const blockBytes = 24;
/** Seconds from 1900, where NTP begins, to 1970. */
const ntpEpochSeconds = 2_208_988_800;

export interface ReportBlock {
  /** Whose stream is reported on. */
  readonly ssrc: number;
  readonly fractionLost: number;
  readonly cumulativeLost: number;
  readonly extendedHighestSequence: number;
  readonly jitterTicks: number;
  /** Middle 32 bits of the NTP time of the last SR, 0 if none came. */
  readonly lastSenderReport: number;
  /** In units of 1/65536 s. */
  readonly delaySinceLastSenderReport: number;
}

export type RtcpPacket =
  | {
      readonly type: 'sender-report';
      readonly ssrc: number;
      /** Middle 32 bits of the NTP time. */
      readonly ntpMiddle: number;
      readonly timestampTicks: number;
      readonly packets: number;
      readonly bytes: number;
      readonly blocks: readonly ReportBlock[];
    }
  | { readonly type: 'receiver-report'; readonly ssrc: number; readonly blocks: readonly ReportBlock[] }
  | {
      readonly type: 'source-description';
      readonly names: readonly { readonly ssrc: number; readonly cname: string }[];
    }
  | { readonly type: 'bye'; readonly ssrcs: readonly number[]; readonly reason: string | undefined };

/** The packets of a compound that we use; undefined when any length in it is wrong. Never throws. */
export function parseRtcp(datagram: Uint8Array): RtcpPacket[] | undefined {
  const packets: RtcpPacket[] = [];
  let at = 0;
  while (at < datagram.length) {
    if (at + 4 > datagram.length || datagram[at]! >> 6 !== 2) return undefined;
    const count = datagram[at]! & 0x1f;
    const end = at + 4 * (((datagram[at + 2]! << 8) | datagram[at + 3]!) + 1);
    if (end > datagram.length) return undefined;
    switch (datagram[at + 1]) {
      case senderReport: {
        if (at + 28 + count * blockBytes > end) return undefined;
        packets.push({
          type: 'sender-report',
          ssrc: readUint32(datagram, at + 4),
          ntpMiddle: ((readUint32(datagram, at + 8) << 16) | (readUint32(datagram, at + 12) >>> 16)) >>> 0,
          timestampTicks: readUint32(datagram, at + 16),
          packets: readUint32(datagram, at + 20),
          bytes: readUint32(datagram, at + 24),
          blocks: readBlocks(datagram, at + 28, count),
        });
        break;
      }
      case receiverReport: {
        if (at + 8 + count * blockBytes > end) return undefined;
        packets.push({
          type: 'receiver-report',
          ssrc: readUint32(datagram, at + 4),
          blocks: readBlocks(datagram, at + 8, count),
        });
        break;
      }
      case goodbye: {
        if (at + 4 + count * 4 > end) return undefined;
        const ssrcs = [];
        for (let i = 0; i < count; i++) ssrcs.push(readUint32(datagram, at + 4 + 4 * i));
        packets.push({ type: 'bye', ssrcs, reason: readText(datagram, at + 4 + 4 * count, end) });
        break;
      }
      case sourceDescription: {
        const names = readNames(datagram, at + 4, end, count);
        if (names === undefined) return undefined;
        packets.push({ type: 'source-description', names });
        break;
      }
    }
    at = end;
  }
  return packets.length === 0 && datagram.length === 0 ? undefined : packets;
}

/** Chunks of an SSRC and items `type length text`, ended by a zero and filled up to a whole word (§6.5). */
function readNames(
  bytes: Uint8Array,
  from: number,
  end: number,
  count: number,
): { readonly ssrc: number; readonly cname: string }[] | undefined {
  const names = [];
  let at = from;
  for (let chunk = 0; chunk < count; chunk++) {
    if (at + 5 > end) return undefined;
    const ssrc = readUint32(bytes, at);
    at += 4;
    while (at < end && bytes[at] !== 0) {
      const text = readText(bytes, at + 1, end);
      if (text === undefined) return undefined;
      if (bytes[at] === canonicalName) names.push({ ssrc, cname: text });
      at += 2 + bytes[at + 1]!;
    }
    at += 4 - ((at - from) & 3);
  }
  return names;
}

/** A length and so many bytes; undefined where there is none. */
function readText(bytes: Uint8Array, at: number, end: number): string | undefined {
  if (at >= end || at + 1 + bytes[at]! > end) return undefined;
  return new TextDecoder().decode(bytes.subarray(at + 1, at + 1 + bytes[at]!));
}

/**
 *   | SSRC of the reportee | fraction lost (8) | cumulative lost (24, signed) | extended highest sequence |
 *   | jitter | last SR | delay since last SR |                                                  (§6.4.1)
 */
function readBlocks(bytes: Uint8Array, from: number, count: number): ReportBlock[] {
  const blocks = [];
  for (let i = 0; i < count; i++) {
    const at = from + i * blockBytes;
    blocks.push({
      ssrc: readUint32(bytes, at),
      fractionLost: bytes[at + 4]!,
      cumulativeLost: (readUint32(bytes, at + 4) << 8) >> 8,
      extendedHighestSequence: readUint32(bytes, at + 8),
      jitterTicks: readUint32(bytes, at + 12),
      lastSenderReport: readUint32(bytes, at + 16),
      delaySinceLastSenderReport: readUint32(bytes, at + 20),
    });
  }
  return blocks;
}

export interface OwnReport {
  readonly ssrc: number;
  readonly cname: string;
  /** Present when we have sent since the last report: makes it an SR (§6.4). */
  readonly sent:
    | {
        readonly wallClockMs: number;
        readonly timestampTicks: number;
        readonly packets: number;
        readonly bytes: number;
      }
    | undefined;
  readonly block: ReportBlock | undefined;
}

/** A compound of SR or RR, SDES with CNAME and, at the end of a call, BYE (§6.1). */
export function writeRtcp(report: OwnReport, bye: boolean): Uint8Array {
  const cname = new TextEncoder().encode(report.cname).subarray(0, 255);
  const reportBytes = (report.sent ? 28 : 8) + (report.block ? blockBytes : 0);
  // Chunk: SSRC, item type, length, text, at least one zero, filled up to a whole word (§6.5).
  const descriptionBytes = 4 + 4 * Math.ceil((4 + 2 + cname.length + 1) / 4);
  const out = new Uint8Array(reportBytes + descriptionBytes + (bye ? 8 : 0));

  writeHeader(out, 0, report.block ? 1 : 0, report.sent ? senderReport : receiverReport, reportBytes);
  writeUint32(out, 4, report.ssrc);
  let at = 8;
  if (report.sent) {
    const seconds = report.sent.wallClockMs / 1000 + ntpEpochSeconds;
    writeUint32(out, 8, Math.floor(seconds));
    writeUint32(out, 12, Math.floor((seconds % 1) * 0x1_0000_0000));
    writeUint32(out, 16, report.sent.timestampTicks);
    writeUint32(out, 20, report.sent.packets);
    writeUint32(out, 24, report.sent.bytes);
    at = 28;
  }
  if (report.block) {
    const block = report.block;
    const lost = Math.max(-0x80_0000, Math.min(0x7f_ffff, block.cumulativeLost));
    writeUint32(out, at, block.ssrc);
    writeUint32(out, at + 4, (block.fractionLost << 24) | (lost & 0xff_ffff));
    writeUint32(out, at + 8, block.extendedHighestSequence);
    writeUint32(out, at + 12, block.jitterTicks);
    writeUint32(out, at + 16, block.lastSenderReport);
    writeUint32(out, at + 20, block.delaySinceLastSenderReport);
    at += blockBytes;
  }
  writeHeader(out, at, 1, sourceDescription, descriptionBytes);
  writeUint32(out, at + 4, report.ssrc);
  out[at + 8] = canonicalName;
  out[at + 9] = cname.length;
  out.set(cname, at + 10);
  at += descriptionBytes;
  if (bye) {
    writeHeader(out, at, 1, goodbye, 8);
    writeUint32(out, at + 4, report.ssrc);
  }
  return out;
}

function writeHeader(out: Uint8Array, at: number, count: number, type: number, bytes: number): void {
  out[at] = 0x80 | count;
  out[at + 1] = type;
  const words = bytes / 4 - 1;
  out[at + 2] = words >> 8;
  out[at + 3] = words;
}

/** Middle 32 bits of an NTP time: 16 bits of seconds, 16 of fraction (§4). */
export function ntpMiddle(wallClockMs: number): number {
  const seconds = wallClockMs / 1000 + ntpEpochSeconds;
  return Math.floor((seconds % 65536) * 65536) >>> 0;
}

/** RFC 3550 §6.4.1: A - LSR - DLSR; undefined when the far end has not seen a report of ours, or claims nonsense. */
export function roundTripMs(block: ReportBlock, arrivalWallClockMs: number): number | undefined {
  if (block.lastSenderReport === 0) return undefined;
  const units = (ntpMiddle(arrivalWallClockMs) - block.lastSenderReport - block.delaySinceLastSenderReport) | 0;
  const ms = (units * 1000) / 65536;
  return ms < 0 || ms > 30_000 ? undefined : ms;
}
