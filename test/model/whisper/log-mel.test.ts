import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogMel } from '../../../src/model/whisper/log-mel';

const settings = { sampleRate: 16000, windowSamples: 400, hopSamples: 160, melBands: 80 };
const golden: { samples: number; rows: Record<string, number[]> } = JSON.parse(
  readFileSync(join(__dirname, '../../fixtures/whisper/log-mel.json'), 'utf8'),
);

/** A chirp from 200 Hz upwards and a quiet 3300 Hz tone: the signal of the golden values. */
function chirp(samples: number): Float32Array {
  return Float32Array.from({ length: samples }, (_, n) => {
    const t = n / 16000;
    return 0.3 * Math.sin(2 * Math.PI * (200 * t + 0.5 * 20000 * t * t)) + 0.05 * Math.sin(2 * Math.PI * 3300 * t);
  });
}

describe('LogMel', () => {
  it('gives the values of the Python reference (librosa filterbank, numpy FFT)', () => {
    const { data, frames } = new LogMel(settings).compute(chirp(golden.samples));
    expect(frames).toBe(15);
    for (const [band, row] of Object.entries(golden.rows)) {
      row.forEach((value, frame) => {
        expect(Math.abs(data[Number(band) * frames + frame]! - value)).toBeLessThan(2e-4);
      });
    }
  });

  it('gives the same whatever it computed before', () => {
    const mel = new LogMel(settings);
    const first = mel.compute(chirp(3000)).data;
    mel.compute(chirp(777).fill(1));
    expect(mel.compute(chirp(3000)).data).toEqual(first);
  });

  it('takes no audio, audio shorter than a window, and values that are no number', () => {
    const mel = new LogMel(settings);
    expect(mel.compute(new Float32Array(0)).frames).toBe(0);
    for (const samples of [1, 159, 160, 161, 399, 400]) {
      const { data, frames } = mel.compute(new Float32Array(samples).fill(Number.NaN));
      expect(frames).toBe(Math.floor(samples / 160));
      expect(data.every(Number.isFinite)).toBe(true);
    }
  });
});
