import { ManualClock } from '../../src/core/clock';
import { SourceLimit } from '../../src/core/source-limit';
import { SdpSession } from '../../src/sip/sdp-session';

const here = { address: '198.51.100.5', port: 20_000 };
const offer = 'v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\n';

function session(): SdpSession {
  return new SdpSession({ sessionId: '7', address: here.address, codecs: ['PCMU', 'PCMA'] });
}

describe('SdpSession', () => {
  it('answers, is held, and is resumed within one session', () => {
    const ours = session();
    const first = ours.answer(offer, here);
    expect(first).toMatchObject({
      held: false,
      connect: { remote: { address: '192.0.2.1', port: 4000 }, send: true, receive: true },
    });
    const held = ours.answer(`${offer}a=sendonly\r\n`, here);
    expect(held).toMatchObject({ held: true, connect: { send: false, receive: true } });
    const resumed = ours.answer(offer.replace('4000', '4002'), here);
    expect(resumed).toMatchObject({ held: false, connect: { remote: { port: 4002 } } });
    expect([first, held, resumed].map(({ sdp }) => /^o=- 7 (\d+)/m.exec(sdp)?.[1])).toEqual(['1', '2', '3']);
  });

  it('stays as it was when an offer cannot be used', () => {
    const ours = session();
    const { sdp } = ours.answer(offer, here);
    expect(() => ours.answer('hello', here)).toThrow(expect.objectContaining({ code: 'sdp.malformed' }));
    expect(() => ours.answer(offer.replace('0 8', '9'), here)).toThrow(
      expect.objectContaining({ code: 'sdp.not-acceptable' }),
    );
    expect(ours.answer(offer, here).sdp).toBe(sdp);
  });

  it('takes an answer only to an offer', () => {
    const ours = session();
    expect(() => ours.accept(offer)).toThrow(expect.objectContaining({ code: 'sdp.unexpected-answer' }));
    ours.offer(here, 'sendonly');
    expect(ours.accept(`${offer}a=recvonly\r\n`)).toMatchObject({ connect: { send: true, receive: false } });
  });
});

describe('SourceLimit', () => {
  it('lets a burst through, then the rate, each source for itself', () => {
    const clock = new ManualClock();
    const limit = new SourceLimit(2, clock);
    const burst = Array.from({ length: 12 }, () => limit.admit('192.0.2.1'));
    expect(burst.filter(Boolean)).toHaveLength(8);
    expect(limit.admit('192.0.2.2')).toBe(true);
    clock.advance(1000);
    expect([limit.admit('192.0.2.1'), limit.admit('192.0.2.1'), limit.admit('192.0.2.1')]).toEqual([true, true, false]);
    expect(limit.dropped).toBe(5);
  });
});
