/**
 * Writes Ogg Opus (RFC 3533, RFC 7845): PCM in, pages out. A page is whole by itself and holds a second, so that a file
 * that was cut off plays up to its last page.
 *
 *   "OggS" version flags granule(8) serial(4) page(4) crc(4) segments lacing[segments] | packets
 */
import { Encoder } from '@evan/opus';

const frameMs = 20;
const granulePerFrame = 960;
const packetsPerPage = 50;
const headerBytes = 27;
const beginsStream = 2;
const endsStream = 4;

export class OggOpusWriter {
  private readonly encoder: Encoder;
  private readonly frameSamples: number;
  private readonly frame: Int16Array;
  private filled = 0;
  private packets: Uint8Array[] = [];
  private pageNumber = 0;
  private frames = 0;
  private samples = 0;

  /** `sampleRate`: one that Opus takes; `serial` tells streams of one file apart. */
  constructor(
    private readonly format: { readonly sampleRate: 8000 | 16_000 | 24_000 | 48_000; readonly channels: 1 | 2 },
    private readonly serial: number,
    bitrate = 32_000,
  ) {
    this.encoder = new Encoder({ channels: format.channels, sample_rate: format.sampleRate, application: 'audio' });
    this.encoder.bitrate = bitrate;
    this.frameSamples = ((format.sampleRate * frameMs) / 1000) * format.channels;
    this.frame = new Int16Array(this.frameSamples);
  }

  /** The two header pages (RFC 7845 §5). */
  begin(): Uint8Array[] {
    const head = Buffer.alloc(19);
    head.write('OpusHead', 'latin1');
    head[8] = 1;
    head[9] = this.format.channels;
    head.writeUInt16LE(this.preSkip, 10);
    head.writeUInt32LE(this.format.sampleRate, 12);
    const vendor = Buffer.from('Trunkline', 'utf8');
    const tags = Buffer.alloc(8 + 4 + vendor.length + 4);
    tags.write('OpusTags', 'latin1');
    tags.writeUInt32LE(vendor.length, 8);
    vendor.copy(tags, 12);
    return [this.page([head], beginsStream, 0), this.page([tags], 0, 0)];
  }

  /** Interleaved samples; returns the pages that they fill. */
  push(samples: Int16Array): Uint8Array[] {
    const pages: Uint8Array[] = [];
    this.samples += samples.length / this.format.channels;
    for (let at = 0; at < samples.length; ) {
      const taken = Math.min(samples.length - at, this.frameSamples - this.filled);
      this.frame.set(samples.subarray(at, at + taken), this.filled);
      this.filled += taken;
      at += taken;
      if (this.filled === this.frameSamples) this.encode(pages);
    }
    return pages;
  }

  /** What is left, padded with silence that the last granule position cuts off again (§4.1). */
  end(): Uint8Array[] {
    const pages: Uint8Array[] = [];
    const wanted = this.preSkip + (this.samples * 48_000) / this.format.sampleRate;
    while (this.filled > 0 || this.frames * granulePerFrame < wanted) {
      this.frame.fill(0, this.filled);
      this.encode(pages);
    }
    pages.push(this.page(this.packets, endsStream, Math.round(wanted)));
    this.packets = [];
    return pages;
  }

  /** How late the encoder is, in ticks of 48 kHz. */
  private get preSkip(): number {
    // The library's types misspell it.
    const { lookahead } = this.encoder as unknown as { readonly lookahead: number };
    return Math.round((lookahead * 48_000) / this.format.sampleRate);
  }

  private encode(pages: Uint8Array[]): void {
    if (this.packets.length === packetsPerPage) {
      pages.push(this.page(this.packets, 0, this.frames * granulePerFrame));
      this.packets = [];
    }
    this.packets.push(Uint8Array.from(this.encoder.encode(this.frame)));
    this.frames++;
    this.filled = 0;
  }

  /** A packet of n bytes is laced as n/255 times 255 and the rest (RFC 3533 §5); a second of ours fits 255 segments. */
  private page(packets: readonly Uint8Array[], flags: number, granule: number): Uint8Array {
    const lacing = packets.flatMap(({ length }) => [
      ...new Array<number>(Math.floor(length / 255)).fill(255),
      length % 255,
    ]);
    const header = Buffer.alloc(headerBytes + lacing.length);
    header.write('OggS', 'latin1');
    header[5] = flags;
    header.writeBigUInt64LE(BigInt(granule), 6);
    header.writeUInt32LE(this.serial, 14);
    header.writeUInt32LE(this.pageNumber++, 18);
    header[26] = lacing.length;
    header.set(lacing, headerBytes);
    const page = Buffer.concat([header, ...packets]);
    page.writeUInt32LE(oggChecksum(page), 22);
    return page;
  }
}

/** CRC-32 with the polynomial 0x04c11db7, not reflected, from zero (RFC 3533 §6). */
const checksums = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x8000_0000 ? (value << 1) ^ 0x04c1_1db7 : value << 1;
  return value >>> 0;
});

function oggChecksum(page: Uint8Array): number {
  let value = 0;
  for (const byte of page) value = ((value << 8) ^ checksums[(value >>> 24) ^ byte]!) >>> 0;
  return value;
}
