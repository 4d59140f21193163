import { EndpointDriver, headerOf, sdpBody, tagOfTo, wire } from './endpoint-driver';

const ok = `SIP/2.0 200 OK\nContact: <sip:localhost>\n\n${sdpBody}`;

describe('the answering side of the endpoint', () => {
  let near: EndpointDriver;

  beforeEach(async () => {
    near = await new EndpointDriver().start();
  });

  const inject = (text: string): void => near.transport.inject(text);
  const lastSent = (): string => near.transport.sent.at(-1)?.text ?? '';

  /** INVITE, 200; gives the To tag. */
  function answered(): string {
    inject(wire({ method: 'INVITE' }));
    near.answer(near.last('INVITE').transactionId, ok);
    return tagOfTo(lastSent());
  }

  function confirmed(): string {
    const toTag = answered();
    inject(wire({ method: 'ACK', branch: 'ack', toTag }));
    near.takeLines();
    return toTag;
  }

  it('says 100 at once and hands the INVITE to the application', () => {
    inject(wire({ method: 'INVITE' }));
    expect(near.takeLines()).toEqual(['SIP/2.0 100 Trying']);
    expect(near.last('INVITE')).toMatchObject({
      source: 'network',
      dialogId: '',
      hop: { address: '192.0.2.1', port: 5060 },
    });
  });

  it('fills in tag, Contact, Content-Type and the length in bytes', () => {
    inject(wire({ method: 'INVITE', extra: 'Record-Route: <sip:p1;lr>, <sip:p2;lr>' }));
    near.answer(near.last('INVITE').transactionId, ok.replace('s=-', 's=é'));
    const text = lastSent();
    expect(tagOfTo(text)).not.toBe('');
    expect(headerOf(text, 'Contact')).toBe('<sip:127.0.0.1>');
    expect(headerOf(text, 'Content-Type')).toBe('application/sdp');
    expect(headerOf(text, 'Content-Length')).toBe(String(Buffer.byteLength(text.slice(text.indexOf('\r\n\r\n') + 4))));
    expect(text).toContain('Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>');
    expect(near.last('INVITE').dialogId).toBe('');
  });

  it('answers a copy of the INVITE with the last response, without telling the application', () => {
    inject(wire({ method: 'INVITE' }));
    near.answer(near.last('INVITE').transactionId, 'SIP/2.0 180 Ringing\n\n');
    near.takeLines();
    inject(wire({ method: 'INVITE' }));
    expect(near.takeLines()).toEqual(['SIP/2.0 180 Ringing']);
    expect(near.delivered).toEqual(['INVITE']);
  });

  it('repeats the 2xx at T1, doubled up to T2, until the ACK', () => {
    const toTag = answered();
    near.takeLines();
    const times: number[] = [];
    for (let ms = 0; ms < 12_000; ms += 100) {
      near.clock.advance(100);
      for (const line of near.takeLines()) {
        expect(line).toBe('SIP/2.0 200 OK');
        times.push(near.clock.nowMs());
      }
    }
    expect(times).toEqual([500, 1500, 3500, 7500, 11_500]);
    inject(wire({ method: 'ACK', branch: 'ack', toTag }));
    near.clock.advance(40_000);
    expect(near.takeLines()).toEqual([]);
    expect(near.delivered).toEqual(['INVITE', 'ACK']);
    expect(near.last('ACK')).toMatchObject({ bareProtocol: true, dialogId: 'call-1;from-tag=far' });
  });

  it('hands on only the first of several ACKs', () => {
    const toTag = answered();
    for (let copy = 0; copy < 3; copy++) inject(wire({ method: 'ACK', branch: `ack${copy}`, toTag }));
    expect(near.delivered.filter((one) => one === 'ACK')).toHaveLength(1);
  });

  it('gives up after 64*T1 without ACK: BYE to the far end, BYE to the application', async () => {
    answered();
    near.clock.advance(31_999);
    near.takeLines();
    near.clock.advance(1);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(near.takeLines()).toContain('BYE sip:far@192.0.2.1:5060 SIP/2.0');
    expect(near.last('BYE')).toMatchObject({
      source: 'application',
      transactionId: 'unsolicited',
      dialogId: 'call-1;from-tag=far',
    });
    expect(near.dump).toMatchObject({ missingAcks: 1, dialogs: 0 });
  });

  it('repeats a refusal until its ACK and swallows that ACK', () => {
    inject(wire({ method: 'INVITE' }));
    near.answer(near.last('INVITE').transactionId, 'SIP/2.0 404 Not Found\n\n');
    const toTag = tagOfTo(lastSent());
    near.takeLines();
    near.clock.advance(1500);
    expect(near.takeLines()).toEqual(['SIP/2.0 404 Not Found', 'SIP/2.0 404 Not Found']);
    inject(wire({ method: 'ACK', toTag }));
    near.clock.advance(60_000);
    expect(near.takeLines()).toEqual([]);
    expect(near.delivered).toEqual(['INVITE']);
    expect(near.dump['transactions']).toEqual({ servers: 0, clients: 0 });
  });

  it('does not repeat a refusal over a reliable transport', async () => {
    const tcp = await new EndpointDriver(undefined, '127.0.0.1', 5060, 'tcp').start();
    tcp.transport.inject(wire({ method: 'INVITE' }));
    tcp.answer(tcp.last('INVITE').transactionId, 'SIP/2.0 404 Not Found\n\n');
    tcp.takeLines();
    tcp.clock.advance(20_000);
    expect(tcp.takeLines()).toEqual([]);
  });

  it('answers CANCEL with 200 and its INVITE with 487, and refuses the late answer of the application', () => {
    inject(wire({ method: 'INVITE' }));
    const { transactionId } = near.last('INVITE');
    near.takeLines();
    inject(wire({ method: 'CANCEL' }));
    expect(near.takeLines()).toEqual(['SIP/2.0 200 OK', 'SIP/2.0 487 Request Terminated']);
    expect(near.delivered).toEqual(['INVITE', 'CANCEL']);
    expect(near.answer(transactionId, ok)).toBe('refused: unknown transaction');
    expect(near.takeLines()).toEqual([]);
  });

  it('answers a CANCEL after the 2xx with 200 and lets the call stand', () => {
    answered();
    near.takeLines();
    inject(wire({ method: 'CANCEL' }));
    expect(near.takeLines()).toEqual(['SIP/2.0 200 OK']);
    expect(near.dump['dialogs']).toBe(1);
  });

  it('answers a CANCEL of nothing with 481', () => {
    inject(wire({ method: 'CANCEL' }));
    expect(near.takeLines()).toEqual(['SIP/2.0 481 Call/Transaction Does Not Exist']);
  });

  it('answers requests of unknown dialogs with 481, and drops their ACK', () => {
    inject(wire({ method: 'BYE', toTag: 'nowhere' }));
    inject(wire({ method: 'INVITE', branch: 'two', callId: 'b', toTag: 'nowhere' }));
    inject(wire({ method: 'ACK', branch: 'three', callId: 'c', toTag: 'nowhere' }));
    expect(near.takeLines()).toEqual([
      'SIP/2.0 481 Call/Transaction Does Not Exist',
      'SIP/2.0 481 Call/Transaction Does Not Exist',
    ]);
  });

  it('wants both tags to be right', () => {
    const toTag = confirmed();
    inject(wire({ method: 'BYE', branch: 'x', cseq: 2, toTag, fromTag: 'other' }));
    inject(wire({ method: 'BYE', branch: 'y', cseq: 2, toTag: `${toTag}0` }));
    expect(near.takeLines()).toHaveLength(2);
    expect(near.dump['dialogs']).toBe(1);
  });

  it('hands BYE on and forgets the dialog when it is answered', () => {
    const toTag = confirmed();
    inject(wire({ method: 'BYE', branch: 'bye', cseq: 2, toTag }));
    near.answer(near.last('BYE').transactionId, 'SIP/2.0 200 OK\n\n');
    expect(near.takeLines()).toEqual(['SIP/2.0 200 OK']);
    expect(near.dump).toMatchObject({ dialogs: 0, dialogsOpened: 1, dialogsClosed: 1 });
    near.clock.advance(64_000);
    expect(near.dump['transactions']).toEqual({ servers: 0, clients: 0 });
  });

  it('ends an unanswered re-INVITE with 487 when BYE comes', () => {
    const toTag = confirmed();
    inject(wire({ method: 'INVITE', branch: 're', cseq: 2, toTag }));
    near.takeLines();
    inject(wire({ method: 'BYE', branch: 'bye', cseq: 3, toTag }));
    expect(near.takeLines()).toEqual(['SIP/2.0 487 Request Terminated']);
  });

  it('refuses numbers that went backwards and a second INVITE before the first is done with 500', () => {
    const toTag = confirmed();
    inject(wire({ method: 'INFO', branch: 'i', cseq: 1, toTag }));
    inject(wire({ method: 'INVITE', branch: 'r1', cseq: 5, toTag }));
    inject(wire({ method: 'INVITE', branch: 'r2', cseq: 6, toTag }));
    expect(near.takeLines()).toEqual([
      'SIP/2.0 500 Server Internal Error',
      'SIP/2.0 100 Trying',
      'SIP/2.0 500 Server Internal Error',
    ]);
  });

  it('refuses a re-INVITE and an UPDATE with 491 while ours is open', async () => {
    const toTag = confirmed();
    await near.request(`INVITE sip:placeholder SIP/2.0\n\n${sdpBody}`, { dialogId: 'call-1;from-tag=far' });
    near.takeLines();
    inject(wire({ method: 'INVITE', branch: 'r', cseq: 2, toTag }));
    inject(wire({ method: 'UPDATE', branch: 'u', cseq: 3, toTag }));
    expect(near.takeLines()).toEqual(['SIP/2.0 491 Request Pending', 'SIP/2.0 491 Request Pending']);
  });

  it('sees the same request by two paths once (482)', () => {
    inject(wire({ method: 'INVITE', branch: 'one' }));
    inject(wire({ method: 'INVITE', branch: 'two' }));
    expect(near.takeLines()).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 482 Loop Detected']);
    expect(near.dump['mergedRequests']).toBe(1);
  });

  it('says 503 while no application is registered, 405 to methods nobody knows', () => {
    inject(wire({ method: 'FROB' }));
    expect(near.takeLines()).toEqual(['SIP/2.0 405 Method Not Allowed']);
    near.registered = false;
    inject(wire({ method: 'INVITE', branch: 'two' }));
    expect(headerOf(lastSent(), 'Retry-After')).toBe('5');
    expect(near.takeLines()).toEqual(['SIP/2.0 503 Service Unavailable']);
  });

  it('drops what a source sends beyond its rate without a word, but lets its calls go on', () => {
    const toTag = confirmed();
    near.admit = () => false;
    inject(wire({ method: 'INVITE', branch: 'scan', callId: 'scan' }));
    inject('garbage');
    expect(near.takeLines()).toEqual([]);
    inject(wire({ method: 'BYE', branch: 'bye', cseq: 2, toTag }));
    expect(near.delivered.at(-1)).toBe('BYE');
    expect(near.dump).toMatchObject({ rateLimited: 1, malformedDropped: 1 });
  });

  it('answers to where the request came from (rport) or to the port of its Via', () => {
    const via = 'Via: SIP/2.0/UDP 10.0.0.9:5090;branch=z9hG4bKnat';
    near.transport.inject(wire({ method: 'OPTIONS', via: `${via};rport` }), {
      transport: 'udp',
      address: '203.0.113.7',
      port: 40000,
    });
    near.answer(near.last('OPTIONS').transactionId, 'SIP/2.0 200 OK\n\n');
    expect(near.transport.sent.at(-1)?.to).toMatchObject({ address: '203.0.113.7', port: 40000 });
    expect(headerOf(lastSent(), 'Via')).toContain('rport=40000;received=203.0.113.7');
    near.transport.inject(wire({ method: 'OPTIONS', callId: 'b', via: `${via}2` }), {
      transport: 'udp',
      address: '203.0.113.7',
      port: 40000,
    });
    near.answer(near.last('OPTIONS').transactionId, 'SIP/2.0 200 OK\n\n');
    expect(near.transport.sent.at(-1)?.to).toMatchObject({ address: '203.0.113.7', port: 5090 });
  });

  it('does not wait for ever for an application that forgets', () => {
    inject(wire({ method: 'OPTIONS' }));
    inject(wire({ method: 'INVITE', branch: 'i', callId: 'i' }));
    near.takeLines();
    near.clock.advance(32_000);
    expect(near.takeLines()).toEqual(['SIP/2.0 408 Request Timeout']);
    near.clock.advance(600_000);
    expect(near.takeLines()).toContain('SIP/2.0 480 Temporarily Unavailable');
    expect(near.dump).toMatchObject({ unanswered: 2, awaitingApplication: 0 });
  });

  it('ends the calls of an application that is gone', async () => {
    confirmed();
    inject(wire({ method: 'INVITE', branch: 'next', callId: 'next' }));
    near.takeLines();
    near.endpoint.dropOwner(1);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(near.takeLines().sort()).toEqual(['BYE sip:far@192.0.2.1:5060 SIP/2.0', 'SIP/2.0 503 Service Unavailable']);
  });
});
