/** What an application may answer: one verb, a list, and where each fault is. */
import { join } from 'node:path';
import fc from 'fast-check';
import type { WebhookAction } from '../../src/dialplan/dialplan';
import { loadDialplan } from '../../src/dialplan/load-dialplan';
import { compileVerbs } from '../../src/dialplan/verbs';

const { surroundings } = loadDialplan(join(__dirname, '../../dialplans'));
const webhook: WebhookAction = {
  type: 'webhook',
  url: 'https://app.example/calls/new?tenant=1',
  timeoutMs: 2_000,
  secret: 'a secret',
  fallback: { type: 'reject', status: 480, reason: undefined },
};
const compiled = (json: unknown) => {
  const result = compileVerbs(json, surroundings, webhook);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.value;
};
const faults = (json: unknown) => {
  const result = compileVerbs(json, surroundings, webhook);
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
};

/** One of each kind, as short as it may be. */
const verbs = [
  { type: 'say', text: 'Hello.' },
  { type: 'ask', text: 'Your order number?', expect: 'digits' },
  { type: 'play', file: '../test/fixtures/questions/demo-01.ogg' },
  { type: 'transfer', to: '100' },
  { type: 'dial', to: 'sip:a@192.0.2.1' },
  { type: 'menu', say: 'One or two?', options: { 1: { type: 'echo' } } },
  { type: 'record', maxSeconds: 10 },
  { type: 'hangup' },
  { type: 'agent', persona: 'demo' },
] as const;

describe('an application’s answer', () => {
  it('is a list of verbs, in order', () => {
    const free = compileVerbs(verbs, { ...surroundings, confined: false }, webhook);
    const types = free.ok && free.value.type === 'verbs' ? free.value.steps.map(({ verb }) => verb.type) : [];
    expect(types).toEqual(['say', 'ask', 'play', 'transfer', 'dial', 'menu', 'voicemail', 'hangup', 'agent']);
  });

  it('is one verb, and one that a dialplan has is run as if it stood there', () => {
    expect(compiled({ type: 'say', text: 'Hello.' })).toMatchObject({ type: 'verbs', steps: [{ next: undefined }] });
    expect(compiled({ type: 'agent', persona: 'demo' })).toMatchObject({ type: 'agent', persona: { id: 'demo' } });
    expect(compiled([{ type: 'reject', status: 486 }])).toEqual({ type: 'reject', status: 486, reason: undefined });
  });

  it.each([
    ['/orders', 'https://app.example/orders'],
    ['orders?step=2', 'https://app.example/calls/orders?step=2'],
    ['?step=2', 'https://app.example/calls/new?step=2'],
    ['https://other.example/', 'https://other.example/'],
  ])('names with action %s who is asked next, as the first one was', (action, url) => {
    for (const verb of verbs) {
      if (['say', 'play', 'hangup'].includes(verb.type)) continue;
      const answer = compiled([{ ...verb, action }]);
      expect(answer).toMatchObject({ type: 'verbs', steps: [{ next: { ...webhook, url } }] });
    }
  });

  it('may give a menu its action in place of options: what is typed is told there', () => {
    expect(compiled({ type: 'menu', say: 'Your number?', action: '/typed' })).toMatchObject({
      steps: [{ verb: { maxDigits: 32, webhook: { url: 'https://app.example/typed', secret: 'a secret' } } }],
    });
  });

  it.each<[string, unknown, string[]]>([
    [
      'a fault in a list',
      [{ type: 'say', text: 'Hello.' }, { type: 'dial' }],
      ['1.to: Expected string; it is missing.'],
    ],
    ['a fault in a verb alone', { type: 'say', text: 7 }, ['text: Expected string, received number.']],
    ['an unknown verb', [{ type: 'sing' }], [expect.stringMatching(/^0.type: Expected one of .*"say"/) as never]],
    ['an unknown key', [{ type: 'say', text: 'a', vioce: 'b' }], [expect.stringMatching(/^0.vioce: .*voice/) as never]],
    ['an unknown persona', [{ type: 'agent', persona: 'x' }], [expect.stringMatching(/^0.persona: /) as never]],
    [
      'an action that is no URL',
      [{ type: 'record', action: 'ftp://a/' }],
      [expect.stringMatching(/^0.action: /) as never],
    ],
    ['an empty list', [], [': Expected at least one verb.']],
    ['too many', Array.from({ length: 51 }, () => verbs[0]), [': Expected at most 50 verbs.']],
    [
      'a menu that leads nowhere',
      { type: 'menu', say: 'Hm?' },
      ['options: Expected at least one option, or a webhook.'],
    ],
  ])('is refused for %s, with its place', (_what, json, expected) => {
    expect(faults(json)).toEqual(expected);
  });

  it('is verbs or faults, whatever it is', () => {
    const verb = fc.oneof(fc.jsonValue(), fc.record({ type: fc.constantFrom(...verbs.map(({ type }) => type)) }));
    fc.assert(
      fc.property(fc.oneof(verb, fc.array(verb, { maxLength: 4 })), (json) => {
        const result = compileVerbs(json, surroundings, webhook);
        expect(result.ok ? result.value.type : result.faults.length).toBeTruthy();
      }),
      { numRuns: 500 },
    );
  });
});
