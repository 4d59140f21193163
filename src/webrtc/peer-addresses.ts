/** Which UDP ports a new WebRTC peer may try, and which addresses are the machine's own loopback. */
import { TrunklineError } from '../core/errors';

/** More than the addresses of a usual host, each of which takes one port. */
const PORTS_PER_PEER = 8;

/**
 * Hands each peer the range from a moving start on. Two peers that open at once do not probe the same port, and a port
 * that was closed is the last to be used again, so that packets of the old call do not reach a new one.
 */
export class PortWindows {
  private nextPort: number | undefined;

  next([minPort, maxPort]: readonly [number, number]): [number, number] {
    if (!(minPort >= 1 && maxPort <= 65_535 && minPort < maxPort)) {
      throw new TrunklineError('webrtc.no-port', 'The WebRTC port range is empty.', {
        fix: 'Set webrtc.ports to two different ports, the lower one first.',
      });
    }
    const wanted = this.nextPort ?? minPort;
    const start = wanted < minPort || wanted + PORTS_PER_PEER > maxPort + 1 ? minPort : wanted;
    this.nextPort = start + PORTS_PER_PEER;
    return [start, maxPort];
  }
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
