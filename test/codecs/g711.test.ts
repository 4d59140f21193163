import { createHash } from 'node:crypto';
import { G711, pcma, pcmu } from '../../src/codecs/g711';

/** Whole tables by the reference implementation (g711.c of Sun Microsystems, as Python's audioop carries it). */
const golden = {
  PCMU: {
    encode: '81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a',
    decode: '3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827',
  },
  PCMA: {
    encode: '38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b',
    decode: 'e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174',
  },
};

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const everySample = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);
const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);

function encodeAll(codec: G711): Uint8Array {
  const out = new Uint8Array(65_536);
  for (let i = 0; i < 65_536; i += 1024) out.set(codec.encode(everySample.subarray(i, i + 1024)), i);
  return out;
}

describe.each([pcmu, pcma])('G.711 $name', (description) => {
  const codec = new G711(description);

  it('encodes all 65,536 samples as the reference does', () => {
    expect(sha256(encodeAll(codec))).toBe(golden[description.name as 'PCMU' | 'PCMA'].encode);
  });

  it('decodes all 256 bytes as the reference does', () => {
    const out = new Int16Array(codec.maxDecodedSamples);
    expect(codec.decode(everyByte, out)).toBe(256);
    expect(sha256(new Uint8Array(out.buffer, 0, 512))).toBe(golden[description.name as 'PCMU' | 'PCMA'].decode);
  });

  it('keeps every byte through a decode and an encode', () => {
    const out = new Int16Array(codec.maxDecodedSamples);
    codec.decode(everyByte, out);
    const again = codec.encode(out.subarray(0, 256));
    // Mu-law has a second zero (0x7f), which comes back as the first.
    const expected = everyByte.map((byte) => (description.name === 'PCMU' && byte === 0x7f ? 0xff : byte));
    expect(again).toEqual(expected);
  });

  it('counts an empty and an over-long payload', () => {
    const fresh = new G711(description);
    const out = new Int16Array(fresh.maxDecodedSamples);
    expect(fresh.decode(new Uint8Array(0), out)).toBe(0);
    expect(fresh.decode(new Uint8Array(1601), out)).toBe(0);
    expect(fresh.badPayloads).toBe(2);
    expect(fresh.durationTicks(new Uint8Array(1601))).toBe(0);
    expect(fresh.durationTicks(new Uint8Array(240))).toBe(240);
  });

  it('throws a coded error for a frame that is too long', () => {
    expect(() => codec.encode(new Int16Array(5000))).toThrow(expect.objectContaining({ code: 'codecs.wrong-frame' }));
  });
});
