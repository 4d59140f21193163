/**
 * libwebrtc, as browsers have it, as a caller without a browser: a process of its own, because the add-on never lets a
 * process end by itself. Told what to do by messages `{id, do, …}`; answers `{id, …}` or `{id, error}`.
 */
const { RTCPeerConnection, nonstandard } = require('@roamhq/wrtc');

const SAMPLE_RATE = 48_000;
/** libwebrtc takes sound in pieces of 10 ms. */
const PIECE_SAMPLES = SAMPLE_RATE / 100;

const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
const source = new nonstandard.RTCAudioSource();
const heard = [];
let heardRate = SAMPLE_RATE;
let microphone = new Int16Array(0);
let resource;
let etag;
let authorization;

connection.addTransceiver(source.createTrack(), { direction: 'sendrecv' });
const events = connection.createDataChannel('events');
const eventTexts = [];
events.onmessage = ({ data }) => eventTexts.push(String(data));
connection.ontrack = ({ track }) => {
  const sink = new nonstandard.RTCAudioSink(track);
  sink.ondata = ({ samples, sampleRate, channelCount }) => {
    heardRate = sampleRate;
    heard.push(channelCount === 2 ? samples.filter((_, index) => index % 2 === 0) : samples.slice());
  };
};

/** Says the microphone once, then nothing. */
function speak() {
  const startedMs = performance.now();
  let pieces = 0;
  setInterval(() => {
    for (; pieces < (performance.now() - startedMs) / 10; pieces += 1) {
      const samples = new Int16Array(PIECE_SAMPLES);
      samples.set(microphone.subarray(pieces * PIECE_SAMPLES, (pieces + 1) * PIECE_SAMPLES));
      source.onData({
        samples,
        sampleRate: SAMPLE_RATE,
        bitsPerSample: 16,
        channelCount: 1,
        numberOfFrames: PIECE_SAMPLES,
      });
    }
  }, 5);
}

function connected() {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (connection.connectionState === 'connected') resolve();
      if (connection.connectionState === 'failed') reject(new Error('The connection failed.'));
    };
    connection.addEventListener('connectionstatechange', look);
    look();
  });
}

function gathered() {
  return new Promise((resolve) => {
    const look = () => connection.iceGatheringState === 'complete' && resolve();
    connection.addEventListener('icegatheringstatechange', look);
    look();
  });
}

const orders = {
  async call({ url, token, pcm }) {
    microphone = pcm;
    authorization = { Authorization: `Bearer ${token}` };
    await connection.setLocalDescription(await connection.createOffer());
    await gathered();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', ...authorization },
      body: connection.localDescription.sdp,
    });
    if (response.status !== 201) throw new Error(`WHIP answered ${response.status}: ${await response.text()}`);
    resource = new URL(response.headers.get('Location'), url);
    etag = response.headers.get('ETag');
    await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    await connected();
    speak();
    return {};
  },
  /** New credentials on the live call (RFC 9725 §4.3.3), as a browser whose network has changed. */
  async restart() {
    const { sdp: answerSdp } = connection.remoteDescription;
    await connection.setLocalDescription(await connection.createOffer({ iceRestart: true }));
    await gathered();
    const lines = (sdp, names) =>
      sdp.split('\r\n').filter((line) => names.some((name) => line.startsWith(`a=${name}:`)));
    const offered = lines(connection.localDescription.sdp, ['ice-ufrag', 'ice-pwd', 'mid', 'candidate']);
    const response = await fetch(resource, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*', ...authorization },
      body: `${[...new Set(offered)].join('\r\n')}\r\n`,
    });
    if (response.status !== 200) throw new Error(`The restart was answered by ${response.status}.`);
    const fragment = await response.text();
    const [ufrag, password] = lines(fragment, ['ice-ufrag', 'ice-pwd']);
    const candidates = lines(fragment, ['candidate']);
    const sdp = answerSdp
      .split('\r\n')
      .filter((line) => !line.startsWith('a=candidate:') && line !== 'a=end-of-candidates')
      .flatMap((line) => (line.startsWith('a=ice-ufrag:') ? [ufrag, ...candidates] : [line]))
      .map((line) => (line.startsWith('a=ice-pwd:') ? password : line))
      .join('\r\n');
    await connection.setRemoteDescription({ type: 'answer', sdp });
    const isAnother = response.headers.get('ETag') !== etag && !answerSdp.includes(ufrag);
    return { isAnother };
  },
  async heard() {
    const pcm = new Int16Array(heard.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of heard) {
      pcm.set(piece, at);
      at += piece.length;
    }
    return { pcm, sampleRate: heardRate };
  },
  async events() {
    return { texts: eventTexts };
  },
  async hangUp() {
    await fetch(resource, { method: 'DELETE', headers: authorization });
    connection.close();
    return {};
  },
};

process.on('message', async ({ id, do: order, ...details }) => {
  try {
    process.send({ id, ...(await orders[order](details)) });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
});
process.on('disconnect', () => process.exit());
