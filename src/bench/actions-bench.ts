/**
 * `bench actions`: from `POST /v1/calls/ID/actions` to the first RTP packet in which its effect is seen by the far end: a key
 * (RFC 4733), hold with music, and resume. The agent rings a phone of ours and plays it a tone; request and packets have one clock.
 */
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tone } from '../audio/tone';
import { writeWav } from '../audio/wav';
import { linearFromMuLaw } from '../codecs/g711';
import { SystemClock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import { silentLogger } from '../core/log';
import { isRtcp, parseRtp, type RtpPacket } from '../rtp/packet';
import { SdpSession } from '../sip/sdp-session';
import { SrfUserAgent } from '../sip/srf-user-agent';
import { startOwnAgent } from './own-agent';
import { type BenchReport, report, spread } from './report';

const HOST = '127.0.0.1';
const PCMU = 0;
/** The dialplan's `tone` is at -10 dBm0, the music at -30: what is between them tells one from the other. */
const MUSIC_DBM0 = -30;
const BETWEEN = 4_000;
/** Of a packet: none, and the action is counted as lost. */
const SEEN_WITHIN_MS = 5_000;

export interface ActionsBenchOptions {
  readonly root: string;
  readonly count: number;
  /** 0 to 1: when the next request is made, so that it falls anywhere between two packets. */
  readonly random: () => number;
  readonly progress: (line: string) => void;
}

type Sees = (packet: RtpPacket) => boolean;

const isKey: Sees = ({ payloadType }) => payloadType !== PCMU;
const peakOf = ({ payload }: RtpPacket): number =>
  payload.reduce((most, byte) => Math.max(most, Math.abs(linearFromMuLaw(byte))), 0);
const isMusic: Sees = (packet) => packet.payloadType === PCMU && peakOf(packet) < BETWEEN;
const isTone: Sees = (packet) => packet.payloadType === PCMU && peakOf(packet) >= BETWEEN;

export async function benchActions({ root, count, random, progress }: ActionsBenchOptions): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), 'actions-'));
  const music = new Int16Array(8_000);
  new Tone([440], MUSIC_DBM0, 8_000).fill(music);
  writeFileSync(join(folder, 'music.wav'), writeWav({ sampleRate: 8_000, channels: 1, pcm: [music] }));
  const agent = await startOwnAgent({ root, config: { hold: { music: join(folder, 'music.wav') } } });
  const phone = await Callee.open();
  try {
    await agent.prepared();
    const placed = await agent.request('POST', '/v1/calls', { to: phone.uri, dialplan: 'tone' });
    const id = typeof placed === 'object' && placed !== null ? String(Reflect.get(placed, 'id')) : '';
    await phone.first(isTone);
    const wait = () => new Promise((resolve) => setTimeout(resolve, 300 + 200 * random()));
    const measure = async (action: object, sees: Sees): Promise<number> => {
      const fromMs = performance.now();
      const seen = phone.first(sees);
      await Promise.all([seen, agent.request('POST', `/v1/calls/${id}/actions`, action)]);
      return (await seen) - fromMs;
    };
    const took: Record<'dtmf' | 'hold' | 'resume', number[]> = { dtmf: [], hold: [], resume: [] };
    for (let round = 1; round <= count; round++) {
      await wait();
      took.dtmf.push(await measure({ type: 'dtmf', digits: '5' }, isKey));
      await wait();
      took.hold.push(await measure({ type: 'hold' }, isMusic));
      await wait();
      took.resume.push(await measure({ type: 'resume' }, isTone));
      if (round % 25 === 0) progress(`${round} of ${count}`);
    }
    const reach = 'p95 <= 60';
    return report(
      'from POST /v1/calls/ID/actions to its effect on the wire',
      [
        spread('dtmf: first packet of the key', 'ms', took.dtmf, reach),
        spread('hold: first packet of the music', 'ms', took.hold, reach),
        spread('resume: first packet of the tone', 'ms', took.resume, reach),
        spread('all', 'ms', [...took.dtmf, ...took.hold, ...took.resume], reach),
      ],
      ['One call over loopback, one action at a time; a packet leaves every 20 ms.'],
    );
  } finally {
    await agent.stop();
    await phone.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whom the agent rings: takes the call, and looks at every packet as it comes. */
class Callee {
  private waiting: { readonly sees: Sees; readonly found: (atMs: number) => void } | undefined;

  private constructor(
    private readonly userAgent: SrfUserAgent,
    private readonly socket: Socket,
  ) {
    socket.on('message', (datagram) => {
      const atMs = performance.now();
      const packet = isRtcp(datagram) ? undefined : parseRtp(datagram);
      if (packet === undefined || this.waiting?.sees(packet) !== true) return;
      this.waiting.found(atMs);
      this.waiting = undefined;
    });
    userAgent.onInvite((invite) => {
      const session = new SdpSession({ sessionId: '1', address: HOST, codecs: ['PCMU'], comfortNoise: false });
      const local = { address: HOST, port: socket.address().port };
      void invite.accept(session.answer(invite.offerSdp ?? '', local).sdp).then((dialog) => {
        dialog.onReinvite(async (offer) => (offer === undefined ? { status: 488 } : session.answer(offer, local).sdp));
      });
    });
  }

  static async open(): Promise<Callee> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
    const userAgent = new SrfUserAgent({
      listen: { host: HOST, port: 0 },
      clock: new SystemClock(),
      log: silentLogger,
      userAgentName: 'Trunkline bench',
    });
    await userAgent.start();
    return new Callee(userAgent, socket);
  }

  get uri(): string {
    return `sip:bench@${HOST}:${this.userAgent.local[0]?.port ?? 0}`;
  }

  /** When the first packet came in which that is seen. */
  first(sees: Sees): Promise<number> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () =>
          reject(
            new TrunklineError('bench.no-effect', 'An action was not seen on the wire.', {
              fix: 'Run it again on an idle machine; if that stays so, it is a defect.',
            }),
          ),
        SEEN_WITHIN_MS,
      );
      this.waiting = {
        sees,
        found: (atMs) => {
          clearTimeout(late);
          resolve(atMs);
        },
      };
    });
  }

  async close(): Promise<void> {
    await this.userAgent.stop();
    this.socket.close();
  }
}
