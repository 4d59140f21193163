/** A UDP port that is taken is an error of one peer, not of the thread. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import { UdpTransport } from 'werift';

import { installUdpBindGuard } from '../../src/webrtc/udp-bind-guard';

test('a port that is already bound rejects instead of ending the thread', async () => {
  installUdpBindGuard();
  installUdpBindGuard();
  const taken = createSocket('udp4');
  taken.bind(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address();
  const options = { port, interfaceAddresses: { udp4: '127.0.0.1' } };
  await expect(UdpTransport.init('udp4', options)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await new Promise<void>((resolve) => taken.close(() => resolve()));

  const transport = await UdpTransport.init('udp4', options);
  expect(transport.port).toBe(port);
  // An error after the start is swallowed: ICE notices that nothing comes back.
  transport.socket.emit('error', new Error('gone'));
  await transport.close();
});
