/**
 * Whether the time of an answer tells which names there are: wrong passwords for a known and for an unknown name, in turn,
 * against the embedded endpoint over UDP, nine from each of many loopback addresses because the tenth guess of one is not
 * looked at any more.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { SystemClock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import { silentLogger } from '../core/log';
import { authorization, parseChallenge } from '../sip/digest';
import { SipPeers } from '../sip/sip-peers';
import { SrfUserAgent } from '../sip/srf-user-agent';
import { type BenchReport, report, single, spread } from './report';

const GUESSES_PER_ADDRESS = 8;
const ANSWER_WITHIN_MS = 5_000;
const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

export async function benchUniform(addresses: number, progress: (line: string) => void): Promise<BenchReport> {
  const clock = new SystemClock();
  const peers = new SipPeers({
    trunks: [],
    users: Array.from({ length: 50 }, (_, index) => ({ username: `${100 + index}`, password: hex(8) })),
    registrations: [],
    clock,
    now: () => new Date(),
    log: silentLogger,
    random: hex,
  });
  const userAgent = new SrfUserAgent({
    listen: { host: '127.0.0.1', port: 0 },
    protocols: ['udp'],
    clock,
    log: silentLogger,
    userAgentName: 'Trunkline bench',
    onRegister: peers.onRegister,
  });
  const tookMs: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
  const answers = new Set<string>();
  await userAgent.start();
  try {
    const port = userAgent.local[0]?.port ?? 0;
    for (let address = 0; address < addresses; address++) {
      const from = `127.1.${Math.floor(address / 250)}.${(address % 250) + 1}`;
      const socket = await bound(from);
      try {
        for (let guess = 0; guess < GUESSES_PER_ADDRESS; guess++) {
          const kind = (guess + address) % 2 === 0 ? 'known' : 'unknown';
          const username = kind === 'known' ? '107' : '207';
          const { headers, ms } = await guessOnce(socket, port, username);
          answers.add(headers);
          // What is compiled at first is nobody's name.
          if (address > 5) tookMs[kind].push(ms);
        }
      } finally {
        socket.close();
      }
      if (address % 50 === 49) progress(`${address + 1} of ${addresses} addresses`);
    }
  } finally {
    await peers.close();
    await userAgent.stop();
  }
  const known = spread('wrong password of a known name: REGISTER to 401', 'ms', tookMs.known);
  const unknown = spread('any password of an unknown name: REGISTER to 401', 'ms', tookMs.unknown);
  return report(
    'uniform answers',
    [known, unknown, single('different answers, but for tags and nonces', '', answers.size, '1')],
    ['Both kinds alternate, so that whatever else the machine does meets both.'],
  );
}

async function bound(address: string): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, address, resolve);
  });
  return socket;
}

/** The answer without what is new in every one, and how long it took. */
async function guessOnce(socket: Socket, port: number, username: string): Promise<{ headers: string; ms: number }> {
  const callId = hex(8);
  const uri = 'sip:127.0.0.1';
  const send = async (sequence: number, credentials: string | undefined) => {
    const { address, port: own } = socket.address();
    const text = [
      `REGISTER ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${address}:${own};branch=z9hG4bK${hex(8)};rport`,
      'Max-Forwards: 70',
      `From: <sip:${username}@127.0.0.1>;tag=${hex(4)}`,
      `To: <sip:${username}@127.0.0.1>`,
      `Call-ID: ${callId}`,
      `CSeq: ${sequence} REGISTER`,
      `Contact: <sip:${username}@${address}:${own}>`,
      ...(credentials === undefined ? [] : [`Authorization: ${credentials}`]),
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    const began = performance.now();
    const answer = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(unanswered()), ANSWER_WITHIN_MS);
      socket.once('message', (bytes) => {
        clearTimeout(timer);
        resolve(bytes.toString('utf8'));
      });
      socket.send(text, port, '127.0.0.1');
    });
    return { answer, ms: performance.now() - began };
  };
  const asked = await send(1, undefined);
  const challenge = parseChallenge(/^WWW-Authenticate: (.*)$/im.exec(asked.answer)?.[1] ?? '');
  if (challenge === undefined) throw unanswered();
  const guess = authorization(challenge, { username, password: hex(6) }, { method: 'REGISTER', uri }, hex(8));
  const { answer, ms } = await send(2, guess);
  return { headers: answer.replace(/^(Via|From|To|Call-ID): .*\r\n/gim, '').replace(/nonce="[^"]*"/, ''), ms };
}

function unanswered(): TrunklineError {
  return new TrunklineError('bench.unanswered', 'A REGISTER got no answer, or another one than a challenge.', {
    fix: 'Run it again on a machine that does less beside it.',
  });
}
