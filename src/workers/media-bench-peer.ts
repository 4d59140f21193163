/** The far end of the media capacity bench: N phones in one process, each sending and counting G.711 packets. */
import { createSocket, type Socket } from 'node:dgram';
import { SystemClock } from '../core/clock';
import type { FromPeer, ToPeer } from '../media/capacity-bench';
import { Pacer, type PacerMember } from '../rtp/pacer';
import { writeRtp } from '../rtp/packet';
import { Packetizer } from '../rtp/packetizer';

const frameSamples = 160;

function tell(message: FromPeer): void {
  process.send?.(message);
}

function bind(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket)));
}

async function serve(calls: number): Promise<void> {
  const pacer = new Pacer(new SystemClock());
  const members: PacerMember[] = [];
  const sockets: Socket[] = [];
  let received = 0;
  for (let i = 0; i < calls; i++) {
    const socket = await bind();
    socket.on('message', () => received++);
    sockets.push(socket);
  }
  process.on('message', (message: ToPeer) => {
    if (message.type === 'stop') {
      for (const member of members) member.leave();
      for (const socket of sockets) socket.close();
      tell({ type: 'stopped', received });
      process.disconnect();
      return;
    }
    message.remotes.forEach((remote, i) => {
      const packetizer = new Packetizer(() => (i + 1) / (calls + 1));
      // All of the code's values, so that decoding, levels and pauses are exercised.
      const payload = Uint8Array.from({ length: frameSamples }, (_, k) => (k * 37 + i) & 0xff);
      const out = new Uint8Array(12 + frameSamples);
      members.push(
        pacer.join(() => {
          writeRtp(packetizer.packet(0, payload), out);
          packetizer.advance(frameSamples);
          sockets[i]!.send(out, 0, out.length, remote.port, remote.address);
        }),
      );
    });
  });
  tell({ type: 'ready', ports: sockets.map((socket) => socket.address().port) });
}

void serve(Number(process.argv[2]));
