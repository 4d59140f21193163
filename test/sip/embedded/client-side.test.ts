import { EndpointDriver, headerOf, sdpBody, settle, wire } from './endpoint-driver';

const invite = `INVITE sip:far@192.0.2.1:5070 SIP/2.0\nFrom: <sip:us@localhost>\nContact: <sip:us@localhost>\n\n${sdpBody}`;

describe('the asking side of the endpoint', () => {
  let near: EndpointDriver;

  beforeEach(async () => {
    near = await new EndpointDriver().start();
  });

  const sent = (method: string): string => {
    const found = [...near.transport.sent].reverse().find(({ text }) => text.startsWith(`${method} `));
    if (found === undefined) throw new Error(`no ${method} was sent`);
    return found.text;
  };

  /** A response to the last request of that method, as the far end would write it. */
  function respond(method: string, status: number, toTag = 'far', extra = ''): void {
    const text = sent(method);
    const to = headerOf(text, 'To') ?? '';
    near.transport.inject(
      [
        `SIP/2.0 ${status} Whatever`,
        `Via: ${headerOf(text, 'Via')}`,
        `From: ${headerOf(text, 'From')}`,
        `To: ${to.includes(';tag=') || status === 100 ? to : `${to};tag=${toTag}`}`,
        `Call-ID: ${headerOf(text, 'Call-ID')}`,
        `CSeq: ${headerOf(text, 'CSeq')}`,
        'Contact: <sip:far@192.0.2.1:5070>',
        ...(extra === '' ? [] : [extra]),
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
  }

  async function established(extra = ''): Promise<string> {
    await near.request(invite);
    respond('INVITE', 200, 'far', extra);
    const { dialogId } = near.last('200');
    await near.request('ACK sip:placeholder SIP/2.0\n\n', { dialogId });
    return dialogId;
  }

  it('completes an INVITE: Via, tags, Call-ID, CSeq, addresses for localhost, length in bytes', async () => {
    await near.request(invite);
    const text = sent('INVITE');
    expect(headerOf(text, 'Via')).toMatch(/^SIP\/2\.0\/UDP 127\.0\.0\.1:5060;branch=z9hG4bK\w+;rport$/);
    expect(headerOf(text, 'From')).toMatch(/^<sip:us@127\.0\.0\.1>;tag=\w+$/);
    expect(headerOf(text, 'To')).toBe('<sip:far@192.0.2.1:5070>');
    expect(headerOf(text, 'Contact')).toBe('<sip:us@127.0.0.1>');
    expect(headerOf(text, 'CSeq')).toBe('1 INVITE');
    expect(headerOf(text, 'Max-Forwards')).toBe('70');
    expect(headerOf(text, 'Content-Type')).toBe('application/sdp');
    expect(headerOf(text, 'Content-Length')).toBe(String(Buffer.byteLength(sdpBody)));
    expect(near.transport.sent[0]?.to).toEqual({ transport: 'udp', address: '192.0.2.1', port: 5070 });
  });

  it('sends the INVITE by the proxy that was named', async () => {
    await near.request(invite, { proxy: 'sip:198.51.100.1:5080' });
    expect(near.transport.sent[0]?.to).toMatchObject({ address: '198.51.100.1', port: 5080 });
    expect(sent('INVITE')).toMatch(/^INVITE sip:far@192\.0\.2\.1:5070 /);
  });

  it('repeats the INVITE at T1, doubled each time, and gives up after 64*T1 with a 408 of its own', async () => {
    await near.request(invite);
    near.takeLines();
    const times: number[] = [];
    for (let ms = 0; ms < 40_000; ms += 500) {
      near.clock.advance(500);
      times.push(...near.takeLines().map(() => near.clock.nowMs()));
    }
    expect(times).toEqual([500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(near.last('408')).toMatchObject({ hop: undefined });
    expect(near.dump['transactions']).toEqual({ servers: 0, clients: 0 });
  });

  it('repeats other requests at most every T2', async () => {
    const dialogId = await established();
    near.takeLines();
    await near.request('BYE sip:placeholder SIP/2.0\n\n', { dialogId });
    near.takeLines();
    const times: number[] = [];
    const start = near.clock.nowMs();
    for (let ms = 0; ms < 40_000; ms += 500) {
      near.clock.advance(500);
      times.push(...near.takeLines().map(() => near.clock.nowMs() - start));
    }
    expect(times).toEqual([500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect(near.delivered.at(-1)).toBe('408');
    expect(near.dump['dialogs']).toBe(0);
  });

  it('acknowledges a refusal itself, once more for every copy, and tells the application once', async () => {
    await near.request(invite);
    respond('INVITE', 486);
    respond('INVITE', 486);
    expect(near.takeLines().filter((line) => line.startsWith('ACK'))).toHaveLength(2);
    expect(near.delivered).toEqual(['486']);
    near.clock.advance(33_000);
    expect(near.dump['transactions']).toEqual({ servers: 0, clients: 0 });
  });

  it('lets the application acknowledge the 2xx and repeats that ACK for every copy', async () => {
    await established();
    const ack = sent('ACK');
    expect(headerOf(ack, 'CSeq')).toBe('1 ACK');
    expect(headerOf(ack, 'Via')).not.toBe(headerOf(sent('INVITE'), 'Via'));
    respond('INVITE', 200);
    near.clock.advance(40_000);
    respond('INVITE', 200);
    expect(near.transport.sent.filter(({ text }) => text === ack)).toHaveLength(3);
    expect(near.delivered).toEqual(['200']);
  });

  it('ends the other branches of a fork with ACK and BYE', async () => {
    await established();
    respond('INVITE', 200, 'second-phone');
    await settle();
    expect(near.takeLines().slice(-2)).toEqual([
      'ACK sip:far@192.0.2.1:5070 SIP/2.0',
      'BYE sip:far@192.0.2.1:5070 SIP/2.0',
    ]);
    expect(near.dump).toMatchObject({ forkedAnswers: 1, dialogs: 1 });
    expect(near.delivered).toEqual(['200']);
  });

  it('holds CANCEL back until the first 1xx', async () => {
    const transactionId = await near.request(invite);
    await near.request('CANCEL sip:far@192.0.2.1:5070 SIP/2.0\n\n', { transactionId });
    expect(near.takeLines()).toEqual(['INVITE sip:far@192.0.2.1:5070 SIP/2.0']);
    near.clock.advance(500);
    respond('INVITE', 180);
    const cancel = sent('CANCEL');
    expect(headerOf(cancel, 'Via')).toBe(headerOf(sent('INVITE'), 'Via'));
    expect(headerOf(cancel, 'CSeq')).toBe('1 CANCEL');
    respond('CANCEL', 200);
    respond('INVITE', 487);
    expect(near.delivered).toEqual(['180', '487']);
  });

  it('counts an INVITE as cancelled when the far end never confirms', async () => {
    const transactionId = await near.request(invite);
    respond('INVITE', 100);
    await near.request('CANCEL sip:far@192.0.2.1:5070 SIP/2.0\n\n', { transactionId });
    near.clock.advance(32_000);
    expect(near.last('487')).toMatchObject({ hop: undefined });
    near.clock.advance(1000);
    expect(near.dump['transactions']).toEqual({ servers: 0, clients: 0 });
  });

  it('follows the Record-Route set, last proxy first', async () => {
    const dialogId = await established('Record-Route: <sip:p2.example;lr>, <sip:198.51.100.1:5080;lr>');
    await near.request('BYE sip:placeholder SIP/2.0\n\n', { dialogId });
    const bye = sent('BYE');
    expect(bye).toMatch(/^BYE sip:far@192\.0\.2\.1:5070 SIP/);
    expect(bye).toContain('Route: <sip:198.51.100.1:5080;lr>\r\nRoute: <sip:p2.example;lr>\r\n');
    expect(near.transport.sent.at(-1)?.to).toMatchObject({ address: '198.51.100.1', port: 5080 });
  });

  it('obeys a strict router of RFC 2543', async () => {
    const dialogId = await established('Record-Route: <sip:198.51.100.1:5080>');
    await near.request('BYE sip:placeholder SIP/2.0\n\n', { dialogId });
    expect(sent('BYE')).toMatch(/^BYE sip:198\.51\.100\.1:5080 SIP/);
    expect(headerOf(sent('BYE'), 'Route')).toBe('<sip:far@192.0.2.1:5070>');
  });

  it('counts CSeq on inside the dialog and takes requests of the far end in it', async () => {
    const dialogId = await established();
    await near.request('INFO sip:placeholder SIP/2.0\n\n', { dialogId });
    expect(headerOf(sent('INFO'), 'CSeq')).toBe('2 INFO');
    const callId = headerOf(sent('INVITE'), 'Call-ID') ?? '';
    const ourTag = /;tag=(\w+)/.exec(headerOf(sent('INVITE'), 'From') ?? '')?.[1] ?? '';
    near.transport.inject(wire({ method: 'BYE', callId, fromTag: 'far', toTag: ourTag }));
    expect(near.last('BYE').dialogId).toBe(dialogId);
  });

  it('refuses what belongs to no dialog, with the words that drachtio-srf looks for', async () => {
    expect(await near.request('BYE sip:placeholder SIP/2.0\n\n', { dialogId: 'gone;from-tag=1' })).toMatch(
      /unable to find dialog/,
    );
    const dialogId = await established();
    expect(await near.request('ACK sip:placeholder SIP/2.0\n\n', { dialogId })).toMatch(/^refused/);
    expect(await near.request('CANCEL sip:x@192.0.2.1 SIP/2.0\n\n', { transactionId: 'u99' })).toMatch(/^refused/);
    expect(await near.request('INVITE hello SIP/2.0\n\n')).toMatch(/^refused/);
  });
});
