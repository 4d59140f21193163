/** Reliable provisional responses on virtual time, both ways (RFC 3262). */
import { EndpointDriver, headerOf, sdpBody, tagOfTo, wire } from './endpoint-driver';

const ok = `SIP/2.0 200 OK\nContact: <sip:localhost>\n\n${sdpBody}`;
const early = `SIP/2.0 183 Session Progress\nRequire: 100rel\n\n${sdpBody}`;
const ringing = 'SIP/2.0 180 Ringing\nRequire: 100rel\n\n';

describe('a provisional response that we must get through', () => {
  let near: EndpointDriver;

  beforeEach(async () => {
    near = await new EndpointDriver().start();
    near.transport.inject(wire({ method: 'INVITE', extra: 'Supported: 100rel' }));
    near.takeLines();
  });

  const last = (): string => near.transport.sent.at(-1)?.text ?? '';
  const answer = (text: string): string => near.answer(near.last('INVITE').transactionId, text);
  let branch = 0;
  const prack = (rack: string, cseq = 2, body = ''): void =>
    near.transport.inject(
      wire({ method: 'PRACK', cseq, branch: `p${branch++}`, toTag: tagOfTo(last()), extra: `RAck: ${rack}`, body }),
    );

  it('comes again at T1, doubled without end, until 64*T1: then 504, and the application hears CANCEL', () => {
    answer(ringing);
    const times = [near.clock.nowMs()];
    const sent = near.transport.sent;
    for (let seen = sent.length; near.clock.nowMs() < 32_000; ) {
      near.clock.advance(100);
      if (sent.length > seen && sent.at(-1)?.text.startsWith('SIP/2.0 180')) times.push(near.clock.nowMs());
      seen = sent.length;
    }
    expect(times).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(near.takeLines().at(-1)).toBe('SIP/2.0 504 Server Time-out');
    expect(near.delivered).toEqual(['INVITE', 'CANCEL']);
    expect(near.dump).toMatchObject({ missingPracks: 1, dialogs: 0, awaitingApplication: 0 });
  });

  it('is numbered, and the next one waits for its PRACK', () => {
    answer(ringing);
    const number = Number(headerOf(last(), 'RSeq'));
    answer(early);
    expect(near.takeLines()).toEqual(['SIP/2.0 180 Ringing']);
    near.transport.inject(
      wire({ method: 'PRACK', cseq: 2, branch: 'x', toTag: 'wrong', extra: `RAck: ${number} 1 INVITE` }),
    );
    expect(near.takeLines()).toEqual(['SIP/2.0 481 Call/Transaction Does Not Exist']);
    answer(ringing);
    expect(near.takeLines()).toEqual([]);
  });

  it('with a description keeps the 200 back, without one it does not', () => {
    answer(early);
    const first = Number(headerOf(last(), 'RSeq'));
    answer(ok);
    expect(near.takeLines()).toEqual(['SIP/2.0 183 Session Progress']);
    answer(early);
    near.clock.advance(500);
    prack(`${first} 1 INVITE`);
    expect(near.takeLines()).toEqual(['SIP/2.0 183 Session Progress', 'SIP/2.0 200 OK', 'SIP/2.0 200 OK']);
    near.clock.advance(500);
    // Only the 200 to the INVITE is repeated from now on.
    expect(near.takeLines()).toEqual(['SIP/2.0 200 OK']);
  });

  it('is acknowledged by its own number only, and once more without harm', () => {
    answer(early);
    const number = Number(headerOf(last(), 'RSeq'));
    prack(`${number + 1} 1 INVITE`);
    expect(last()).toContain('SIP/2.0 481');
    for (const [cseq, rack] of [
      [3, 'nonsense'],
      [4, `${number} 2 INVITE`],
      [5, `${number} 1 UPDATE`],
    ] as const) {
      prack(rack, cseq);
      expect(last()).toContain('SIP/2.0 481');
    }
    prack(`${number} 1 INVITE`, 6);
    prack(`${number} 1 INVITE`, 7);
    expect(near.takeLines().slice(-2)).toEqual(['SIP/2.0 200 OK', 'SIP/2.0 200 OK']);
    near.clock.advance(10_000);
    expect(near.takeLines()).toEqual([]);
  });

  it('is forgotten when the INVITE is refused or cancelled', () => {
    answer(early);
    answer('SIP/2.0 486 Busy Here\n\n');
    near.takeLines();
    near.transport.inject(wire({ method: 'ACK', toTag: 'x' }));
    near.clock.advance(40_000);
    expect(near.takeLines()).toEqual([]);
    expect(near.dump).toMatchObject({ missingPracks: 0, dialogs: 0 });
  });

  it('whose answer was kept back is over when the caller cancels', () => {
    answer(early);
    answer(ok);
    near.transport.inject(wire({ method: 'CANCEL' }));
    expect(near.delivered).toEqual(['INVITE', 'BYE', 'CANCEL']);
    expect(near.last('BYE')).toMatchObject({ source: 'application' });
    expect(near.dump).toMatchObject({ dialogs: 0 });
  });

  it('with an offer in its PRACK stops, but the offer is refused', () => {
    answer(early);
    prack(`${Number(headerOf(last(), 'RSeq'))} 1 INVITE`, 2, sdpBody);
    expect(last()).toContain('SIP/2.0 488');
  });
});

describe('provisional responses that far ends get through to us', () => {
  let near: EndpointDriver;

  beforeEach(async () => {
    near = await new EndpointDriver().start();
    await near.request(`INVITE sip:far@192.0.2.1:5070 SIP/2.0\nFrom: <sip:us@localhost>\n\n${sdpBody}`);
  });

  const invite = (): string => near.transport.sent.find(({ text }) => text.startsWith('INVITE'))?.text ?? '';
  function respond(status: number, toTag: string, number?: number): void {
    near.transport.inject(
      [
        `SIP/2.0 ${status} Whatever`,
        ...['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerOf(invite(), name)}`),
        `To: <sip:far@192.0.2.1:5070>;tag=${toTag}`,
        `Contact: <sip:${toTag}@192.0.2.1:5070>`,
        ...(number === undefined ? [] : ['Require: 100rel', `RSeq: ${number}`]),
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
  }
  const prack = (rack: string): Promise<string> =>
    near.request(`PRACK sip:placeholder SIP/2.0\nRAck: ${rack}\n\n`, {
      dialogId: near.deliveries.at(-1)?.dialogId ?? '',
    });
  const sent = (method: string): string[] =>
    near.transport.sent.filter(({ text }) => text.startsWith(`${method} `)).map(({ text }) => text);

  it('are told once each; copies and those out of order are not', () => {
    respond(183, 'a', 7);
    respond(183, 'a', 7);
    respond(180, 'a', 9);
    respond(180, 'a', 8);
    expect(near.delivered).toEqual(['183', '180']);
  });

  it('of two branches that number alike are acknowledged each in its own dialog', async () => {
    respond(183, 'a', 1);
    respond(183, 'b', 1);
    await prack('1 1 INVITE');
    await prack('1 1 INVITE');
    expect(sent('PRACK').map((text) => [text.split(' ')[1], tagOfTo(text), headerOf(text, 'CSeq')])).toEqual([
      ['sip:a@192.0.2.1:5070', 'a', '2 PRACK'],
      ['sip:b@192.0.2.1:5070', 'b', '2 PRACK'],
    ]);
    // The second branch answers; what follows counts on from its own PRACK.
    respond(200, 'b');
    const { dialogId } = near.last('200');
    await near.request('ACK sip:placeholder SIP/2.0\n\n', { dialogId });
    await near.request('BYE sip:placeholder SIP/2.0\n\n', { dialogId });
    expect(headerOf(sent('ACK')[0] ?? '', 'CSeq')).toBe('1 ACK');
    expect([headerOf(sent('BYE')[0] ?? '', 'CSeq'), tagOfTo(sent('BYE')[0] ?? '')]).toEqual(['3 BYE', 'b']);
  });

  it('leave no dialog behind when the call is refused', async () => {
    respond(183, 'a', 1);
    expect(near.dump).toMatchObject({ dialogs: 1 });
    respond(486, 'a');
    expect(near.dump).toMatchObject({ dialogs: 0 });
    expect(await prack('1 1 INVITE')).toContain('refused');
  });
});
