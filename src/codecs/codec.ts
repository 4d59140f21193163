/**
 * The contract of an audio codec as RTP carries it: one frame of PCM in, one payload out, and back. A codec instance
 * belongs to one direction pair of one call, for it may have memory.
 */
export interface CodecDescription {
  /** Encoding name in `a=rtpmap` (RFC 8866 §6.6). */
  readonly name: 'PCMU' | 'PCMA' | 'G722' | 'opus';
  /** Static payload type (RFC 3551 §6), undefined where it is dynamic. */
  readonly staticPayloadType: number | undefined;
  /** Of the RTP timestamps. */
  readonly clockRate: number;
  /** Third part of `a=rtpmap`; Opus always says 2 (RFC 7587 §7) though we send and hear mono. */
  readonly channels: 1 | 2;
  /** `a=fmtp` parameters that we offer, if any. */
  readonly fmtp: string | undefined;
  /** Rate of the PCM that `decode` gives. */
  readonly decodeRate: number;
  /** Rate of the PCM that `encode` takes. */
  readonly encodeRate: number;
}

export interface Codec {
  readonly description: CodecDescription;
  /**
   * Takes exactly `packetMs` of mono PCM at `encodeRate`. The bytes are valid until the next call. Another length is a
   * programmer's mistake and throws.
   */
  encode(pcm: Int16Array): Uint8Array;
  /**
   * Decodes one payload into `out` at `decodeRate`; returns the number of samples, 0 for a payload that is none
   * (counted in `badPayloads`). `out` holds at least `maxDecodedSamples`. Never throws on what a network may bring.
   */
  decode(payload: Uint8Array, out: Int16Array): number;
  /** How long a payload lasts, in ticks of the RTP clock, without decoding it; 0 if it is none. */
  durationTicks(payload: Uint8Array): number;
  readonly maxDecodedSamples: number;
  readonly badPayloads: number;
  reset(): void;
  /** Frees what the codec holds; it is not used afterwards. */
  close(): void;
  /**
   * Codecs with redundancy: the `samples` before the payload `next`, as it repeats them; 0 where it repeats nothing. To be called
   * once for a lost packet, before `next` is decoded.
   */
  recover?(next: Uint8Array, samples: number, out: Int16Array): number;
  /** Codecs that know better than repetition what would have come: `samples` of it; 0 where they do not. */
  conceal?(samples: number, out: Int16Array): number;
  /** Codecs with redundancy: the share of packets, 0…1, that the far end loses. */
  expectLoss?(share: number): void;
}
