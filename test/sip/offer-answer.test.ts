import fc from 'fast-check';
import { type Answered, answerOffer, applyAnswer, type LocalAudio, makeOffer } from '../../src/sip/offer-answer';
import { parseSdp } from '../../src/sip/sdp';

const local: LocalAudio = { address: '198.51.100.5', port: 20000, codecs: ['opus', 'PCMU', 'PCMA'] };

function offer(media: readonly string[], connection = 'IN IP4 192.0.2.10', version = 1): string {
  return ['v=0', `o=alice 1 ${version} IN IP4 192.0.2.10`, 's=-', `c=${connection}`, 't=0 0', ...media, ''].join(
    '\r\n',
  );
}

function answered(text: string, ours: LocalAudio = local, previous?: Answered): Answered {
  const result = answerOffer(text, ours, { sessionId: '7', previous: previous?.state });
  if (result.kind !== 'answered') throw new Error(result.reason);
  return result;
}

const g711 = ['m=audio 49170 RTP/AVP 0 8 101', 'a=rtpmap:101 telephone-event/8000'];

describe('answerOffer', () => {
  it('answers the basic offer with one codec and telephone-event', () => {
    const { sdp, audio } = answered(offer(g711));
    expect(audio).toEqual({
      codec: { name: 'PCMU', payloadType: 0, clockRate: 8000, packetMs: 20 },
      telephoneEvent: { payloadType: 101, clockRate: 8000 },
      remote: { address: '192.0.2.10', port: 49170 },
      remoteRtcp: { address: '192.0.2.10', port: 49171 },
      send: true,
      receive: true,
      held: false,
      srtp: undefined,
      comfortNoise: undefined,
      rtcpMux: false,
    });
    expect(sdp).toContain('m=audio 20000 RTP/AVP 0 101\r\n');
    expect(sdp).toContain('c=IN IP4 198.51.100.5\r\n');
    expect(sdp).toContain('a=sendrecv\r\n');
    expect(parseSdp(sdp).kind).toBe('session');
  });

  it("follows the caller's order, or ours if told so", () => {
    const media = ['m=audio 4000 RTP/AVP 8 0 96', 'a=rtpmap:96 opus/48000/2'];
    expect(answered(offer(media)).audio.codec.name).toBe('PCMA');
    const ours = answered(offer(media), { ...local, preference: 'ours' });
    expect(ours.audio.codec).toEqual({ name: 'opus', payloadType: 96, clockRate: 48000, packetMs: 20 });
    expect(ours.sdp).toContain('a=rtpmap:96 opus/48000/2');
  });

  it('chooses the telephone-event with the clock of the codec', () => {
    const media = [
      'm=audio 4000 RTP/AVP 111 101 110',
      'a=rtpmap:111 opus/48000/2',
      'a=rtpmap:101 telephone-event/8000',
      'a=rtpmap:110 telephone-event/48000',
    ];
    expect(answered(offer(media)).audio.telephoneEvent).toEqual({ payloadType: 110, clockRate: 48000 });
    const only8 = media.filter((line) => !line.includes('48000') || line.includes('opus'));
    expect(answered(offer(only8)).audio.telephoneEvent).toEqual({ payloadType: 101, clockRate: 8000 });
  });

  it.each([
    ['sendrecv', 'sendrecv', true, true],
    ['sendonly', 'recvonly', false, true],
    ['recvonly', 'sendonly', true, false],
    ['inactive', 'inactive', false, false],
  ])('mirrors %s as %s', (theirs, ours, send, receive) => {
    const { sdp, audio } = answered(offer([...g711, `a=${theirs}`]));
    expect(sdp).toContain(`a=${ours}\r\n`);
    expect(audio).toMatchObject({ send, receive, held: !send });
  });

  it('understands the old hold by c=0.0.0.0', () => {
    const { sdp, audio } = answered(offer(g711, 'IN IP4 0.0.0.0'));
    expect(audio).toMatchObject({ send: false, held: true });
    expect(sdp).toContain('a=recvonly\r\n');
  });

  it('can hold the far end itself', () => {
    const { sdp, audio } = answered(offer(g711), { ...local, direction: 'sendonly' });
    expect(sdp).toContain('a=sendonly\r\n');
    expect(audio).toMatchObject({ send: true, receive: false, held: false });
  });

  it('refuses the other m-lines with port 0 and keeps their order', () => {
    const { sdp, state } = answered(
      offer([
        'm=video 5000 RTP/AVP 96 97',
        'a=rtpmap:96 VP8/90000',
        'm=audio 4000 RTP/SAVP 0',
        'm=audio 4002 RTP/AVP 9',
        'm=audio 4004 RTP/AVP 8',
        'm=audio 4006 RTP/AVP 0',
        'm=application 5002 UDP/BFCP *',
      ]),
    );
    expect(sdp.match(/^m=.*$/gm)).toEqual([
      'm=video 0 RTP/AVP 96',
      'm=audio 0 RTP/SAVP 0',
      'm=audio 0 RTP/AVP 9',
      'm=audio 20000 RTP/AVP 8',
      'm=audio 0 RTP/AVP 0',
      'm=application 0 UDP/BFCP *',
    ]);
    expect(state.audioIndex).toBe(3);
  });

  it.each([
    ['no codec in common', ['m=audio 4000 RTP/AVP 9 18']],
    ['encrypted media only', ['m=audio 4000 RTP/SAVP 0']],
    ['audio switched off', ['m=audio 0 RTP/AVP 0']],
    ['video only', ['m=video 4000 RTP/AVP 96']],
    ['no media at all', []],
  ])('refuses an offer with %s by 488', (_what, media) => {
    expect(answerOffer(offer(media), local, { sessionId: '7' })).toMatchObject({ kind: 'refused', status: 488 });
  });

  it('refuses multicast, names and missing addresses by 488, garbage by 400', () => {
    const refused = (text: string): unknown => answerOffer(text, local, { sessionId: '7' });
    expect(refused(offer(g711, 'IN IP4 224.2.1.1/127'))).toMatchObject({ status: 488 });
    expect(refused(offer(g711, 'IN IP4 pbx.example'))).toMatchObject({ status: 488 });
    expect(refused(offer(g711).replace(/c=.*\r\n/, ''))).toMatchObject({ status: 488 });
    expect(refused('hello')).toMatchObject({ status: 400 });
  });

  it('speaks IPv6', () => {
    const { sdp, audio } = answered(offer(g711, 'IN IP6 2001:db8::9'), { ...local, address: '2001:db8::1' });
    expect(audio.remote).toEqual({ address: '2001:db8::9', port: 49170 });
    expect(sdp).toContain('c=IN IP6 2001:db8::1\r\n');
    expect(sdp).toMatch(/^o=- 7 1 IN IP6 2001:db8::1\r$/m);
  });

  it('takes the RTCP address from a=rtcp', () => {
    const { audio } = answered(offer([...g711, 'a=rtcp:53020 IN IP4 192.0.2.99']));
    expect(audio.remoteRtcp).toEqual({ address: '192.0.2.99', port: 53020 });
  });

  it('takes over ptime within maxptime', () => {
    expect(answered(offer([...g711, 'a=ptime:40'])).audio.codec.packetMs).toBe(40);
    expect(answered(offer([...g711, 'a=maxptime:10'])).audio.codec.packetMs).toBe(10);
  });

  it('keeps its version on a refresh and raises it on a change', () => {
    const first = answered(offer(g711));
    const refresh = answered(offer(g711, undefined, 1), local, first);
    expect(refresh.sdp).toBe(first.sdp);
    const hold = answered(offer([...g711, 'a=sendonly'], undefined, 2), local, refresh);
    expect(hold.state).toMatchObject({ sessionId: '7', version: 2 });
    const resume = answered(offer(g711, undefined, 3), local, hold);
    expect(resume.state.version).toBe(3);
    expect(resume.audio).toMatchObject({ send: true, receive: true });
  });
});

describe('makeOffer and applyAnswer', () => {
  it('agree with answerOffer on the far side, for every codec', () => {
    for (const codec of ['opus', 'PCMU', 'PCMA'] as const) {
      const { sdp, state } = makeOffer(local, { sessionId: '9' });
      const far = answered(sdp, { address: '192.0.2.10', port: 6000, codecs: [codec] });
      const near = applyAnswer(state, far.sdp, local);
      expect(near).toMatchObject({ kind: 'agreed', audio: { codec: far.audio.codec, send: true, receive: true } });
      expect(far.audio.remote).toEqual({ address: local.address, port: local.port });
      expect(far.audio.telephoneEvent?.clockRate).toBe(far.audio.codec.clockRate);
    }
  });

  it('offer every codec and one telephone-event per clock', () => {
    const { sdp } = makeOffer(local, { sessionId: '9' });
    expect(sdp).toContain('m=audio 20000 RTP/AVP 111 0 8 110 101\r\n');
    expect(sdp).toContain('a=rtpmap:110 telephone-event/48000\r\n');
    expect(sdp).toContain('a=rtpmap:101 telephone-event/8000\r\n');
  });

  it('keep the m-lines of an earlier session in their places when we re-offer', () => {
    const first = answered(offer(['m=video 5000 RTP/AVP 96', ...g711]));
    const again = makeOffer(
      { ...local, codecs: ['PCMU'], direction: 'sendonly' },
      { sessionId: '7', previous: first.state },
    );
    expect(again.sdp.match(/^m=.*$/gm)).toEqual(['m=video 0 RTP/AVP 96', 'm=audio 20000 RTP/AVP 0 101']);
    expect(again.state).toMatchObject({ version: 2, audioIndex: 1 });
    expect(again.sdp).toContain('a=sendonly\r\n');
  });

  it('never give one payload type to two formats', () => {
    const taken = answered(offer(['m=audio 4000 RTP/AVP 111 8', 'a=rtpmap:111 telephone-event/8000']));
    const { sdp } = makeOffer(local, { sessionId: '7', previous: taken.state });
    const numbers = sdp.match(/^m=audio \d+ RTP\/AVP (.*)\r$/m)?.[1]?.split(' ') ?? [];
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(sdp).toContain('a=rtpmap:111 telephone-event/8000');
  });

  it('refuse an answer that refuses the stream, lacks it, or invents a codec', () => {
    const { state } = makeOffer({ ...local, codecs: ['PCMU'] }, { sessionId: '9' });
    const ours = { ...local, codecs: ['PCMU'] as const };
    expect(applyAnswer(state, offer(['m=audio 0 RTP/AVP 0']), ours)).toMatchObject({ kind: 'refused', status: 488 });
    expect(applyAnswer(state, offer([]), ours)).toMatchObject({ kind: 'refused', status: 488 });
    expect(applyAnswer(state, offer(['m=audio 4000 RTP/AVP 8']), ours)).toMatchObject({ kind: 'refused', status: 488 });
    expect(applyAnswer(state, 'v=', ours)).toMatchObject({ kind: 'refused', status: 400 });
  });
});

describe('any offer', () => {
  it('is refused with a status or answered line by line', () => {
    const line = fc.oneof(
      fc.constantFrom(
        'm=audio 4000 RTP/AVP 0 8 101',
        'm=audio 0 RTP/AVP 0',
        'm=audio 4000 RTP/SAVP 0',
        'm=video 4002 RTP/AVP 96',
        'a=rtpmap:101 telephone-event/8000',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:96 opus/48000/2',
        'a=sendonly',
        'a=inactive',
        'a=ptime:30',
        'a=rtcp:1 IN IP4 192.0.2.3',
        'c=IN IP4 192.0.2.77',
        'c=IN IP4 0.0.0.0',
      ),
      fc.string({ maxLength: 30 }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        const text = offer(lines);
        const result = answerOffer(text, local, { sessionId: '7' });
        if (result.kind === 'refused') {
          expect([400, 488]).toContain(result.status);
          return;
        }
        const theirs = parseSdp(text);
        const ours = parseSdp(result.sdp);
        if (theirs.kind !== 'session' || ours.kind !== 'session') throw new Error('an answer to what cannot be read');
        expect(ours.session.media.map((one) => one.kind)).toEqual(theirs.session.media.map((one) => one.kind));
        expect(ours.session.media.filter((one) => one.port !== 0)).toHaveLength(1);
      }),
      { numRuns: 400 },
    );
  });
});
