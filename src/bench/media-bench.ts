/**
 * `bench media`: what the media path's parts do to sound and what they cost, each by itself: resamplers by tones (aliases,
 * images, ripple) and by processor time, codecs and SRTP by processor time per packet.
 */
import { rms } from '../audio/pcm';
import { Resampler } from '../audio/resampler';
import { createCodec } from '../codecs/preference';
import { writeRtp } from '../rtp/packet';
import { SrtpReceiver, SrtpSender } from '../rtp/srtp';
import { masterBytes, type SrtpSuite } from '../rtp/srtp-keys';
import { type BenchReport, report, single } from './report';

/** What the lines use: G.711 in and out, voices of 22.05 and 24 kHz to G.711, G.722 and Opus. */
const pairs: readonly (readonly [number, number])[] = [
  [8000, 16_000],
  [16_000, 8000],
  [22_050, 8000],
  [24_000, 8000],
  [22_050, 16_000],
  [24_000, 16_000],
  [22_050, 24_000],
];
const amplitude = 20_000;
/** Of the lower Nyquist frequency: up to here nothing is to be lost. */
const passBand = 0.82;
const packetsPerSecond = 50;

export function benchMedia(repeats = 20_000, tones = 24): BenchReport {
  const filters = pairs.map(([from, to]) => ({
    from,
    to,
    ...responseOf(from, to, tones),
    microseconds: costOf(from, to, repeats),
  }));
  const figures = filters.flatMap(({ from, to, rejectionDb, rippleDb, microseconds }) => [
    single(`${from} to ${to} Hz: worst alias or image`, 'dB', round(-rejectionDb), '<= -60'),
    single(
      `${from} to ${to} Hz: worst deviation up to ${passBand} of the lower Nyquist frequency`,
      'dB',
      round(rippleDb),
      '<= 0.5',
    ),
    single(`${from} to ${to} Hz: 20 ms`, 'µs', round(microseconds)),
  ]);
  const cost = (from: number, to: number) =>
    filters.find((one) => one.from === from && one.to === to)?.microseconds ?? 0;
  const calls = ([8000, 16_000] as const).map((line) => {
    const voice = cost(22_050, line) + (line === 8000 ? cost(8000, 16_000) : 0);
    return single(
      `resampling of 10 calls at ${line / 1000} kHz, both ways, the agent speaking without a pause`,
      '% of a core',
      round((voice * packetsPerSecond * 10) / 1e4),
      '<= 1',
    );
  });
  const codecs = ['PCMU', 'G722', 'opus'].map((name) =>
    single(`${name}: encode and decode 20 ms`, 'µs', round(codecCost(name, repeats))),
  );
  const suites = (['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM'] as const).map((suite) =>
    single(`${suite}: protect and open a packet of 160 bytes`, 'µs', round(srtpCost(suite, repeats))),
  );
  return report(
    'the media path by parts',
    [...figures, ...calls, ...codecs, ...suites],
    [
      `Tones at ${tones} frequencies per band, 16 bits; costs are processor time of this process over ${repeats} packets.`,
    ],
  );
}

function responseOf(
  from: number,
  to: number,
  tones: number,
): { readonly rejectionDb: number; readonly rippleDb: number } {
  const nyquist = Math.min(from, to) / 2;
  let ripple = 0;
  let worst = Number.NEGATIVE_INFINITY;
  for (let i = 1; i <= tones; i++) {
    const hz = (passBand * nyquist * i) / tones;
    const out = resampledTone(hz, from, to);
    const kept = toneIn(out, hz, to);
    ripple = Math.max(ripple, Math.abs(20 * Math.log10(kept.level / amplitude)));
    // Going up, what is left beside the tone are its images; going down, rounding.
    if (to > from) worst = Math.max(worst, 20 * Math.log10((kept.restRms * Math.SQRT2) / amplitude));
  }
  if (from > to) {
    for (let i = 1; i <= tones; i++) {
      const hz = nyquist * 1.02 + ((from / 2 - nyquist * 1.02) * i) / (tones + 1);
      worst = Math.max(worst, 20 * Math.log10((rms(resampledTone(hz, from, to)) * Math.SQRT2) / amplitude));
    }
  }
  return { rejectionDb: -worst, rippleDb: ripple };
}

/** Half a second, without the filter's run-in. */
function resampledTone(hz: number, from: number, to: number): Int16Array {
  const input = Int16Array.from({ length: from }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / from)),
  );
  const resampler = new Resampler(from, to);
  const out = new Int16Array(resampler.maxOutput(input.length));
  const length = resampler.process(input, out);
  return out.subarray(Math.floor(length / 4), Math.floor((3 * length) / 4));
}

/** The tone's amplitude by least squares, and the RMS of everything else. */
function toneIn(pcm: Int16Array, hz: number, rate: number): { readonly level: number; readonly restRms: number } {
  let [ss, sc, cc, xs, xc] = [0, 0, 0, 0, 0];
  const step = (2 * Math.PI * hz) / rate;
  for (let i = 0; i < pcm.length; i++) {
    const s = Math.sin(step * i);
    const c = Math.cos(step * i);
    ss += s * s;
    sc += s * c;
    cc += c * c;
    xs += pcm[i]! * s;
    xc += pcm[i]! * c;
  }
  const determinant = ss * cc - sc * sc;
  const a = (xs * cc - xc * sc) / determinant;
  const b = (xc * ss - xs * sc) / determinant;
  let rest = 0;
  for (let i = 0; i < pcm.length; i++) {
    const s = Math.sin(step * i);
    const c = Math.cos(step * i);
    rest += (pcm[i]! - a * s - b * c) ** 2;
  }
  return { level: Math.hypot(a, b), restRms: Math.sqrt(rest / pcm.length) };
}

function costOf(from: number, to: number, repeats: number): number {
  const resampler = new Resampler(from, to);
  const input = Int16Array.from({ length: from / packetsPerSecond }, (_, i) => (i * 911) % 8000);
  const out = new Int16Array(resampler.maxOutput(input.length));
  return perRun(repeats, () => resampler.process(input, out));
}

function codecCost(name: string, repeats: number): number {
  const codec = createCodec(name);
  const frame = Int16Array.from(
    { length: codec.description.encodeRate / packetsPerSecond },
    (_, i) => 6000 * Math.sin(i / 9),
  );
  const out = new Int16Array(codec.maxDecodedSamples);
  return perRun(repeats, () => codec.decode(codec.encode(frame), out));
}

function srtpCost(suite: SrtpSuite, repeats: number): number {
  const master = new Uint8Array(masterBytes(suite)).fill(7);
  const [sender, receiver] = [new SrtpSender(suite, master), new SrtpReceiver(suite, master)];
  const payload = new Uint8Array(160);
  const buffer = new Uint8Array(256);
  let sequenceNumber = 0;
  return perRun(repeats, () => {
    const packet = { payloadType: 0, sequenceNumber, timestampTicks: 0, ssrc: 1, marker: false, payload };
    sequenceNumber = (sequenceNumber + 1) & 0xffff;
    receiver.unprotectRtp(buffer.subarray(0, sender.protectRtp(buffer, writeRtp(packet, buffer))));
  });
}

/** Microseconds of processor time, after a tenth as many runs to warm up. */
function perRun(runs: number, step: () => void): number {
  for (let i = 0; i < runs / 10; i++) step();
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) step();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / runs;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
