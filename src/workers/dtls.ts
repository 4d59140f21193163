/** Entry point of the DTLS thread: handshakes for a media thread, each on behalf of one call. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { SystemClock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { FromDtls, ToDtls } from '../media/dtls-protocol';
import { DtlsHandshake } from '../webrtc/dtls-handshake';

function serve(media: MessagePort): void {
  const clock = new SystemClock();
  const handshakes = new Map<number, DtlsHandshake>();
  const post = (message: FromDtls) => media.postMessage(message);
  media.on('message', (message: ToDtls) => {
    const { id } = message;
    switch (message.type) {
      case 'open': {
        const { role, fingerprints, identity } = message;
        const handshake = new DtlsHandshake({
          role,
          fingerprints,
          identity,
          clock,
          send: (bytes) => post({ type: 'send', id, bytes }),
          onKeys: (keys) => post({ type: 'keys', id, keys }),
          onFailed: ({ code, message }) => post({ type: 'failed', id, code, message }),
        });
        handshakes.set(id, handshake);
        return;
      }
      case 'datagram':
        handshakes.get(id)?.receive(message.bytes);
        return;
      case 'close':
        handshakes.get(id)?.close();
        handshakes.delete(id);
        return;
    }
  });
}

if (parentPort === null) {
  throw new TrunklineError('media.no-parent', 'The DTLS thread was started as a program.', {
    fix: 'It is started by a media thread.',
  });
}
serve(parentPort);
