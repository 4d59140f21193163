import fc from 'fast-check';
import { keyOfInfo } from '../../src/sip/info-key';

describe('a key in an INFO', () => {
  it.each([
    ['application/dtmf-relay', 'Signal=5\r\nDuration=160\r\n', { digit: '5', durationMs: 160 }],
    ['application/dtmf-relay', 'Signal= *\nDuration= 250', { digit: '*', durationMs: 250 }],
    ['application/dtmf-relay', 'Duration=90\r\nSignal=11', { digit: '#', durationMs: 90 }],
    ['application/dtmf-relay', 'Signal=a', { digit: 'A', durationMs: 0 }],
    ['application/dtmf', '7', { digit: '7', durationMs: 0 }],
    ['application/dtmf', '#\r\n', { digit: '#', durationMs: 0 }],
  ])('%s %j is read', (type, body, key) => {
    expect(keyOfInfo(type, body)).toEqual(key);
  });

  it.each([
    ['application/dtmf-relay', 'Signal=hf'],
    ['application/dtmf-relay', 'Duration=160'],
    ['application/dtmf-relay', ''],
    ['application/dtmf', '55'],
    ['application/dtmf', `5${' '.repeat(300)}`],
    ['text/plain', '5'],
    ['application/media_control+xml', '<media_control/>'],
  ])('%s %j is none', (type, body) => {
    expect(keyOfInfo(type, body)).toBeUndefined();
  });

  it('is never anything but one key, whatever the body', () => {
    const body = fc.oneof(
      fc.string(),
      fc.tuple(fc.string(), fc.string()).map(([a, b]) => `Signal=${a}\r\nDuration=${b}`),
    );
    fc.assert(
      fc.property(fc.constantFrom('application/dtmf', 'application/dtmf-relay'), body, (type, text) => {
        const key = keyOfInfo(type, text);
        if (key === undefined) return;
        expect(key.digit).toMatch(/^[0-9*#A-D]$/);
        expect(key.durationMs).toBeGreaterThanOrEqual(0);
        expect(key.durationMs).toBeLessThanOrEqual(10_000);
      }),
    );
  });
});
