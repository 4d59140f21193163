/** The order in which a caller is handed on: asked to call, else connected by us; and what each outcome means. */
import type { BridgeSide } from '../../src/call/bridge';
import { type TransferPorts, type TransferRequest, transfer } from '../../src/call/transfer';
import { TrunklineError } from '../../src/core/errors';
import type { ReferOutcome } from '../../src/sip/user-agent';

const request: TransferRequest = { to: '4711', ringSeconds: 30, mode: 'auto' };
const peer = {} as BridgeSide;
const busy = new TrunklineError('call.not-reached', 'x', { details: { cause: 'busy', status: 486 } });

function ports(outcome: ReferOutcome | undefined, dial: BridgeSide | Error | undefined = peer) {
  const done: string[] = [];
  const given: TransferPorts = {
    address: ({ to }) => `sip:${to}@192.0.2.1`,
    refer:
      outcome === undefined
        ? undefined
        : async ({ target }) => {
            done.push(`refer ${target}`);
            return outcome;
          },
    dial:
      dial === undefined
        ? undefined
        : async ({ to }) => {
            done.push(`dial ${to}`);
            if (dial instanceof Error) throw dial;
            return dial;
          },
  };
  return { given, done };
}

describe('a transfer', () => {
  it.each([
    ['answered there', 'auto', { kind: 'completed', status: 200 }, { kind: 'referred', confirmed: true }, 1],
    ['untold', 'auto', { kind: 'unknown', because: 'no-notify' }, { kind: 'referred', confirmed: false }, 1],
    ['hung up first', 'auto', { kind: 'unknown', because: 'ended' }, { kind: 'referred', confirmed: false }, 1],
    ['busy there', 'auto', { kind: 'failed', status: 486 }, { kind: 'failed', cause: 'busy', status: 486 }, 1],
    [
      'no answer there',
      'auto',
      { kind: 'failed', status: 408 },
      { kind: 'failed', cause: 'no-answer', status: 408 },
      1,
    ],
    ['refused, so bridged', 'auto', { kind: 'refused', status: 405 }, { kind: 'bridged', peer }, 2],
    [
      'refused, and no bridge wanted',
      'refer',
      { kind: 'refused', status: 603 },
      { kind: 'failed', cause: 'rejected', status: 603 },
      1,
    ],
    ['a bridge wanted', 'bridge', { kind: 'completed', status: 200 }, { kind: 'bridged', peer }, 1],
    ['a browser, that cannot be asked', 'auto', undefined, { kind: 'bridged', peer }, 1],
  ] as const)('%s', async (_what, mode, outcome, expected, steps) => {
    const { given, done } = ports(outcome);
    expect(await transfer({ ...request, mode }, given, new AbortController().signal)).toEqual(expected);
    expect(done).toHaveLength(steps);
  });

  it('fails as whoever was rung failed', async () => {
    const { given } = ports({ kind: 'refused', status: 405 }, busy);
    expect(await transfer(request, given, new AbortController().signal)).toEqual({
      kind: 'failed',
      cause: 'busy',
      status: 486,
    });
  });

  it('is not bridged for whoever may not make us call', async () => {
    const given = { ...ports({ kind: 'refused', status: 403 }).given, dial: undefined };
    expect(await transfer(request, given, new AbortController().signal)).toEqual({
      kind: 'failed',
      cause: 'rejected',
      status: 403,
    });
  });
});
