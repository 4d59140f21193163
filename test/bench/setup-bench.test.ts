import { readCaller } from '../../src/bench/setup-bench';

describe('what SIPp says of its calls', () => {
  const head = 'StartTime;ElapsedTime(C);OutgoingCall(P);SuccessfulCall(C);FailedCall(C);Retransmissions(C);';

  it('is read from its last line, and from a line per call', () => {
    const statistics = [head, 'x;1;2;0;0;0;', 'x;2;1;1;0;4;', 'x;3;0;2;1;5;', ''].join('\n');
    const times = ['Date_ms;response_time_ms;rtd_name', '1003.5;3.5;setup', '6001.25;1.25;setup', ''].join('\n');
    expect(readCaller(statistics, times)).toEqual({
      succeeded: 2,
      failed: 1,
      retransmissions: 5,
      setupMs: [3.5, 1.25],
      warmSetupMs: [1.25],
      sendingSeconds: 2,
    });
  });

  it('is nothing when it said nothing', () => {
    expect(readCaller('', '')).toMatchObject({ succeeded: 0, failed: 0, setupMs: [] });
  });
});
