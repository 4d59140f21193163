/**
 * One call of the browser: microphone, peer connection and WHIP resource (RFC 9725). Tells what happens by events:
 * `state`, `remote-track`, `message`, `failed`, `ended`.
 */
import { permitForCall } from './api.js';
import { CallFailure, failureOfProblem } from './failures.js';

/** Candidates that appear within this time of each other travel in one PATCH. */
const TRICKLE_DELAY_MS = 60;
/** ICE that does not connect in this time is not going to. */
const CONNECT_TIMEOUT_MS = 15_000;
/** A lost connection often comes back by itself: a change of network, a laptop lid. */
const RECONNECT_GRACE_MS = 6_000;

export class WhipCall extends EventTarget {
  #connection;
  #microphone;
  #channel;
  #resource;
  #etag;
  #authorization;
  #pendingCandidates = [];
  #trickleTimer;
  #patchChain = Promise.resolve();
  #deadline;
  #ended = false;

  constructor(number) {
    super();
    this.number = number;
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
    const { authorization, iceServers } = await permitForCall();
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

    const response = await fetch(`whip/${encodeURIComponent(this.number)}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', ...this.#authorization },
      body: connection.localDescription.sdp,
    });
    if (response.status !== 201) throw await failureOfProblem(response);
    this.#resource = new URL(response.headers.get('Location'), response.url);
    this.#etag = response.headers.get('ETag');
    const answerSdp = await response.text();
    if (this.#ended) {
      this.#delete();
      return;
    }
    await connection.setRemoteDescription({ type: 'answer', sdp: answerSdp });
    this.#flushCandidates();
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
      this.#emit('state', 'connected');
    } else if (state === 'disconnected') {
      this.#emit('state', 'reconnecting');
      clearTimeout(this.#deadline);
      this.#deadline = setTimeout(() => this.#fail(new CallFailure('connection-lost')), RECONNECT_GRACE_MS);
    } else if (state === 'failed') {
      this.#fail(new CallFailure(this.#resource === undefined ? 'no-connection' : 'connection-lost'));
    } else if (state === 'closed') {
      this.#finish('agent-hangup');
    }
  }

  #queueCandidate(candidate) {
    // An empty candidate, or none, ends them (RFC 8838 §13).
    this.#pendingCandidates.push(candidate === null || candidate.candidate === '' ? undefined : candidate);
    clearTimeout(this.#trickleTimer);
    this.#trickleTimer = setTimeout(() => this.#flushCandidates(), TRICKLE_DELAY_MS);
  }

  /** RFC 8840 §9: the credentials of the ICE session, then the candidates under their section. */
  #flushCandidates() {
    if (this.#resource === undefined || this.#pendingCandidates.length === 0 || this.#ended) return;
    const candidates = this.#pendingCandidates.splice(0);
    const sdp = this.#connection.localDescription.sdp;
    const line = (name) => new RegExp(`^a=${name}:.*$`, 'm').exec(sdp)?.[0].trimEnd();
    const body = [
      line('ice-ufrag'),
      line('ice-pwd'),
      'm=audio 9 UDP/TLS/RTP/SAVPF 0',
      line('mid'),
      ...candidates.map((candidate) => (candidate === undefined ? 'a=end-of-candidates' : `a=${candidate.candidate}`)),
      '',
    ].join('\r\n');
    this.#patchChain = this.#patchChain
      .then(() =>
        fetch(this.#resource, {
          method: 'PATCH',
          headers: {
            'Content-Type': 'application/trickle-ice-sdpfrag',
            'If-Match': this.#etag,
            ...this.#authorization,
          },
          body,
        }),
      )
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
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#connection?.close();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
