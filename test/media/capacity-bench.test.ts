import { MessageChannel } from 'node:worker_threads';
import { benchMediaCapacity } from '../../src/media/capacity-bench';
import type { ToListener } from '../../src/media/protocol';
import { workerEntry } from '../../src/workers/locate';

describe('the bench of the media path', () => {
  it('carries every call both ways, with the agent speaking and the listener hearing', async () => {
    const { port1, port2 } = new MessageChannel();
    const heard = new Map<string, number>();
    port1.on('message', (message: ToListener) => {
      if (message.type === 'audio') heard.set(message.sessionId, (heard.get(message.sessionId) ?? 0) + 1);
    });
    const figures = await benchMediaCapacity({
      calls: 3,
      seconds: 1,
      warmUpSeconds: 0.5,
      mediaEntry: workerEntry('media'),
      peerEntry: workerEntry('media-bench-peer'),
      listenerPort: port2,
    });
    port1.close();
    expect(figures.packetsSent).toBeGreaterThan(0);
    expect(figures.packetsReceived).toBeGreaterThan(0);
    expect(figures.cores).toBeGreaterThan(0);
    expect([...heard.keys()].sort()).toEqual(['0', '1', '2']);
  });
});
