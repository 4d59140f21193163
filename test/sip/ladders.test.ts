/** docs/sip-ladders.md: each call is played anew, and what our transports saw must draw the stored ladder. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import WebSocket from 'ws';
import { SystemClock } from '../../src/core/clock';
import { WebSocketTransport } from '../../src/sip/embedded/websocket-transport';
import { makeOffer } from '../../src/sip/offer-answer';
import type { SrfUserAgentOptions } from '../../src/sip/srf-user-agent';
import {
  drawLadder,
  drawPage,
  keepLadder,
  type LadderFacts,
  type LadderName,
  ladderNames,
  ladderOf,
  ladderPage,
  readLadder,
  writing,
} from '../support/ladder';
import { Callee } from '../support/sip-callee';
import { SipCapture } from '../support/sip-capture';
import { sippInstalled } from '../support/sipp';
import { SippAgent } from '../support/sipp-agent';
import { sdpBody } from './embedded/endpoint-driver';

const local = { address: '127.0.0.1', port: 40_000, codecs: ['PCMU', 'PCMA'] } as const;
const here = 'test/sip/ladders.test.ts';

const facts: Partial<Record<LadderName, Omit<LadderFacts, 'test' | 'parties'>>> = {
  answered: {
    title: 'A call that is answered',
    about: 'Somebody rings the agent, is answered, and hangs up.',
    clause: 'RFC 3261 §13, §15',
  },
  digest: {
    title: 'A call that must show its password',
    about: 'We call by a trunk that asks who we are; the second INVITE has the same Call-ID and the next number.',
    clause: 'RFC 3261 §22, RFC 7616',
  },
  'reliable-ringing': {
    title: 'Ringing that must arrive',
    about: 'The caller demands 100rel: our 180 is acknowledged by PRACK, a PRACK that names nothing gets 481.',
    clause: 'RFC 3262',
  },
  cancelled: {
    title: 'A call that is given up',
    about: 'The caller gives up while it rings.',
    clause: 'RFC 3261 §9',
  },
  'cancel-race': {
    title: 'An answer that crosses our CANCEL',
    about: 'We give up while the callee picks up: their answer stands, so we acknowledge and end it.',
    clause: 'RFC 3261 §9.1, §15',
  },
  'hold-resume': {
    title: 'Hold and resume',
    about: 'The caller holds in the new style and in the old one, and comes back on another port.',
    clause: 'RFC 3264 §8.4',
  },
  'session-refresh': {
    title: 'A long call that is refreshed',
    about: 'The caller leaves the session timer to us: an UPDATE at half of the interval, here eight seconds.',
    clause: 'RFC 4028 §9, §10',
  },
  'blind-transfer': {
    title: 'Blind transfer',
    about: 'We send the caller to a human by REFER and are told how that went.',
    clause: 'RFC 3515',
  },
  websocket: {
    title: 'A call over WebSocket',
    about: 'A browser that speaks SIP calls; our BYE goes down the connection that it came by.',
    clause: 'RFC 7118',
  },
};

(sippInstalled() ? describe : describe.skip)('a ladder from a live capture', () => {
  let agent: SippAgent;
  afterEach(() => agent.stop());

  async function start(more: Partial<SrfUserAgentOptions> = {}): Promise<void> {
    agent = await SippAgent.start('udp', more);
  }

  function keep(name: LadderName, parties: readonly [string, string]): void {
    const far = parties.find((one) => one !== 'Trunkline') ?? '';
    const about = facts[name];
    if (about === undefined) throw new Error(`nothing is known of ${name}`);
    keepLadder(
      name,
      ladderOf({ ...about, test: here, parties }, agent.capture, 'Trunkline', () => far),
    );
  }

  it('of a call that is answered', async () => {
    await start();
    agent.answer();
    await agent.called('uac-basic.xml');
    keep('answered', ['caller', 'Trunkline']);
  });

  it('of a call that must show its password', async () => {
    await start();
    const sipp = await agent.calls('uas-digest-401.xml');
    const { dialog } = await sipp.invite({ auth: { username: 'alice', password: 'open sesame' } });
    await dialog.bye();
    await sipp.clean();
    keep('digest', ['Trunkline', 'trunk']);
  });

  it('of ringing that is acknowledged', async () => {
    await start();
    agent.callee = new Callee(local, (invite, sdp) => invite.ring(180, sdp()));
    agent.answer();
    await agent.called('uac-prack.xml');
    keep('reliable-ringing', ['caller', 'Trunkline']);
  });

  it('of a call that is given up', async () => {
    await start();
    agent.userAgent.onInvite((invite) => invite.ring());
    await agent.called('uac-cancel.xml');
    keep('cancelled', ['caller', 'Trunkline']);
  });

  it('of an answer that crosses our CANCEL', async () => {
    await start();
    const sipp = await agent.calls('uas-answer-beats-cancel.xml');
    const controller = new AbortController();
    const attempt = sipp.invite({ signal: controller.signal, onProvisional: () => controller.abort() });
    await expect(attempt).rejects.toMatchObject({ code: 'sip.cancelled' });
    await sipp.clean();
    keep('cancel-race', ['Trunkline', 'callee']);
  });

  it('of hold and resume', async () => {
    await start();
    agent.answer();
    await agent.called('uac-hold-resume.xml');
    keep('hold-resume', ['caller', 'Trunkline']);
  });

  it('of a call that is refreshed', async () => {
    await start({ sessionTimer: { expiresSeconds: 8, minSeconds: 2 } });
    agent.answer();
    await agent.called('uac-timer-agent-refreshes.xml');
    keep('session-refresh', ['caller', 'Trunkline']);
  });

  it('of a blind transfer', async () => {
    await start();
    agent.userAgent.onInvite((invite) => {
      void agent.callee.take(invite).then((dialog) => {
        dialog.onAck(async () => {
          await dialog.refer({ target: 'sip:human@192.0.2.44', referredBy: '<sip:agent@192.0.2.1>' });
          await dialog.bye();
        });
      });
    });
    await agent.called('uac-refer-completed.xml');
    keep('blind-transfer', ['caller', 'Trunkline']);
  });

  it('of a call over WebSocket', async () => {
    const capture = new SipCapture();
    const transport = new WebSocketTransport({ host: '127.0.0.1', port: 0 }, new SystemClock());
    await start({ transports: [capture.around(transport)] });
    agent.capture = capture;
    const answered = new Promise<void>((resolve) => {
      agent.userAgent.onInvite((invite) => {
        void agent.callee.take(invite).then((dialog) => {
          dialog.onAck(() => void dialog.bye().then(resolve));
        });
      });
    });
    const socket = new WebSocket(`ws://127.0.0.1:${transport.local.port}`, 'sip');
    await new Promise((opened, failed) => socket.once('open', opened).once('error', failed));
    const line = (method: string, cseq: string, toTag: string, body = '') =>
      [
        `${method} sip:demo@127.0.0.1 SIP/2.0`,
        `Via: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK${method}`,
        'Max-Forwards: 70',
        'From: <sip:browser@127.0.0.1>;tag=far',
        `To: <sip:demo@127.0.0.1>${toTag === '' ? '' : `;tag=${toTag}`}`,
        'Call-ID: browser@127.0.0.1',
        `CSeq: ${cseq}`,
        'Contact: <sip:browser@df7jal23ls0d.invalid;transport=ws>',
        ...(body === '' ? [] : ['Content-Type: application/sdp']),
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n');
    socket.on('message', (data) => {
      const text = data.toString();
      if (text.startsWith('SIP/2.0 200')) socket.send(line('ACK', '1 ACK', /^To:.*tag=(\S+)/m.exec(text)?.[1] ?? ''));
      else if (text.startsWith('BYE')) {
        const copied = text.split('\r\n').filter((one) => /^(via|from|to|call-id|cseq):/i.test(one));
        socket.send(`SIP/2.0 200 OK\r\n${copied.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
      }
    });
    socket.send(line('INVITE', '1 INVITE', '', makeOffer(local, { sessionId: '4' }).sdp));
    await answered;
    socket.close();
    keep('websocket', ['browser', 'Trunkline']);
  });
});

describe('the page of ladders', () => {
  it('is what the generator writes for the stored captures', () => {
    if (writing) {
      const there = ladderNames.filter((name) => existsSync(`${__dirname}/ladders/${name}.json`));
      writeFileSync(ladderPage, drawPage(there.map(readLadder)));
    }
    expect(readFileSync(ladderPage, 'utf8')).toBe(drawPage(ladderNames.map(readLadder)));
  });

  it('draws one column a party and one arrow a message, and leaves copies out', () => {
    const invite = (to: string) =>
      `INVITE sip:b@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:${to}@127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1>\r\nContent-Type: application/sdp\r\nContent-Length: ${sdpBody.length}\r\n\r\n${sdpBody}`;
    const drawn = drawLadder({
      title: '',
      about: '',
      clause: '',
      test: '',
      parties: ['a', 'us', 'b'],
      messages: [
        { atMs: 0, from: 'a', to: 'us', transport: 'udp', text: invite('us') },
        { atMs: 500, from: 'a', to: 'us', transport: 'udp', text: invite('us') },
        { atMs: 510, from: 'us', to: 'b', transport: 'udp', text: invite('b') },
        { atMs: 520, from: 'b', to: 'us', transport: 'udp', text: 'rubbish' },
      ],
    });
    expect(drawn).toBe(`\
           a                          us                           b
           |                           |                           |
     0 ms  |-- INVITE, SDP sendrecv -->|                           |
   510 ms  |                           |-- INVITE, SDP sendrecv -->|
   520 ms  |                           |<------ unreadable --------|
           |                           |                           |`);
  });
});
