/** Two endpoints with a network between them that loses what it likes: RFC 3261's timers must carry every call through. */
import fc from 'fast-check';
import { ManualClock } from '../../../src/core/clock';
import type { Delivery } from '../../../src/sip/embedded/endpoint-context';
import { EndpointDriver, sdpBody, settle } from './endpoint-driver';
import { connect } from './memory-transport';

const invite = `INVITE sip:far@127.0.0.2:5060 SIP/2.0\n\n${sdpBody}`;

interface Outcome {
  readonly near: EndpointDriver;
  readonly far: EndpointDriver;
  readonly answered: boolean;
}

/** Rings, answers, confirms, and hangs up after two minutes; whatever is lost on the way. */
async function call(loses: (text: string) => boolean): Promise<Outcome> {
  const clock = new ManualClock();
  const near = await new EndpointDriver(clock, '127.0.0.1').start();
  const far = await new EndpointDriver(clock, '127.0.0.2').start();
  connect(near.transport, far.transport);
  near.transport.lose = loses;
  far.transport.lose = loses;
  let answered = false;
  far.onDelivery = ({ message, transactionId }: Delivery) => {
    if (message.kind !== 'request' || message.method === 'ACK' || transactionId === 'unsolicited') return;
    far.answer(transactionId, message.method === 'INVITE' ? `SIP/2.0 200 OK\n\n${sdpBody}` : 'SIP/2.0 200 OK\n\n');
  };
  near.onDelivery = ({ message, dialogId, transactionId }: Delivery) => {
    if (message.kind === 'request') {
      if (transactionId !== 'unsolicited') near.answer(transactionId, 'SIP/2.0 200 OK\n\n');
    } else if (message.status === 200 && message.headers.get('cseq')?.endsWith('INVITE')) {
      answered = true;
      void near.request('ACK sip:placeholder SIP/2.0\n\n', { dialogId });
      clock.after(120_000, () => void near.request('BYE sip:placeholder SIP/2.0\n\n', { dialogId }));
    }
  };
  await near.request(invite);
  for (let second = 0; second < 300; second++) {
    clock.advance(1000);
    await settle();
  }
  return { near, far, answered };
}

function expectNothingLeft({ near, far }: Outcome): void {
  for (const side of [near, far]) {
    expect(side.dump).toMatchObject({ dialogs: 0, transactions: { servers: 0, clients: 0 }, awaitingNetwork: 0 });
  }
}

describe('a call over a network that loses messages', () => {
  it('succeeds when nothing is lost, without one copy too many', async () => {
    const outcome = await call(() => false);
    expect(outcome.answered).toBe(true);
    expect(outcome.near.transport.lines.map((line) => line.split(' ')[0])).toEqual(['INVITE', 'ACK', 'BYE']);
    expect(outcome.far.delivered).toEqual(['INVITE', 'ACK', 'BYE']);
    expectNothingLeft(outcome);
  });

  it.each(['INVITE ', 'SIP/2.0 100', 'SIP/2.0 200', 'ACK ', 'BYE '])(
    'succeeds when the first three %s are lost',
    async (what) => {
      let lost = 0;
      const outcome = await call((text) => text.startsWith(what) && lost++ < 3);
      expect(lost).toBeGreaterThan(0);
      expect(outcome.answered).toBe(true);
      expect(outcome.far.delivered).toEqual(['INVITE', 'ACK', 'BYE']);
      expectNothingLeft(outcome);
    },
  );

  it('ends by itself on both sides when no ACK ever arrives', async () => {
    const outcome = await call((text) => text.startsWith('ACK '));
    expect(outcome.far.delivered).toContain('BYE');
    expect(outcome.far.dump).toMatchObject({ missingAcks: 1 });
    expect(outcome.near.delivered).toContain('BYE');
    expectNothingLeft(outcome);
  });

  it('leaves nothing behind and tells every request once, whatever is lost (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 2, max: 5 }),
        async (pattern, period) => {
          let count = 0;
          // Never the same message for ever: after the pattern every `period`-th message gets through.
          const outcome = await call(() => {
            const at = count++;
            return pattern[at % pattern.length] === true && at % period !== 0;
          });
          expectNothingLeft(outcome);
          for (const method of ['INVITE', 'ACK']) {
            expect(outcome.far.delivered.filter((one) => one === method).length).toBeLessThanOrEqual(1);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
