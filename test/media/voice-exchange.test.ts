/** Two media threads' worth of calls that hear each other, over a real message channel. */
import { MessageChannel } from 'node:worker_threads';
import { agentVoice, MixMinus } from '../../src/media/mix-minus';
import { VoiceExchange } from '../../src/media/voice-exchange';

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const frame = (value: number): Int16Array => new Int16Array(320).fill(value);

function side(...ours: readonly string[]) {
  const heard: string[] = [];
  const exchange = new VoiceExchange({
    isOurs: (sessionId) => ours.includes(sessionId),
    hear: (ear, voice, pcm, fromAfar) => void heard.push(`${ear} ${voice} ${pcm[0]} ${fromAfar ? 'afar' : 'here'}`),
  });
  return { exchange, heard };
}

describe('voices of two media threads', () => {
  const phones = () => side('phone', 'other');
  let lines: ReturnType<typeof side>;
  let browsers: ReturnType<typeof side>;

  beforeEach(() => {
    lines = phones();
    browsers = side('browser');
    const { port1, port2 } = new MessageChannel();
    lines.exchange.attach(port1);
    browsers.exchange.attach(port2);
  });
  afterEach(() => {
    lines.exchange.close();
    browsers.exchange.close();
  });

  it('cross over while somebody there is connected with them, and only these', async () => {
    browsers.exchange.connect('browser', ['phone', agentVoice('phone')]);
    lines.exchange.connect('phone', ['browser', 'other']);
    await settled();
    lines.exchange.say('phone', frame(1));
    lines.exchange.say(agentVoice('phone'), frame(2));
    lines.exchange.say('other', frame(3));
    browsers.exchange.say('browser', frame(4));
    await settled();
    expect(browsers.heard).toEqual(['browser phone 1 afar', 'browser phone/agent 2 afar']);
    expect(lines.heard).toEqual(['phone other 3 here', 'phone browser 4 afar']);
  });

  it('stay where they are when nobody is connected any more', async () => {
    browsers.exchange.connect('browser', ['phone']);
    await settled();
    browsers.exchange.connect('browser', []);
    await settled();
    lines.exchange.say('phone', frame(1));
    await settled();
    expect(browsers.heard).toEqual([]);
    // Nobody's call, or one that has ended, is nothing to send.
    browsers.exchange.connect('browser', ['nobody']);
    await settled();
    lines.exchange.say('nobody', frame(1));
    await settled();
    expect(browsers.heard).toEqual([]);
  });
});

describe('a voice from another thread', () => {
  const pulled = (mix: MixMinus): number => {
    const out = new Int16Array(320);
    mix.pull(out);
    return mix.others[0] ?? 0;
  };

  it('is kept a frame in hand, so that one that is late leaves no hole', () => {
    const mix = new MixMinus(['far'], 16_000);
    mix.heard(frame(1), 'far', true);
    expect(pulled(mix)).toBe(0);
    mix.heard(frame(2), 'far', true);
    expect(pulled(mix)).toBe(1);
    // The next is late, and comes with the one after it.
    expect(pulled(mix)).toBe(2);
    mix.heard(frame(3), 'far', true);
    mix.heard(frame(4), 'far', true);
    expect([pulled(mix), pulled(mix)]).toEqual([3, 4]);
  });

  it('is heard from its newest on when a stalled thread brings much at once', () => {
    const mix = new MixMinus(['far'], 16_000);
    for (let value = 1; value <= 5; value++) mix.heard(frame(value), 'far', true);
    expect([pulled(mix), pulled(mix)]).toEqual([4, 5]);
  });

  it('of our own thread is heard at once', () => {
    const mix = new MixMinus(['near'], 16_000);
    mix.heard(frame(1), 'near');
    expect(pulled(mix)).toBe(1);
  });
});
