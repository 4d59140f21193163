/** One signed POST: what the receiver can verify, and where it is not sent. */
import { Webhook } from 'standardwebhooks';
import { type Post, postJson, signatures, type TargetPolicy } from '../../src/webhooks/post-json';
import { type Answer, type Receiver, startReceiver } from './receiver';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const older = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
const allowed: TargetPolicy = { allowPrivate: ['localhost'] };

let receiver: Receiver;
let answer: Answer;

beforeEach(async () => {
  answer = {};
  receiver = await startReceiver(() => answer);
});
afterEach(() => receiver.close());

const post = (more: Partial<Post> = {}): Post => ({
  url: receiver.url,
  messageId: 'evt_1',
  body: '{"type":"call.started"}',
  secrets: [secret],
  timeoutMs: 2000,
  now: new Date(),
  ...more,
});

describe('postJson', () => {
  it('signs so that the standard library of a receiver accepts it', async () => {
    await expect(postJson(post(), allowed)).resolves.toMatchObject({ status: 200 });
    const [received] = receiver.received;
    const headers = Object.fromEntries(Object.entries(received!.headers).map(([name, value]) => [name, String(value)]));
    expect(new Webhook(secret).verify(received!.body, headers)).toEqual({ type: 'call.started' });
    expect(() => new Webhook(secret).verify(`${received!.body} `, headers)).toThrow();
    expect(headers['webhook-id']).toBe('evt_1');
  });

  it('signs with every secret while they are rotated', async () => {
    await postJson(post({ secrets: [older, secret] }), allowed);
    const headers = Object.fromEntries(
      Object.entries(receiver.received[0]!.headers).map(([name, value]) => [name, String(value)]),
    );
    for (const one of [older, secret]) {
      expect(new Webhook(one).verify(receiver.received[0]!.body, headers)).toBeTruthy();
    }
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
  });

  it('takes a secret that is no base64 as it is', () => {
    const at = new Date(1_700_000_000_000);
    const made = signatures(['plain words'], 'evt_1', at, '{}');
    expect(made).toBe(new Webhook('plain words', { format: 'raw' }).sign('evt_1', at, '{}'));
  });

  it('gives back status, JSON and how long to wait', async () => {
    answer = { status: 503, body: '{"a":1}', headers: { 'retry-after': '7' } };
    await expect(postJson(post(), allowed)).resolves.toEqual({ status: 503, json: { a: 1 }, retryAfterMs: 7000 });
    answer = { body: 'not json' };
    await expect(postJson(post(), allowed)).resolves.toMatchObject({ status: 200, json: undefined });
  });

  it('does not follow a redirect', async () => {
    answer = { status: 302, headers: { location: 'http://127.0.0.1:1/' } };
    await expect(postJson(post(), allowed)).resolves.toMatchObject({ status: 302 });
    expect(receiver.received).toHaveLength(1);
  });

  it('refuses a private target unless its name is allowed', async () => {
    const none: TargetPolicy = { allowPrivate: [] };
    await expect(postJson(post(), none)).rejects.toMatchObject({ code: 'webhook.private-target' });
    for (const url of [
      'http://127.0.0.1:1/',
      'http://[::1]:1/',
      'http://0x7f000001/',
      'http://169.254.169.254/latest',
    ]) {
      await expect(postJson(post({ url }), none)).rejects.toMatchObject({ code: 'webhook.private-target' });
    }
    expect(receiver.received).toHaveLength(0);
  });

  it('connects to the address that was looked at, not to a second answer of the name server', async () => {
    const port = new URL(receiver.url).port;
    let asked = 0;
    const rebinding: TargetPolicy = {
      allowPrivate: [],
      // First a public address (of the documentation range's neighbour), then loopback: an attack by DNS.
      resolve: async () => [{ address: ++asked === 1 ? '192.0.3.1' : '127.0.0.1', family: 4 }],
    };
    const attempt = postJson(post({ url: `http://evil.example:${port}/`, timeoutMs: 300 }), rebinding);
    await expect(attempt).rejects.toMatchObject({ code: expect.stringMatching(/^webhook\.(timeout|unreachable)$/) });
    expect(asked).toBe(1);
    expect(receiver.received).toHaveLength(0);
  });

  it('takes the public address where a name has both', async () => {
    const mixed: TargetPolicy = { allowPrivate: [], resolve: async () => [{ address: '10.0.0.1', family: 4 }] };
    await expect(postJson(post({ url: 'http://x.example/' }), mixed)).rejects.toMatchObject({
      code: 'webhook.private-target',
    });
  });

  it('gives up on silence, on an endless answer and on a closed port with a code each', async () => {
    answer = { silent: true };
    await expect(postJson(post({ timeoutMs: 100 }), allowed)).rejects.toMatchObject({ code: 'webhook.timeout' });
    answer = { body: 'x'.repeat(100_000) };
    await expect(postJson(post(), allowed)).rejects.toMatchObject({ code: 'webhook.answer-too-large' });
    await receiver.close();
    await expect(postJson(post(), allowed)).rejects.toMatchObject({ code: 'webhook.unreachable' });
    await expect(postJson(post({ url: 'ftp://x/' }), allowed)).rejects.toMatchObject({ code: 'webhook.bad-url' });
    await expect(postJson(post({ url: 'nonsense' }), allowed)).rejects.toMatchObject({ code: 'webhook.bad-url' });
  });
});
