/**
 * The media thread: RTP, codecs, pacing and playout, and nothing that could make a packet late. One runs for SIP, one
 * for WebRTC; both are this file.
 */
import { randomInt } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import path from 'node:path';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { SystemClock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import type { FromMedia, ToMedia } from '../media/protocol';
import { Sessions } from '../media/sessions';
import type { OpenPeer } from '../media/transport';
import { warmUp } from '../media/warm-up';

/** Loaded with the first peer only: a thread that serves SIP never carries the WebRTC stack. */
const openPeer: OpenPeer = async (message, hooks) => {
  const peer: { openPeer: OpenPeer } = await import('../webrtc/peer-transport.js');
  return peer.openPeer(message, hooks);
};

/** Lower is sooner (nice(2)); the default is 0, the model's process is above it. */
const priority = -10;

/**
 * Puts this thread before others where the system allows it (root, CAP_SYS_NICE); elsewhere it stays an equal among
 * them. Linux keeps priorities per thread, and `thread-self` reads `PID/task/TID`.
 */
function hurry(): void {
  try {
    setPriority(Number(path.basename(readlinkSync('/proc/thread-self'))), priority);
  } catch {
    // Not Linux, or not allowed: pacing then depends on how busy the machine is.
  }
}

function serve(control: MessagePort): void {
  const post = (message: FromMedia) => control.postMessage(message);
  const sessions = new Sessions({
    clock: new SystemClock(),
    wallClockMs: () => Date.now(),
    // SSRC and sequence numbers are not to be guessed (RFC 3550 §5.1, §8.1).
    random: () => randomInt(0x1_0000_0000) / 0x1_0000_0000,
    post,
    openPeer,
  });
  control.on('message', (message: ToMedia) => {
    // With its sockets closed and this port unheard, the thread ends by itself.
    if (message.type === 'shutdown') void sessions.closeAll().then(() => control.close());
    else sessions.receive(message);
  });
}

if (parentPort === null) {
  throw new TrunklineError('media.no-parent', 'The media thread was started as a program.', {
    fix: 'Start it through MediaThread.',
  });
}
hurry();
warmUp();
serve(parentPort);
