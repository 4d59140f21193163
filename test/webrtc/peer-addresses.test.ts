/** Ports of WebRTC peers. */
import { hasCode } from '../../src/core/errors';
import { isLoopback, PortWindows } from '../../src/webrtc/peer-addresses';

describe('the ports of WebRTC peers', () => {
  test('are searched from a place that moves on, and from the start again at the end', () => {
    const windows = new PortWindows();
    const starts = Array.from({ length: 5 }, () => windows.next([30_000, 30_023])[0]);
    expect(starts).toEqual([30_000, 30_008, 30_016, 30_000, 30_008]);
    expect(windows.next([30_000, 30_023])[1]).toBe(30_023);
  });

  test.each([[[30_000, 30_000]], [[30_001, 30_000]], [[0, 10]], [[65_000, 70_000]]] as const)(
    'are an error when the range is %p',
    (range) => {
      let thrown: unknown;
      try {
        new PortWindows().next([range[0], range[1]]);
      } catch (error) {
        thrown = error;
      }
      expect(hasCode(thrown, 'webrtc.no-port')).toBe(true);
    },
  );

  test('stay on the loopback only for addresses of the loopback', () => {
    expect(['127.0.0.1', '127.8.8.8', '::1', '192.0.2.1', '::ffff:1'].map(isLoopback)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
