/** The softphone in a real browser: page, WHIP, WebRTC peer and media thread, without an agent behind it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { writeWav } from '../../src/audio/wav';
import { TrunklineError } from '../../src/core/errors';
import { BROWSER_SAMPLE_RATE, BrowserPhone, chromiumPath } from '../support/browser';
import { rootMeanSquare, tonePart } from '../support/pitch';
import { SoftphoneLine, type SoftphoneLineOptions } from '../support/softphone-line';
import { openUdpRelay, type UdpRelay } from '../support/udp-relay';

const MICROPHONE_HZ = 440;
const TONE_HZ = 1000;
const describeWithBrowser = chromiumPath === undefined ? describe.skip : describe;

describeWithBrowser('the softphone page', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'softphone-'));
  const microphoneWav = path.join(folder, 'microphone.wav');
  let line: SoftphoneLine;
  let phone: BrowserPhone;
  let relay: UdpRelay | undefined;

  beforeAll(() => {
    const samples = Int16Array.from({ length: 2 * BROWSER_SAMPLE_RATE }, (_, index) =>
      Math.round(8000 * Math.sin((2 * Math.PI * MICROPHONE_HZ * index) / BROWSER_SAMPLE_RATE)),
    );
    writeFileSync(microphoneWav, writeWav({ sampleRate: BROWSER_SAMPLE_RATE, channels: 1, pcm: [samples] }));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(async () => {
    relay?.close();
    relay = undefined;
    await phone.close();
    await line.close();
  });

  async function start(options: SoftphoneLineOptions = {}): Promise<void> {
    line = await SoftphoneLine.start({ toneHz: TONE_HZ, ...options });
    phone = await BrowserPhone.open({ url: line.url, microphoneWav });
  }

  /** The last second of what has arrived, once there is enough of it. */
  async function lastSecond(afterSeconds: number): Promise<Float32Array> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const received = await phone.received();
      if (received.length >= (afterSeconds + 1) * BROWSER_SAMPLE_RATE) return received.slice(-BROWSER_SAMPLE_RATE);
      await phone.page.waitForTimeout(200);
    }
    throw new Error('Too little audio arrived.');
  }

  test('plays the tone of the agent', async () => {
    await start();
    await phone.call('tone');
    const heard = await lastSecond(2);
    expect(rootMeanSquare(heard)).toBeGreaterThan(0.05);
    // The browser's own jitter buffer may shift the phase once in that second.
    expect(tonePart(heard, BROWSER_SAMPLE_RATE, TONE_HZ)).toBeGreaterThan(0.7);
    // Nothing that the page asks for comes from elsewhere.
    const foreign = await phone.page.evaluate(
      `performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => !name.startsWith(location.origin))`,
    );
    expect(foreign).toEqual([]);
  }, 60_000);

  test('is dialled by keyboard alone: what was chosen is called', async () => {
    await start();
    await phone.page.locator('input[name=number][value="echo"]').focus();
    await phone.page.keyboard.press('ArrowDown');
    await phone.page.keyboard.press('Tab');
    await phone.page.keyboard.press('Tab');
    await phone.page.keyboard.press('Enter');
    await phone.page.locator('#hang-up').waitFor({ timeout: 20_000 });
    expect(await phone.page.locator('#party-name').textContent()).toBe('Tone');
  }, 60_000);

  test('sends the microphone: the echo brings it back, and mute silences it', async () => {
    await start();
    await phone.call('echo');
    const heard = await lastSecond(2);
    expect(rootMeanSquare(heard)).toBeGreaterThan(0.01);
    expect(tonePart(heard, BROWSER_SAMPLE_RATE, MICROPHONE_HZ)).toBeGreaterThan(0.5);

    await phone.page.keyboard.press('m');
    expect(await phone.page.getAttribute('#mute', 'aria-pressed')).toBe('true');
    await phone.page.waitForTimeout(1500);
    const before = (await phone.received()).length;
    await lastSecond(before / BROWSER_SAMPLE_RATE);
    const muted = (await phone.received()).slice(-BROWSER_SAMPLE_RATE / 2);
    expect(tonePart(muted, BROWSER_SAMPLE_RATE, MICROPHONE_HZ) * rootMeanSquare(muted)).toBeLessThan(0.001);
  }, 60_000);

  test('shows what the call says over the data channel, and sends text and digits', async () => {
    await start();
    await phone.call('echo');
    line.sendEvent({ type: 'state', state: 'speaking' });
    line.sendEvent({ type: 'caption', role: 'user', turnId: 1, text: 'Are you open on Saturday?', final: true });
    line.sendEvent({
      type: 'caption',
      role: 'agent',
      turnId: 1,
      text: 'Yes, from nine to one.',
      heardText: 'Yes, from',
      final: true,
      interrupted: true,
    });
    line.sendEvent({ type: 'from-the-future', anything: 1 });
    line.sendEvent({
      type: 'turn',
      turnId: 1,
      stages: { speechEndMs: 100, decidedMs: 500, transcriptMs: 400, firstTextMs: 600, firstPacketMs: 812 },
    });
    await phone.page.waitForSelector('.turn-head strong');
    expect(await phone.page.textContent('#call-state .text')).toBe('Speaking');
    expect(await phone.captions()).toEqual([
      { role: 'user', text: 'Are you open on Saturday?' },
      { role: 'agent', text: 'Yes, from nine to one.' },
    ]);
    expect(await phone.page.textContent('.caption.interrupted .rest')).toBe(' nine to one.');
    expect(await phone.page.textContent('.turn-head strong')).toBe('712 ms');
    expect(await phone.page.textContent('#announcer')).toBe('Agent: Yes, from — interrupted');

    await phone.page.keyboard.press('t');
    await phone.page.keyboard.type('Is there parking?');
    await phone.page.keyboard.press('Enter');
    const event = await line.until(({ type }) => type === 'event');
    expect(event).toMatchObject({ json: '{"type":"user_text","text":"Is there parking?"}' });

    await phone.page.keyboard.press('Escape');
    await phone.page.keyboard.press('5');
    expect(await line.until(({ type }) => type === 'dtmf')).toMatchObject({ digit: '5' });
  }, 60_000);

  test('hangs up by DELETE, and can call again', async () => {
    await start();
    await phone.call('tone');
    await phone.hangUp();
    const closed = await line.until(({ type }) => type === 'closed');
    expect(closed).toMatchObject({ sessionId: 'call-1' });
    expect(await phone.page.textContent('#notice')).toContain('You hung up.');
    await phone.call('tone');
    expect(rootMeanSquare(await lastSecond(2))).toBeGreaterThan(0.05);
  }, 60_000);

  test('begins ICE anew when the browser says that its network has changed, and nothing is missed', async () => {
    await start();
    await phone.call('tone');
    await lastSecond(1);
    await phone.page.evaluate(`globalThis.dispatchEvent(new Event('online'))`);
    const restarted = await line.until(({ type }) => type === 'webrtc-restarted');
    expect(restarted).toMatchObject({ fragment: expect.stringContaining('a=ice-ufrag:') });
    const before = (await phone.received()).length / BROWSER_SAMPLE_RATE;
    expect(tonePart(await lastSecond(before + 1), BROWSER_SAMPLE_RATE, TONE_HZ)).toBeGreaterThan(0.7);
    expect(await phone.page.getAttribute('#call-state', 'data-state')).toBe('connected');
  }, 60_000);

  test('finds another way when the one it had is dead, and the call goes on', async () => {
    await start();
    // The first way leads through a relay that will die; the browser knows of no other until it asks again.
    let isAlive = true;
    await phone.page.route('**/whip/**', async (route) => {
      const request = route.request();
      if (request.method() === 'PATCH' && isAlive) return route.fulfill({ status: 204 });
      if (request.method() !== 'POST') return route.continue();
      const offerSdp = request.postData()?.replaceAll(/^a=(candidate:.*|end-of-candidates)\r\n/gm, '') ?? '';
      const response = await route.fetch({ postData: offerSdp });
      const answerSdp = await response.text();
      const port = Number(/^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) /m.exec(answerSdp)?.[1]);
      relay = await openUdpRelay(port, () => (isAlive ? 1 : 0));
      await route.fulfill({ response, body: answerSdp.replaceAll(`127.0.0.1 ${port} `, `127.0.0.1 ${relay.port} `) });
    });
    await phone.call('tone');
    await lastSecond(1);
    const carried = relay?.carried ?? 0;
    expect(carried).toBeGreaterThan(50);
    isAlive = false;
    await phone.page.waitForSelector('#call-state:has-text("Reconnecting")', { timeout: 30_000 });
    await phone.page.waitForSelector('#call-state[data-state=connected]', { timeout: 30_000 });
    const before = (await phone.received()).length / BROWSER_SAMPLE_RATE;
    expect(tonePart(await lastSecond(before + 1), BROWSER_SAMPLE_RATE, TONE_HZ)).toBeGreaterThan(0.7);
    expect(line.messages.filter(({ type }) => type === 'failed' || type === 'closed')).toEqual([]);
  }, 120_000);

  test('says in plain words why a call did not come about', async () => {
    await start({ refuse: new TrunklineError('call.rejected', 'No route.', { details: { httpStatus: 404 } }) });
    await phone.page.click('#call-button');
    await phone.page.waitForSelector('#notice:not([hidden])');
    expect(await phone.page.textContent('#notice')).toContain('Nobody answers at that number.');
    expect(await phone.page.isVisible('#call-button')).toBe(true);
  }, 60_000);
});
