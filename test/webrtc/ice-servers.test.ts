import { createHmac } from 'node:crypto';
import { iceServersFor } from '../../src/webrtc/ice-servers';

const NOW_MS = 1_800_000_000_500;

describe('the ICE servers of a call', () => {
  it('hands a fixed account on as it is', () => {
    const configured = [
      { urls: 'stun:stun.example.net' },
      { urls: 'turn:a.example.net', username: 'u', credential: 'c' },
    ];
    expect(iceServersFor(configured, 'caller', NOW_MS)).toEqual(configured);
  });

  it('makes an account that ends, of a secret that it keeps to itself', () => {
    const [server] = iceServersFor(
      [{ urls: 'turn:a.example.net', secret: 'hush', accountSeconds: 600 }],
      'caller',
      NOW_MS,
    );
    expect(server).toEqual({
      urls: 'turn:a.example.net',
      username: '1800000600:caller',
      credential: createHmac('sha1', 'hush').update('1800000600:caller').digest('base64'),
    });
  });

  it('lets such an account live longer than a call, and bear the name that was configured', () => {
    const [server] = iceServersFor([{ urls: 'turn:a.example.net', secret: 'hush', username: 'acme' }], 'x', NOW_MS);
    expect(server?.username).toBe('1800007200:acme');
  });
});
