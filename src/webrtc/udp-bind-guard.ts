/**
 * Turns a UDP port that cannot be bound into a rejected promise: werift listens for no socket error, so a port taken
 * between its search and its bind would otherwise end the thread.
 */
import { UdpTransport } from 'werift';

let installed = false;

/** Wraps werift's socket start for the whole thread; a second call does nothing. */
export function installUdpBindGuard(): void {
  if (installed) return;
  installed = true;
  // Private in the types, hence the reflection; test/webrtc/udp-bind-guard.test.ts fails if it is renamed.
  const start: unknown = Reflect.get(UdpTransport.prototype, 'init');
  if (typeof start !== 'function') return;
  Reflect.set(UdpTransport.prototype, 'init', function guardedInit(this: UdpTransport): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      // Stays for the life of the socket: what fails later is seen by ICE as missing answers.
      this.socket.on('error', reject);
      Promise.resolve(Reflect.apply(start, this, [])).then(() => resolve(), reject);
    });
  });
}
