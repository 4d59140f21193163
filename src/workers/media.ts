/**
 * The media thread: RTP, codecs, pacing and playout, and nothing that could make a packet late. One runs for SIP, one
 * for WebRTC; both are this file.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import path from 'node:path';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { TrunklineError } from '../core/errors';
import { PunctualClock } from '../core/punctual-clock';
import { DtlsThread } from '../media/dtls-thread';
import type { FromMedia, ToMedia } from '../media/protocol';
import { Sessions } from '../media/sessions';
import type { OpenPeer } from '../media/transport';
import { warmUp } from '../media/warm-up';
import { workerEntry } from './locate';

/** Loaded with the first peer only: a thread that serves SIP never carries the WebRTC stack. */
const openPeer: OpenPeer = async (message, hooks) => {
  const peer: { openPeer: OpenPeer } = await import('../webrtc/peer-transport.js');
  return peer.openPeer(message, hooks);
};

/** Where the real-time class is refused. Lower is sooner (nice(2)); the default is 0, the model's process is above it. */
const priority = -10;
/** The lowest of the real-time class: before everything that has none, after everything that asks for more. */
const realTimePriority = 1;

/**
 * Puts this thread before others where the system allows it; elsewhere it stays an equal among them. Linux keeps
 * priorities per thread, and `thread-self` reads `PID/task/TID`.
 *
 * A priority alone only means a larger share: the scheduler still lets a model's thread end its slice of some
 * milliseconds first. Round robin (sched(7)), which other media servers use too, interrupts it at once; util-linux'
 * chrt sets it, root, CAP_SYS_NICE or a limit of real-time priority (RLIMIT_RTPRIO) of 1 allow it, and threads that this
 * one starts do not inherit it.
 */
function hurry(): void {
  try {
    const thread = path.basename(readlinkSync('/proc/thread-self'));
    const realTime = ['--reset-on-fork', '--rr', '--pid', String(realTimePriority), thread];
    const { status } = spawnSync('chrt', realTime, { stdio: 'ignore', timeout: 1000 });
    if (status !== 0) setPriority(Number(thread), priority);
  } catch {
    // Not Linux, or not allowed: pacing then depends on how busy the machine is.
  }
}

function serve(control: MessagePort): void {
  const post = (message: FromMedia) => control.postMessage(message);
  const dtls = new DtlsThread(workerEntry('dtls'));
  const sessions = new Sessions({
    clock: new PunctualClock(),
    wallClockMs: () => Date.now(),
    // SSRC and sequence numbers are not to be guessed (RFC 3550 §5.1, §8.1).
    random: () => randomInt(0x1_0000_0000) / 0x1_0000_0000,
    post,
    openPeer,
    openDtls: dtls.open,
  });
  control.on('message', (message: ToMedia) => {
    // With its sockets closed and this port unheard, the thread ends by itself.
    if (message.type === 'shutdown') {
      void sessions
        .closeAll()
        .then(() => dtls.close())
        .then(() => control.close());
    } else if (message.type === 'dtls-identity') dtls.setIdentity(message.identity);
    else sessions.receive(message);
  });
}

if (parentPort === null) {
  throw new TrunklineError('media.no-parent', 'The media thread was started as a program.', {
    fix: 'Start it through MediaThread.',
  });
}
warmUp();
hurry();
serve(parentPort);
