/**
 * The console in a real Chromium, over a real call: a SIP phone asks a question aloud, the call is recorded, and a person looks
 * into it. With CONSOLE_PICTURES=FOLDER the pictures of docs/media are taken.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { rms, toInt16 } from '../../src/audio/pcm';
import { decodeOggOpus } from '../../src/codecs/ogg-opus';
import { SystemClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { PhoneStack } from '../../src/phone/phone-stack';
import { startTestAgent, type TestAgent } from '../support/agent';
import { accessibilityFaults } from '../support/axe';
import { BROWSER_SAMPLE_RATE, BrowserPhone, chromiumPath } from '../support/browser';
import { readPcap } from '../support/pcap-reader';
import { amplitudeAt, sine } from '../support/signal';

const describeWithBrowser = chromiumPath === undefined ? describe.skip : describe;
const pictures = process.env['CONSOLE_PICTURES'];
/** Long enough for a machine that is busy with other suites. */
const patience = { timeout: 60_000 };

interface Listed {
  readonly calls: readonly {
    readonly id: string;
    readonly state: string;
    readonly to: string;
    readonly action?: string;
  }[];
}

interface Told {
  readonly type: string;
  readonly data: { readonly stages?: Readonly<Record<string, number>> };
}

/** Does `meanwhile` over and over until `reached` holds, for as long as a very busy machine may need. */
async function until(reached: () => Promise<boolean>, meanwhile: () => Promise<unknown>): Promise<boolean> {
  for (let times = 0; times < 40; times++) {
    if (await reached()) return true;
    await meanwhile();
  }
  return false;
}

/** Of half seconds of a browser's sound, the amplitude in that in which a tone is strongest. */
function loudest(pcm: Int16Array, frequencyHz: number): number {
  let most = 0;
  for (let at = 0; at + 24_000 <= pcm.length; at += 12_000) {
    most = Math.max(most, amplitudeAt(pcm.slice(at, at + 24_000), frequencyHz, BROWSER_SAMPLE_RATE));
  }
  return most;
}

describeWithBrowser('the console', () => {
  let agent: TestAgent;
  let stack: PhoneStack;
  let browser: BrowserPhone;
  let page: Page;
  let callId: string;

  const dial = (number: string) =>
    stack.dial({ to: `sip:${number}@127.0.0.1:${agent.sipPort}`, bindAddress: '127.0.0.1', ports: [22_000, 22_999] });
  const state = async () => ((await agent.request('GET', '/v1/calls')) as Listed).calls[0]?.state;
  const hasTurn = async (wanted: (event: Told) => boolean): Promise<boolean> => {
    const { calls } = (await agent.request('GET', '/v1/calls')) as Listed;
    const { events } = (await agent.request('GET', `/v1/calls/${calls[0]?.id}/timeline`)) as { events: Told[] };
    return events.some(wanted);
  };
  const picture = async (name: string): Promise<void> => {
    if (pictures === undefined) return;
    mkdirSync(pictures, { recursive: true });
    // The waveform is drawn again a little after its place has changed.
    await page.waitForTimeout(800);
    const debug = await page.context().newCDPSession(page);
    const asked = { format: 'webp', quality: 80, captureBeyondViewport: true } as const;
    const { data } = await debug.send('Page.captureScreenshot', asked);
    writeFileSync(join(pictures, `${name}.webp`), Buffer.from(data, 'base64'));
    await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  };
  const looksRight = async (name: string): Promise<void> => {
    await picture(name);
    expect(await accessibilityFaults(page)).toEqual([]);
    const { inside, width } = await page.evaluate<{ inside: number; width: number }>(
      '({ inside: document.documentElement.scrollWidth, width: document.documentElement.clientWidth })',
    );
    expect(inside).toBeLessThanOrEqual(width);
  };

  beforeAll(async () => {
    agent = await startTestAgent({ recording: { enabled: true }, webrtc: { advertised: ['127.0.0.1'] } });
    stack = await PhoneStack.open({
      mediaEntry: join(__dirname, '../../dist/workers/media.js'),
      clock: new SystemClock(),
      log: silentLogger,
      listen: { host: '127.0.0.1', port: 0 },
      codecs: ['PCMU'],
    });
    browser = await BrowserPhone.open({ url: `${agent.httpUrl}/console` });
    page = browser.page;
    page.setDefaultTimeout(patience.timeout);
    if (pictures !== undefined) await agent.prepared();
  }, 150_000);
  afterAll(async () => {
    await browser?.close();
    await stack?.close();
    await agent?.stop();
  }, 30_000);

  test('asks once for a token, and lists a call while it is live', async () => {
    await page.waitForSelector('#token');
    await looksRight('console-token');
    await page.fill('#token input', agent.token);
    await page.press('#token input', 'Enter');
    await page.waitForSelector('text=Nobody is on the line.');
    await page.reload();
    await page.waitForSelector('text=Nobody is on the line.');

    const phone = await dial('demo');
    // Told by an event: nobody has looked again.
    await page.waitForSelector('.calls .tag[data-state=answered]');
    await looksRight('console-calls');
    const { pcm, sampleRate } = await decodeOggOpus(readFileSync(join(__dirname, '../fixtures/questions/demo-21.ogg')));
    await until(
      () => hasTurn(({ type }) => type === 'turn.agent'),
      () => phone.pass(500),
    );
    // Whoever is not answered asks again: what is said is not the question here, and a busy machine may miss it.
    const isTimed = ({ type, data }: Told) => type === 'turn.agent' && data.stages?.['firstPacketMs'] !== undefined;
    for (let times = 0; times < 4 && !(await hasTurn(isTimed)); times++) {
      await phone.say(pcm, sampleRate);
      await until(
        () => hasTurn(isTimed),
        () => phone.pass(500),
      );
    }
    expect(await hasTurn(isTimed)).toBe(true);
    await phone.hangUp();
    await page.waitForSelector('text=Nobody is on the line.');
    await page.waitForSelector('[aria-label="Past calls"] tbody tr');
    expect(await state()).toBe('ended');
  }, 240_000);

  test('shows what is kept of the call', async () => {
    callId = ((await agent.request('GET', '/v1/calls')) as Listed).calls[0]?.id ?? '';
    await page.focus('.calls tbody a');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#call-title');
    // The ladder: from the INVITE to the answer to its BYE, each with its text.
    const arrows = await page.$$eval('.ladder li button', (all) =>
      all.map((one) => (one.textContent ?? '').replace(/\s+/g, ' ')),
    );
    expect(arrows[0]).toMatch(/INVITE, SDP.* ?from 127\.0\.0\.1:\d+ to Trunkline/);
    expect(arrows.some((arrow) => /200 OK \(INVITE\)/.test(arrow))).toBe(true);
    expect(arrows.at(-1)).toMatch(/200 OK \(BYE\).*from Trunkline/);
    await page.click('.ladder li button');
    await page.waitForSelector('.ladder pre:has-text("Call-ID:")');
    // Quality: two charts with the samples of the call.
    await page.waitForSelector('.quality .uplot canvas');
    expect(await page.locator('.quality .uplot').count()).toBe(2);
    // The waterfall has the answer to the question.
    await page.waitForSelector('#turns .turn .bar.firstPacketMs');
    // The transcript is that of the record; a click goes to its place in the recording.
    const { turns } = (await agent.request('GET', `/v1/calls/${callId}/transcript`)) as { turns: { text: string }[] };
    await page.waitForSelector('.transcript button');
    expect(await page.$$eval('.transcript .text', (all) => all.map((one) => (one.textContent ?? '').trim()))).toEqual(
      turns.map(({ text }) => expect.stringContaining(text)),
    );
    await page.click('.transcript li:last-child button');
    await page.waitForFunction('Number(document.querySelector(".player input").value) > 3');
    await page.keyboard.press('p');
    await page.waitForSelector('.player button:text("Play")');
    await looksRight('console-call');
  }, 120_000);

  test('finds the words of a turn in the recording, and counts back where there is none', async () => {
    // A question from 2 s to 3 s, an answer from 4 s to 6 s that starved for half a second; the events tell of them later.
    const found = await page.evaluate<Record<string, { role: string; startSeconds: number; endSeconds: number }[]>>(`
      import('./console/turns.js').then(({ turnsOnRecording }) => {
        const at = (seconds) => new Date(1e12 + 1000 * seconds).toISOString();
        const events = [
          { type: 'turn.user', occurredAt: at(3.5), data: { turn: 1, text: 'a' } },
          { type: 'turn.agent', occurredAt: at(6.2), data: { turn: 1, text: 'b', gapMs: 1000, playedMs: 1500 } },
        ];
        const rate = 1000;
        const loud = (from, to) => Float32Array.from({ length: 8 * rate }, (_, i) => (i >= from * rate && i < to * rate ? 0.3 : 0.001));
        const sound = { caller: loud(2, 3), agent: loud(4, 6), rate };
        return { recorded: turnsOnRecording(events, at(0), sound), unrecorded: turnsOnRecording(events, at(0)) };
      })`);
    const spans = (name: string) =>
      found[name]?.map(({ role, startSeconds, endSeconds }) => [
        role,
        Math.round(10 * startSeconds) / 10,
        Math.round(10 * endSeconds) / 10,
      ]);
    expect(spans('recorded')).toEqual([
      ['user', 2, 3],
      ['agent', 4, 6],
    ]);
    expect(spans('unrecorded')).toEqual([
      ['user', 1.5, 3.5],
      ['agent', 4.7, 6.2],
    ]);
  }, 30_000);

  test('gives the call as a capture file, and as one that holds no more than it should', async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Capture file')]);
    const packets = readPcap(readFileSync(await download.path()));
    const sip = packets.filter(({ payload }) =>
      /^(INVITE|BYE|SIP\/2\.0) /.test(Buffer.from(payload).toString('latin1')),
    );
    const rtp = packets.filter(({ payload }) => payload[0]! >> 6 === 2);
    expect(sip.length).toBeGreaterThanOrEqual(4);
    expect(rtp.length).toBeGreaterThan(100);
    expect(packets.every(({ checksumsHold }) => checksumsHold)).toBe(true);
    expect(packets.map(({ wallMs }) => wallMs)).toEqual(packets.map(({ wallMs }) => wallMs).sort((a, b) => a - b));
  }, 60_000);

  test('is as usable in the dark and on a phone', async () => {
    await page.click('#theme');
    await page.waitForSelector('html[data-theme=dark]');
    await looksRight('console-call-dark');
    await page.setViewportSize({ width: 375, height: 800 });
    await looksRight('console-call-phone');
    await page.keyboard.press('c');
    await page.waitForSelector('[aria-label="Past calls"]');
    await looksRight('console-calls-phone');
    await page.click('#theme');
    await page.setViewportSize({ width: 1280, height: 900 });
  }, 90_000);

  test('says which rule a call would take', async () => {
    await page.keyboard.press('d');
    await page.waitForSelector('.rules li');
    await page.keyboard.press('t');
    await page.keyboard.type('echo');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.decision strong:has-text("echo")');
    await page.waitForSelector('.rules li[data-taken=true]');
    await page.click('text=Check the files');
    await page.waitForSelector('text=The files are right');
    await looksRight('console-dialplan');
  }, 60_000);

  test('listens in on a live call, and takes it over', async () => {
    const phone = await dial('tone');
    await page.keyboard.press('c');
    await page.click('[aria-label="Live calls"] tbody a');
    await page.waitForSelector('text=Listen in');
    await page.keyboard.press('l');
    await page.waitForSelector('[data-listening=listening]');
    await looksRight('console-listening');
    // We send a tone of 1 kHz, the caller one of 600 Hz: both sides are heard here.
    const said = sine(600, 8000, 8000, 8000);
    const hearsBoth = async (): Promise<boolean> => {
      const received = toInt16(await browser.received());
      return [600, 1000].every((frequencyHz) => loudest(received, frequencyHz) > 1000);
    };
    expect(await until(hearsBoth, () => phone.say(said, 8000))).toBe(true);
    await page.keyboard.press('o');
    await page.waitForSelector('[data-listening=talking]');
    await looksRight('console-talking');
    // Our tone has gone; Chromium's microphone beeps, with silence between, and the caller hears it.
    const heard = { silence: false, beep: false };
    phone.onAudio((frame) => {
      const level = rms(frame);
      if (level < 100) heard.silence = true;
      else if (heard.silence && level > 300) heard.beep = true;
    });
    await until(
      async () => heard.beep,
      () => phone.pass(200),
    );
    expect(heard).toEqual({ silence: true, beep: true });
    const { calls } = (await agent.request('GET', '/v1/calls?state=answered')) as Listed;
    const [listener, caller] = calls.toSorted((one, other) => one.to.localeCompare(other.to));
    expect(listener).toMatchObject({ to: 'listen', metadata: { listensTo: caller?.id } });
    const { events } = (await agent.request('GET', `/v1/calls/${caller?.id}/timeline`)) as { events: unknown[] };
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'transfer.completed',
        data: expect.objectContaining({ way: 'bridge', peerCallId: listener?.id }),
      }),
    );
    await page.keyboard.press('h');
    expect(await phone.waitUntilEnded(30_000)).toBe(true);
    await page.waitForSelector('.call-head .tag[data-state=ended]');
  }, 120_000);

  test('made no complaint to its own console', () => {
    // What is refused before the token is there is told by the browser itself.
    expect(browser.complaints.filter((complaint) => !complaint.includes('401'))).toEqual([]);
  });
});
