import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Resampler } from '../../src/audio/resampler';
import { linearFromMuLaw } from '../../src/codecs/g711';
import { Listener } from '../../src/listener/listener';
import type { ListenerReport } from '../../src/listener/protocol';
import { openModelFolder } from '../../src/model/manifest';
import { SileroVad } from '../../src/turn/silero-vad';

const FRAME = 320;
let vad: SileroVad;

beforeAll(async () => {
  const folder = await openModelFolder(path.join(__dirname, '../../models/silero-vad'));
  vad = await SileroVad.open(await folder.read('silero-vad.onnx'));
});
afterAll(() => vad.close());

/** The fixture as a media thread hands it on: 16 kHz. */
function twoQuestions(): Int16Array {
  const bytes = readFileSync(path.join(__dirname, '../fixtures/turn/two-questions.ulaw'));
  const narrow = Int16Array.from(bytes, linearFromMuLaw);
  return new Resampler(8_000, 16_000).push(narrow)[0] ?? new Int16Array(0);
}

async function listen(feed: (listener: Listener) => void): Promise<{ reports: ListenerReport[]; listener: Listener }> {
  const reports: ListenerReport[] = [];
  const errors: unknown[] = [];
  const listener = new Listener({
    openStream: () => vad.openStream(),
    post: (report) => reports.push(report),
    onError: (error) => errors.push(error),
  });
  feed(listener);
  for (let seen = -1; seen !== listener.dump().windows; ) {
    seen = listener.dump().windows;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(errors).toEqual([]);
  return { reports, listener };
}

/** A second at a time: what a listener that is never late gets. */
async function hear(
  pcm: Int16Array,
  sessionId = 's',
  from = 0,
): Promise<{ reports: ListenerReport[]; listener: Listener }> {
  const reports: ListenerReport[] = [];
  const listener = new Listener({
    openStream: () => vad.openStream(),
    post: (report) => reports.push(report),
    onError: (error) => {
      throw error;
    },
  });
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    listener.receive({ type: 'audio', sessionId, startSample: from + at, pcm: pcm.slice(at, at + FRAME), sentDb: -96 });
    if (at % (FRAME * 10) === 0) await idle(listener);
  }
  await idle(listener);
  return { reports, listener };
}

async function idle(listener: Listener): Promise<void> {
  for (let seen = -1; seen !== listener.dump().windows; ) {
    seen = listener.dump().windows;
    for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

const eventsOf = (reports: readonly ListenerReport[]) =>
  reports.filter((report) => report.type === 'speech-started' || report.type === 'speech-ended');

describe('the listener', () => {
  it('finds the speech of a telephone caller and the pause between two questions', async () => {
    const { reports } = await hear(twoQuestions());
    const events = eventsOf(reports);
    const first = events[0]!;
    expect(first.type).toBe('speech-started');
    // The question begins 0.5 s into the file, with some silence of the synthesiser.
    expect(first.sample).toBeGreaterThan(0.45 * 16_000);
    expect(first.sample).toBeLessThan(0.85 * 16_000);
    expect(events.at(-1)?.type).toBe('speech-ended');
    expect(events.length).toBeGreaterThanOrEqual(4);
  });

  it('hands on the speech with 300 ms before it, every sample once and unchanged', async () => {
    const pcm = twoQuestions();
    const { reports } = await hear(pcm);
    let to = 0;
    let total = 0;
    for (const report of reports) {
      if (report.type !== 'heard') continue;
      expect(report.startSample).toBeGreaterThanOrEqual(to);
      expect(report.pcm).toEqual(pcm.slice(report.startSample, report.startSample + report.pcm.length));
      to = report.startSample + report.pcm.length;
      total += report.pcm.length;
    }
    const events = eventsOf(reports);
    const onset = events[0]!;
    const firstHeard = reports.find((report) => report.type === 'heard')!;
    if (firstHeard.type !== 'heard') throw new Error('no onset');
    expect(onset.sample - firstHeard.startSample).toBe(0.3 * 16_000);
    expect(total).toBeLessThan(pcm.length);
  });

  it('has handed on what belongs to an event before it tells the event', async () => {
    const { reports } = await hear(twoQuestions());
    let handedTo = 0;
    for (const report of reports) {
      if (report.type === 'heard') handedTo = report.startSample + report.pcm.length;
      else expect(handedTo).toBe(report.headSample);
    }
  });

  it('does not ask the network about silence', async () => {
    const { listener } = await hear(new Int16Array(16_000 * 5));
    expect(listener.dump().windows).toBeGreaterThan(150);
    expect(listener.dump().windowsJudged).toBeLessThanOrEqual(12);
  });

  it('keeps the samples’ places when a call is heard from later on', async () => {
    const start = 7 * 320;
    const { reports } = await hear(twoQuestions(), 'late', start);
    const onset = eventsOf(reports)[0]!;
    expect(onset.sample).toBeGreaterThan(start + 0.45 * 16_000);
    expect(onset.sample).toBeLessThan(start + 0.85 * 16_000);
  });

  it('ends speech that is cut by a hole in the stream', async () => {
    const pcm = twoQuestions();
    const { reports } = await listen((listener) => {
      for (let at = 0; at + FRAME <= 1.2 * 16_000; at += FRAME) {
        const frame = pcm.slice(at + 0.3 * 16_000, at + 0.3 * 16_000 + FRAME);
        listener.receive({ type: 'audio', sessionId: 's', startSample: at, pcm: frame, sentDb: -96 });
      }
      for (let at = 0; at < 1_600; at += FRAME) {
        listener.receive({
          type: 'audio',
          sessionId: 's',
          startSample: 5 * 16_000 + at,
          pcm: new Int16Array(FRAME),
          sentDb: -96,
        });
      }
    });
    expect(eventsOf(reports).at(-1)?.type).toBe('speech-ended');
  });

  it('drops the oldest windows of a session that is far behind, and counts them', async () => {
    const { listener } = await listen((busy) => {
      for (let at = 0; at < 16_000 * 3; at += FRAME) {
        busy.receive({
          type: 'audio',
          sessionId: 's',
          startSample: at,
          pcm: new Int16Array(FRAME).fill(900),
          sentDb: -96,
        });
      }
    });
    expect(listener.dump().windowsDropped).toBeGreaterThan(50);
  });

  it('forgets a session that is closed', async () => {
    const { reports, listener } = await listen((closing) => {
      closing.receive({
        type: 'audio',
        sessionId: 's',
        startSample: 0,
        pcm: new Int16Array(FRAME * 4).fill(5_000),
        sentDb: -96,
      });
      closing.receive({ type: 'session-closed', sessionId: 's' });
    });
    expect(listener.dump().sessions).toBe(0);
    expect(reports).toEqual([]);
  });
});
