/** The dialplan's webhook action against a real application. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { TrunklineError } from '../../src/core/errors';
import { silentLogger } from '../../src/core/log';
import type { WebhookAction } from '../../src/dialplan/dialplan';
import { loadDialplan } from '../../src/dialplan/load-dialplan';
import { askApplication, readAnswer } from '../../src/webhooks/ask-application';
import { type Answer, type Receiver, startReceiver } from './receiver';

const plan = loadDialplan(join(__dirname, '../../dialplans'));
const call = { callId: 'c1', number: 'x', caller: '+49', headers: { 'X-Tenant': 'acme' }, at: new Date(0) };
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

const webhook: WebhookAction = {
  type: 'webhook',
  url: 'https://app.example/calls/new?tenant=1',
  timeoutMs: 200,
  secret,
  fallback: { type: 'reject', status: 480, reason: undefined },
};

let receiver: Receiver;
let answer: Answer;

beforeEach(async () => {
  answer = {};
  receiver = await startReceiver(() => answer);
});
afterEach(() => receiver.close());

function ask(allowPrivate = ['localhost'], signal?: AbortSignal) {
  const options = {
    policy: { allowPrivate },
    surroundings: plan.surroundings,
    logger: silentLogger,
    newId: () => 'evt_1',
    now: () => new Date(),
  };
  return askApplication({ ...webhook, url: receiver.url }, call, options, signal);
}

describe('askApplication', () => {
  it('tells the application of the call, signed, and runs what it answers', async () => {
    answer = { body: '{"type":"agent","persona":"hotel","greeting":"Good evening."}' };
    const asked = await ask();
    expect(asked).toMatchObject({
      action: { type: 'agent', greeting: 'Good evening.', persona: { id: 'hotel' } },
      fallbackBecause: undefined,
    });
    const { body, headers } = receiver.received[0]!;
    const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(new Webhook(secret).verify(body, flat)).toMatchObject({
      type: 'call.route',
      callId: 'c1',
      to: 'x',
      from: '+49',
      headers: { 'X-Tenant': 'acme' },
    });
  });

  it.each<[string, Answer, string]>([
    ['silence', { silent: true }, 'webhook.timeout'],
    ['an error', { status: 500 }, 'webhook.refused'],
    ['nothing', { body: '' }, 'webhook.bad-answer'],
    ['no JSON', { body: '<html>' }, 'webhook.bad-answer'],
    ['an unknown action', { body: '{"type":"dance"}' }, 'webhook.bad-answer'],
    ['an unknown persona', { body: '{"type":"agent","persona":"nobody"}' }, 'webhook.bad-answer'],
    ['another question', { body: '{"type":"webhook","url":"http://localhost"}' }, 'webhook.bad-answer'],
  ])('falls back on %s', async (_what, given, code) => {
    answer = given;
    const asked = await ask();
    expect(asked.action).toMatchObject({ type: 'reject', status: 480 });
    expect(asked.fallbackBecause?.code).toBe(code);
  });

  it('falls back when the target is private, or the caller has gone', async () => {
    expect((await ask([])).fallbackBecause?.code).toBe('webhook.private-target');
    answer = { silent: true };
    const gone = new AbortController();
    const asking = ask(['localhost'], gone.signal);
    gone.abort();
    expect((await asking).action).toMatchObject({ status: 480 });
  });

  it('gives an application no file outside the dialplan folder', () => {
    const outside = join(mkdtempSync(join(tmpdir(), 'trunkline-outside-')), 'a.ogg');
    writeFileSync(outside, Buffer.concat([Buffer.from('OggS'), Buffer.alloc(20)]));
    for (const file of [outside, '../package.json']) {
      expect(() => readAnswer({ type: 'play', file }, plan.surroundings, webhook)).toThrow(
        /inside the dialplan folder/,
      );
    }
  });

  it('answers any JSON with an action or with a coded error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          readAnswer(json, plan.surroundings, webhook);
        } catch (error) {
          expect(error).toBeInstanceOf(TrunklineError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
