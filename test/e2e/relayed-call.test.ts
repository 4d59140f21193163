/**
 * A browser that reaches nobody but a TURN server: coturn relays its call, with an account that the agent made for it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { writeWav } from '../../src/audio/wav';
import { startTestAgent, type TestAgent } from '../support/agent';
import { BROWSER_SAMPLE_RATE, BrowserPhone, chromiumPath } from '../support/browser';
import { rootMeanSquare, tonePart } from '../support/pitch';
import { startTurnServer, type TurnServer, turnServerInstalled } from '../support/turn-server';

const MICROPHONE_HZ = 440;
const describeWithBoth = chromiumPath !== undefined && turnServerInstalled() ? describe : describe.skip;

describeWithBoth('a call through a TURN relay', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'relayed-'));
  const microphoneWav = path.join(folder, 'microphone.wav');
  let relay: TurnServer;
  let agent: TestAgent;
  let phone: BrowserPhone;

  beforeAll(async () => {
    const samples = Int16Array.from({ length: 2 * BROWSER_SAMPLE_RATE }, (_, index) =>
      Math.round(8000 * Math.sin((2 * Math.PI * MICROPHONE_HZ * index) / BROWSER_SAMPLE_RATE)),
    );
    writeFileSync(microphoneWav, writeWav({ sampleRate: BROWSER_SAMPLE_RATE, channels: 1, pcm: [samples] }));
    relay = await startTurnServer();
    const iceServers = [{ urls: `turn:127.0.0.1:${relay.port}?transport=udp`, secret: relay.secret }];
    agent = await startTestAgent({ webrtc: { advertised: ['127.0.0.1'], iceServers } });
  }, 150_000);
  afterAll(async () => {
    await phone?.close();
    await agent?.stop();
    await relay?.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  test('carries the microphone there and its echo back, and nothing goes another way', async () => {
    phone = await BrowserPhone.open({ url: `${agent.httpUrl}/`, microphoneWav, relayOnly: true });
    await phone.call('echo');
    let heard: Float32Array = new Float32Array();
    for (let attempt = 0; attempt < 100 && heard.length < 4 * BROWSER_SAMPLE_RATE; attempt += 1) {
      await phone.page.waitForTimeout(200);
      heard = await phone.received();
    }
    const lastSecond = heard.slice(-BROWSER_SAMPLE_RATE);
    expect(rootMeanSquare(lastSecond)).toBeGreaterThan(0.01);
    expect(tonePart(lastSecond, BROWSER_SAMPLE_RATE, MICROPHONE_HZ)).toBeGreaterThan(0.5);
    expect(await phone.selectedPair()).toMatchObject({ local: 'relay' });
    // Each side has an account of its own, which says when it ends.
    const accounts = new Set(relay.log().match(/\d{10}:(?:caller|agent)/g));
    const inSeconds = [...accounts].map((account) => Number.parseInt(account, 10) - Date.now() / 1000);
    expect([...accounts].map((account) => account.split(':')[1]).sort()).toEqual(['agent', 'caller']);
    for (const seconds of inSeconds) expect(seconds).toBeGreaterThan(6_000);

    await phone.hangUp();
    // The agent gives its allocation back at once, rather than in ten minutes.
    for (let attempt = 0; attempt < 100 && !agentAllocationEnded(); attempt += 1) await phone.page.waitForTimeout(100);
    expect(agentAllocationEnded()).toBe(true);
  }, 90_000);

  function agentAllocationEnded(): boolean {
    return /:agent>.*(?:delete|closed|lifetime=0)|usage:.*:agent>/.test(relay.log());
  }
});
