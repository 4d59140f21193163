/** Ogg Opus prompts: a real recording decodes to its length; damaged and foreign files are coded errors. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { TrunklineError } from '../../src/core/errors';

const recording = readFileSync(join(__dirname, '../fixtures/questions/demo-01.ogg'));

describe('an Ogg Opus prompt', () => {
  it('decodes to speech without the encoder’s lead-in', async () => {
    const { pcm, sampleRate } = await decodeOggOpus(recording);
    expect(sampleRate).toBe(24_000);
    expect(pcm.length / sampleRate).toBeGreaterThan(1);
    expect(pcm.length / sampleRate).toBeLessThan(4);
    expect(Math.max(...pcm)).toBeGreaterThan(3_000);
  });

  it('is refused with a code when it is something else', async () => {
    await expect(decodeOggOpus(Buffer.from('RIFF....WAVEfmt and so on, long enough'))).rejects.toMatchObject({
      code: 'audio.bad-ogg',
    });
    await expect(decodeOggOpus(new Uint8Array())).rejects.toMatchObject({ code: 'audio.bad-ogg' });
  });

  it('never does worse than a coded error, however it is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(recording.length - 1), fc.nat(255)), { maxLength: 20 }),
        fc.nat(recording.length),
        async (bytes, length) => {
          const damaged = Buffer.from(recording.subarray(0, length));
          for (const [at, value] of bytes) if (at < damaged.length) damaged[at] = value;
          try {
            const { pcm } = await decodeOggOpus(damaged);
            expect(pcm.length).toBeGreaterThanOrEqual(0);
          } catch (error) {
            expect(error).toBeInstanceOf(TrunklineError);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
