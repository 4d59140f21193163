/**
 * A headless Chromium as a caller: opens the softphone with a recording as its microphone, places calls with the page's
 * own buttons, and keeps what its loudspeaker got.
 */
import { existsSync } from 'node:fs';

import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Debian and others put it; undefined where there is none, and the tests that need it are skipped. */
export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

export const BROWSER_SAMPLE_RATE = 48_000;

export interface BrowserPhoneOptions {
  /** Of the softphone, on 127.0.0.1 or localhost: elsewhere a browser withholds the microphone. */
  readonly url: string;
  /** 48 kHz mono, 16 bits; played again from its start when it has ended. Without one: Chromium's beeps. */
  readonly microphoneWav?: string;
  /** Reaches TURN servers and nobody else. */
  readonly relayOnly?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

export class BrowserPhone {
  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
    /** What the page wrote to its console as errors, and what it threw. */
    readonly complaints: string[],
  ) {}

  static async open(options: BrowserPhoneOptions): Promise<BrowserPhone> {
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        ...(options.microphoneWav === undefined ? [] : [`--use-file-for-fake-audio-capture=${options.microphoneWav}`]),
        '--autoplay-policy=no-user-gesture-required',
        // Keeps media on 127.0.0.1: otherwise only the addresses of other interfaces are offered.
        '--allow-loopback-in-peer-connection',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    });
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
      colorScheme: options.colorScheme ?? 'light',
      permissions: ['microphone'],
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    if (options.relayOnly === true) await page.addInitScript('globalThis.iceTransportPolicy = "relay"');
    await page.addInitScript(RECORD_REMOTE_AUDIO);
    await page.goto(options.url);
    return new BrowserPhone(browser, page, complaints);
  }

  /** Chooses the number as a person would, and waits until the line stands. */
  async call(number: string): Promise<void> {
    const radio = this.page.locator(`input[name=number][value="${number}"]`);
    if (await radio.count()) await radio.check();
    else await this.page.fill('#free-number', number);
    await this.page.click('#call-button');
    await this.page.waitForFunction(
      () =>
        ['connected', 'listening', 'thinking', 'speaking'].includes(
          (globalThis as unknown as PageGlobals).document.querySelector('#call-state')?.dataset['state'] ?? '',
        ),
      undefined,
      { timeout: 20_000 },
    );
  }

  async hangUp(): Promise<void> {
    await this.page.click('#hang-up');
    await this.page.waitForSelector('#call-button', { state: 'visible' });
  }

  /** What arrived since the call began, 48 kHz mono. */
  async received(): Promise<Float32Array> {
    const base64 = await this.page.evaluate(() => (globalThis as unknown as PageGlobals).receivedAudio());
    const bytes = Buffer.from(base64, 'base64');
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  }

  /** The types of the candidates that the call goes between: `host`, `srflx`, `prflx` or `relay`. */
  async selectedPair(): Promise<{ local: string; remote: string }> {
    return JSON.parse(await this.page.evaluate(() => (globalThis as unknown as PageGlobals).selectedPair()));
  }

  async captions(): Promise<{ role: 'user' | 'agent'; text: string }[]> {
    return this.page.$$eval('#captions .caption', (items) =>
      items.map((item) => ({
        role: item.classList.contains('user') ? ('user' as const) : ('agent' as const),
        text: item.querySelector('p')?.textContent ?? '',
      })),
    );
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

/** What the init script and the page leave on the page's global object. */
interface PageGlobals {
  receivedAudio(): string;
  selectedPair(): Promise<string>;
  readonly document: { querySelector(selector: string): { dataset: Record<string, string> } | null };
}

/** A file of its own would need a bundler; this runs in the page before the page's own scripts. */
const RECORD_REMOTE_AUDIO = `
(() => {
  const chunks = [];
  const Connection = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Connection {
    constructor(configuration) {
      super({ ...configuration, iceTransportPolicy: globalThis.iceTransportPolicy ?? 'all' });
      chunks.length = 0;
      globalThis.lastConnection = this;
      this.addEventListener('track', ({ track }) => {
        const context = new AudioContext({ sampleRate: ${BROWSER_SAMPLE_RATE} });
        const source = context.createMediaStreamSource(new MediaStream([track]));
        const tap = context.createScriptProcessor(2048, 1, 1);
        tap.onaudioprocess = ({ inputBuffer }) => chunks.push(inputBuffer.getChannelData(0).slice());
        source.connect(tap).connect(context.destination);
        track.addEventListener('ended', () => context.close());
      });
    }
  };
  globalThis.selectedPair = async () => {
    const stats = await globalThis.lastConnection.getStats();
    const transport = [...stats.values()].find(({ type }) => type === 'transport');
    const pair = stats.get(transport?.selectedCandidatePairId);
    const typeOf = (id) => stats.get(id)?.candidateType;
    return JSON.stringify({ local: typeOf(pair?.localCandidateId), remote: typeOf(pair?.remoteCandidateId) });
  };
  globalThis.receivedAudio = () => {
    const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(new Uint8Array(chunk.buffer), offset);
      offset += chunk.byteLength;
    }
    let text = '';
    for (let index = 0; index < bytes.length; index += 32768) {
      text += String.fromCharCode(...bytes.subarray(index, index + 32768));
    }
    return btoa(text);
  };
})();
`;
