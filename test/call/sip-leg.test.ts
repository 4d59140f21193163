/** The signalling half of a call, with a far end that says what phones say and should not say. */
import { SipLeg, type SipLegParts } from '../../src/call/sip-leg';
import { silentLogger } from '../../src/core/log';
import { MediaRouter } from '../../src/media/media-router';
import type { ToMedia } from '../../src/media/protocol';
import type { InfoKey } from '../../src/sip/info-key';
import { SdpSession } from '../../src/sip/sdp-session';
import type { IncomingInvite, SipDialog } from '../../src/sip/user-agent';

const offer = (port: number, codec = '0 PCMU'): string => {
  const [payloadType, name] = codec.split(' ');
  return [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.7',
    's=-',
    'c=IN IP4 192.0.2.7',
    't=0 0',
    `m=audio ${port} RTP/AVP ${payloadType}`,
    `a=rtpmap:${payloadType} ${name}/8000`,
    '',
  ].join('\r\n');
};

/** An INVITE and its dialog; what the far end does in it is called by hand. */
class FarEnd {
  accepted: string | undefined;
  rejected: number | undefined;
  byes = 0;
  reason: string | undefined;
  ack: (sdp: string | undefined) => void = () => undefined;
  info: (contentType: string, body: string) => void = () => undefined;
  reinvite: (sdp: string | undefined) => Promise<string | { readonly status: number }> = async () => ({ status: 488 });
  readonly dialog = {
    onAck: (run: FarEnd['ack']) => {
      this.ack = run;
    },
    onInfo: (run: FarEnd['info']) => {
      this.info = run;
    },
    onReinvite: (run: FarEnd['reinvite']) => {
      this.reinvite = run;
    },
    onEnd: () => undefined,
    onReferral: () => undefined,
    bye: async (headers: Readonly<Record<string, string>> = {}) => {
      this.byes += 1;
      this.reason = headers['Reason'];
    },
  } as unknown as SipDialog;
  readonly invite: IncomingInvite;

  constructor(offerSdp: string | undefined) {
    this.invite = {
      offerSdp,
      accept: async (sdp: string) => {
        this.accepted = sdp;
        return this.dialog;
      },
      reject: (status: number) => {
        this.rejected = status;
      },
    } as unknown as IncomingInvite;
  }
}

function rig(offerSdp: string | undefined) {
  const far = new FarEnd(offerSdp);
  const connected: Extract<ToMedia, { type: 'connect-rtp' }>[] = [];
  const keys: InfoKey[] = [];
  const router = new MediaRouter({
    post(message: ToMedia) {
      if (message.type === 'connect-rtp') connected.push(message);
    },
  });
  const parts: SipLegParts = {
    link: router.open('c'),
    negotiation: new SdpSession({ sessionId: '7', address: '192.0.2.1', codecs: ['PCMU', 'PCMA'] }),
    local: { address: '192.0.2.1', port: 20_000 },
    mediaTimeoutMs: 30_000,
    log: silentLogger,
    onHold: () => undefined,
    onKey: (key) => keys.push(key),
    onEnd: () => undefined,
    onReferral: () => undefined,
    renegotiate: () => new SdpSession({ sessionId: '8', address: '192.0.2.1', codecs: ['PCMU', 'PCMA'] }),
  };
  const leg = new SipLeg(far.invite);
  const answered = leg.answer(far.invite, parts);
  answered.catch(() => undefined);
  return { far, leg, answered, connected, keys };
}

/** Lets what was promised happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a call without an offer', () => {
  it('is connected by the answer in the ACK', async () => {
    const { far, answered, connected } = rig(undefined);
    await turn();
    far.ack(offer(30_000));
    await answered;
    expect(connected).toEqual([expect.objectContaining({ remote: { address: '192.0.2.7', port: 30_000 } })]);
  });

  it.each([
    ['no answer', undefined, 'sdp.malformed'],
    ['an unreadable answer', 'hello', 'sdp.malformed'],
    ['an answer that turns the audio down', offer(0), 'sdp.not-acceptable'],
    ['an answer with another codec', offer(30_000, '18 G729'), 'sdp.not-acceptable'],
  ])('fails, and is hung up, when the ACK has %s', async (_what, sdp, code) => {
    const { far, leg, answered, connected } = rig(undefined);
    await turn();
    expect(() => far.ack(sdp)).not.toThrow();
    await expect(answered).rejects.toMatchObject({ code });
    expect(connected).toEqual([]);
    await leg.hangUp('media-failed');
    expect(far.byes).toBe(1);
  });
});

describe('a call under way', () => {
  it.each([
    ['media-timeout', 'Q.850;cause=102;text="media-timeout"'],
    ['finished', 'Q.850;cause=16;text="finished"'],
    ['shutdown', 'Q.850;cause=31;text="shutdown"'],
  ] as const)('tells the far end why it ends: %s', async (cause, reason) => {
    const { far, leg, answered } = rig(offer(30_000));
    await answered;
    await leg.hangUp(cause);
    expect(far.reason).toBe(reason);
  });

  it('keeps its media when a re-INVITE without offer is confirmed with something unusable', async () => {
    const { far, answered, connected } = rig(offer(30_000));
    await answered;
    for (const sdp of [undefined, 'hello', offer(0)]) {
      await far.reinvite(undefined);
      expect(() => far.ack(sdp)).not.toThrow();
    }
    expect(connected).toHaveLength(1);
  });

  it('hears keys that come by INFO', async () => {
    const { far, answered, keys } = rig(offer(30_000));
    await answered;
    far.info('application/dtmf-relay', 'Signal=4\r\nDuration=100\r\n');
    far.info('application/dtmf-relay', 'Signal=hook\r\n');
    far.info('application/dtmf', '#');
    expect(keys).toEqual([
      { digit: '4', durationMs: 100 },
      { digit: '#', durationMs: 0 },
    ]);
  });
});

describe('an offer that cannot be served', () => {
  it.each([
    ['hello', 400],
    [offer(30_000, '18 G729'), 488],
  ])('is refused before the call is answered', async (sdp, status) => {
    const { far, answered } = rig(sdp);
    await expect(answered).rejects.toThrow();
    expect(far.rejected).toBe(status);
    expect(far.accepted).toBeUndefined();
  });
});
