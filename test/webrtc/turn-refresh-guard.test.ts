/** An allocation at a TURN server is renewed in time, again when that failed, and leaves no timer behind. */
import { classes, Message, methods, TurnProtocol } from 'werift';

import { installTurnRefreshGuard } from '../../src/webrtc/turn-refresh-guard';

/** werift's client over a transport that only tells; answers an allocation, and refreshes as `answers` says. */
function allocation(answers: readonly ('granted' | 'lost')[]) {
  const asked: number[] = [];
  const transport = {
    type: 'tls',
    closed: false,
    onData: () => undefined,
    send: async () => undefined,
    close: async () => undefined,
  };
  const turn = new TurnProtocol(['127.0.0.1', 3478], 'user', 'password', 600, transport as never);
  turn.requestWithRetry = async (request) => {
    const answer = new Message(request.messageMethod, classes.RESPONSE);
    answer.setAttribute('LIFETIME', 600);
    if (request.messageMethod === methods.REFRESH) {
      asked.push(Date.now());
      if (answers[asked.length - 1] === 'lost') throw new Error('no answer');
    }
    return [answer, ['127.0.0.1', 3478]];
  };
  return { turn, asked };
}

beforeAll(() => installTurnRefreshGuard());
beforeEach(() => jest.useFakeTimers({ now: 0 }));
afterEach(() => jest.useRealTimers());

test('is renewed at five sixths of its life, again and again', async () => {
  const { turn, asked } = allocation([]);
  await turn.connectionMade();
  await jest.advanceTimersByTimeAsync(1_001_000);
  expect(asked).toEqual([500_000, 1_000_000]);
  await turn.close();
});

test('is asked for soon again when nobody answered', async () => {
  const { turn, asked } = allocation(['lost', 'lost', 'granted']);
  await turn.connectionMade();
  await jest.advanceTimersByTimeAsync(599_000);
  expect(asked).toEqual([500_000, 515_000, 530_000]);
  await turn.close();
});

test('leaves nothing running when it is closed', async () => {
  const { turn, asked } = allocation([]);
  await turn.connectionMade();
  expect(jest.getTimerCount()).toBe(1);
  await turn.close();
  expect(jest.getTimerCount()).toBe(0);
  await jest.advanceTimersByTimeAsync(2_000_000);
  expect(asked).toEqual([]);
});
