/** Whether the STUN and TURN servers of the configuration are there: a Binding request each (RFC 8489 §3), or a TCP connection. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import type { Finding } from './finding';

const WITHIN_MS = 2_000;
const MAGIC_COOKIE = 0x2112a442;
const BINDING_SUCCESS = 0x0101;

export interface ServerPlace {
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
}

/** RFC 7064, RFC 7065; undefined: no such URI. */
export function placeOf(uri: string): ServerPlace | undefined {
  const match = /^(stuns?|turns?):(\[[^\]]+\]|[^:?]+)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?$/i.exec(uri);
  if (match === null) return undefined;
  const [, scheme = '', host = '', port, transport] = match;
  const isTls = scheme.toLowerCase().endsWith('ns');
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port ?? (isTls ? 5349 : 3478)),
    transport: isTls || transport?.toLowerCase() === 'tcp' ? 'tcp' : 'udp',
  };
}

export async function checkIceServers(servers: readonly { readonly urls: string }[]): Promise<Finding[]> {
  return Promise.all(
    servers.map(async ({ urls }): Promise<Finding> => {
      const about = 'ICE server';
      const place = placeOf(urls);
      const answers = place !== undefined && (await answer(place).catch(() => false));
      if (answers) return { about, state: 'fine', sentence: `${urls} answers` };
      return {
        about,
        state: 'problem',
        sentence: `${urls} does not answer`,
        fix: 'Correct webrtc.iceServers, or let UDP and TCP to that port through; until then calls that need it do not connect.',
      };
    }),
  );
}

async function answer({ host, port, transport }: ServerPlace): Promise<boolean> {
  const { address, family } = await lookup(host);
  return transport === 'tcp' ? connects(address, port) : binds(address, port, family === 6 ? 'udp6' : 'udp4');
}

function connects(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: WITHIN_MS });
    const finish = (fine: boolean) => () => {
      socket.destroy();
      resolve(fine);
    };
    socket.once('connect', finish(true)).once('error', finish(false)).once('timeout', finish(false));
  });
}

/** Type, length 0, cookie, transaction: twenty bytes; sent three times, as any of them may be lost. */
function binds(address: string, port: number, family: 'udp4' | 'udp6'): Promise<boolean> {
  const transaction = randomBytes(12);
  const request = Buffer.alloc(20);
  request.writeUInt16BE(0x0001, 0);
  request.writeUInt32BE(MAGIC_COOKIE, 4);
  transaction.copy(request, 8);
  return new Promise((resolve) => {
    const socket = createSocket(family);
    const send = () => socket.send(request, port, address, () => undefined);
    const again = setInterval(send, WITHIN_MS / 4);
    const finish = (fine: boolean) => {
      clearInterval(again);
      clearTimeout(limit);
      socket.close();
      resolve(fine);
    };
    const limit = setTimeout(() => finish(false), WITHIN_MS);
    socket.on('error', () => finish(false));
    socket.on('message', (bytes) => {
      const isOurs = bytes.length >= 20 && bytes.subarray(8, 20).equals(transaction);
      if (isOurs && bytes.readUInt16BE(0) === BINDING_SUCCESS) finish(true);
    });
    send();
  });
}
