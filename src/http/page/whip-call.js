/**
 * One call of the browser: microphone, peer connection and WHIP resource (RFC 9725). Tells what happens by events:
 * `state`, `remote-track`, `message`, `failed`, `ended`.
 */
import { permitForCall } from './api.js';
import { CallFailure, failureOfProblem } from './failures.js';
import { answerAfterRestart, fragmentOf, sendFragment } from './trickle.js';

/** Candidates that appear within this time of each other travel in one PATCH. */
const TRICKLE_DELAY_MS = 60;
/** ICE that does not connect in this time is not going to. */
const CONNECT_TIMEOUT_MS = 15_000;
/** A lost connection often comes back by itself within that time. */
const RESTART_AFTER_MS = 1_000;
/** The network may not be back at the first try. */
const RESTART_EVERY_MS = 4_000;
/** The agent hangs up on a silent line a little later. */
const LOST_AFTER_MS = 28_000;

export class WhipCall extends EventTarget {
  #way;
  #permit;
  #connection;
  #microphone;
  #channel;
  #resource;
  #etag;
  #authorization;
  #pendingCandidates = [];
  #trickleTimer;
  #patchChain = Promise.resolve();
  #restarting = false;
  #restartTimer;
  #wasConnected = false;
  #networkType = navigator.connection?.type;
  #deadline;
  #ended = false;

  /** `way`: where calls are placed; `permit`: as in api.js, what may place one there. */
  constructor(number, { way = 'whip', permit = permitForCall } = {}) {
    super();
    this.number = number;
    this.#way = way;
    this.#permit = permit;
  }

  /** The call's id, once it is answered. */
  get id() {
    return this.#resource?.pathname.split('/').at(-1);
  }

  /** The microphone's stream; undefined before `place`. */
  get microphone() {
    return this.#microphone;
  }

  get canSendDigits() {
    return this.#dtmf?.canInsertDTMF === true;
  }

  get #dtmf() {
    return this.#connection?.getSenders().find((sender) => sender.track?.kind === 'audio')?.dtmf;
  }

  async place() {
    try {
      await this.#place();
    } catch (error) {
      const failure = error instanceof CallFailure ? error : CallFailure.from(error);
      this.#release();
      if (this.#ended) return;
      this.#ended = true;
      this.#emit('failed', failure);
    }
  }

  async #place() {
    this.#emit('state', 'microphone');
    if (navigator.mediaDevices?.getUserMedia === undefined) throw new CallFailure('insecure');
    // The browser removes our own voice from what the microphone hears: without it the agent would interrupt itself.
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    const microphone = await navigator.mediaDevices.getUserMedia({ audio });
    if (this.#ended) {
      for (const track of microphone.getTracks()) track.stop();
      return;
    }
    this.#microphone = microphone;
    this.#emit('microphone', microphone);
    this.#emit('state', 'connecting');
    const { authorization, iceServers } = await this.#permit();
    this.#authorization = authorization;
    const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers });
    this.#connection = connection;
    connection.addEventListener('track', ({ track }) => this.#emit('remote-track', track));
    connection.addEventListener('icecandidate', ({ candidate }) => this.#queueCandidate(candidate));
    connection.addEventListener('connectionstatechange', () => this.#onConnectionState());
    connection.addTransceiver(microphone.getAudioTracks()[0], { direction: 'sendrecv', streams: [microphone] });
    this.#channel = connection.createDataChannel('events');
    this.#channel.addEventListener('message', ({ data }) => this.#onMessage(data));
    await connection.setLocalDescription();
    this.#deadline = setTimeout(() => this.#fail(new CallFailure('no-connection')), CONNECT_TIMEOUT_MS);

    const response = await fetch(`${this.#way}/${encodeURIComponent(this.number)}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', ...this.#authorization },
      body: connection.localDescription.sdp,
    });
    if (response.status !== 201) throw await failureOfProblem(response);
    this.#resource = new URL(response.headers.get('Location'), response.url);
    const answerSdp = await response.text();
    if (this.#ended) {
      this.#delete();
      return;
    }
    await connection.setRemoteDescription({ type: 'answer', sdp: answerSdp });
    this.#etag = response.headers.get('ETag');
    this.#flushCandidates();
    addEventListener('online', this.#onNetworkChange);
    navigator.connection?.addEventListener('change', this.#onNetworkChange);
  }

  setMuted(muted) {
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  /** RFC 4733 digits, sent by the browser itself. */
  sendDigit(digit) {
    const dtmf = this.#dtmf;
    if (dtmf?.canInsertDTMF !== true) return false;
    dtmf.insertDTMF(dtmf.toneBuffer + digit, 120, 60);
    return true;
  }

  sendText(text) {
    if (this.#channel?.readyState !== 'open') return false;
    this.#channel.send(JSON.stringify({ type: 'user_text', text }));
    return true;
  }

  async statistics() {
    return this.#connection?.getStats();
  }

  hangUp(cause = 'caller-hangup') {
    if (this.#ended) return;
    this.#ended = true;
    this.#delete();
    this.#release();
    this.#emit('ended', cause);
  }

  #onMessage(data) {
    if (typeof data !== 'string') return;
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message === null || typeof message !== 'object') return;
    this.#emit('message', message);
    if (message.type === 'state' && message.state === 'ended') {
      this.#finish(typeof message.cause === 'string' ? message.cause : 'agent-hangup');
    }
  }

  #onConnectionState() {
    const state = this.#connection?.connectionState;
    if (state === 'connected') {
      clearTimeout(this.#deadline);
      clearTimeout(this.#restartTimer);
      this.#deadline = undefined;
      this.#wasConnected = true;
      this.#emit('state', 'connected');
    } else if (state === 'disconnected' || state === 'failed') {
      if (!this.#wasConnected) this.#fail(new CallFailure('no-connection'));
      else this.#reconnect(state === 'failed' ? 0 : RESTART_AFTER_MS);
    } else if (state === 'closed') {
      this.#finish('agent-hangup');
    }
  }

  /** Tries for as long as the agent keeps the call. */
  #reconnect(afterMs) {
    if (this.#ended) return;
    this.#emit('state', 'reconnecting');
    this.#deadline ??= setTimeout(() => this.#fail(new CallFailure('connection-lost')), LOST_AFTER_MS);
    this.#restartAfter(afterMs);
  }

  #restartAfter(afterMs) {
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(async () => {
      await this.#restartIce();
      // Also when it seemed to work: the new way may be as dead as the old one.
      if (this.#connection?.connectionState !== 'connected') this.#restartAfter(RESTART_EVERY_MS);
    }, afterMs);
  }

  /** RFC 9725 §4.3.3: new credentials on the same call. Media goes on by the old way until the new one stands. */
  async #restartIce() {
    const connection = this.#connection;
    if (this.#ended || this.#restarting || this.#etag === undefined || connection.signalingState !== 'stable') return;
    this.#restarting = true;
    try {
      const answerSdp = connection.remoteDescription.sdp;
      this.#pendingCandidates = [];
      await connection.setLocalDescription(await connection.createOffer({ iceRestart: true }));
      // What was sent before means the ICE session before.
      await this.#patchChain;
      const body = fragmentOf(connection.localDescription.sdp, []);
      const response = await sendFragment(this.#resource, { etag: '*', authorization: this.#authorization, body });
      if (response.status === 404) this.#finish('agent-hangup');
      if (response.status !== 200) throw new Error(`The restart was answered by ${response.status}.`);
      const sdp = answerAfterRestart(answerSdp, await response.text());
      await connection.setRemoteDescription({ type: 'answer', sdp });
      this.#etag = response.headers.get('ETag');
    } catch {
      // The network may not be back yet. The old session of ICE is the one that counts again.
      if (connection.signalingState === 'have-local-offer') {
        await connection.setLocalDescription({ type: 'rollback' }).catch(() => {});
      }
    } finally {
      this.#restarting = false;
      this.#flushCandidates();
    }
  }

  /** The computer has another network: the way that stands may be dead, and ICE takes its time to notice. */
  #onNetworkChange = (event) => {
    // `change` also tells of every other guess of how fast the network is.
    const type = navigator.connection?.type;
    if (event.type === 'change' && type === this.#networkType) return;
    this.#networkType = type;
    if (this.#connection?.connectionState === 'connected') void this.#restartIce();
    else if (this.#wasConnected) this.#restartAfter(0);
  };

  #queueCandidate(candidate) {
    // An empty candidate, or none, ends them (RFC 8838 §13).
    this.#pendingCandidates.push(candidate === null || candidate.candidate === '' ? undefined : candidate);
    clearTimeout(this.#trickleTimer);
    this.#trickleTimer = setTimeout(() => this.#flushCandidates(), TRICKLE_DELAY_MS);
  }

  #flushCandidates() {
    if (this.#etag === undefined || this.#restarting || this.#pendingCandidates.length === 0 || this.#ended) return;
    const body = fragmentOf(this.#connection.localDescription.sdp, this.#pendingCandidates.splice(0));
    const patch = { etag: this.#etag, authorization: this.#authorization, body };
    this.#patchChain = this.#patchChain
      .then(() => sendFragment(this.#resource, patch))
      // Without these candidates the call may still connect: its own checks reach the other side.
      .catch(() => {});
  }

  #fail(failure) {
    if (this.#ended) return;
    this.#ended = true;
    this.#delete();
    this.#release();
    this.#emit('failed', failure);
  }

  #finish(cause) {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
    this.#emit('ended', cause);
  }

  #delete() {
    if (this.#resource === undefined) return;
    // keepalive: it also has to leave when the page is being closed.
    fetch(this.#resource, { method: 'DELETE', keepalive: true, headers: this.#authorization }).catch(() => {});
    this.#resource = undefined;
  }

  #release() {
    clearTimeout(this.#deadline);
    clearTimeout(this.#trickleTimer);
    clearTimeout(this.#restartTimer);
    removeEventListener('online', this.#onNetworkChange);
    navigator.connection?.removeEventListener('change', this.#onNetworkChange);
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#connection?.close();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
