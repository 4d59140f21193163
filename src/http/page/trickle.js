/** Trickle fragments (RFC 8840 §9) out of and into SDP: what WHIP sends by PATCH (RFC 9725 §4.3). */
const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';

function attribute(sdp, name) {
  return new RegExp(`^a=${name}:.*$`, 'm').exec(sdp)?.[0].trimEnd();
}

/** The credentials of the ICE session, then the candidates under their section; `undefined` among them ends them. */
export function fragmentOf(sdp, candidates) {
  return [
    attribute(sdp, 'ice-ufrag'),
    attribute(sdp, 'ice-pwd'),
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    attribute(sdp, 'mid'),
    ...candidates.map((candidate) => (candidate === undefined ? 'a=end-of-candidates' : `a=${candidate.candidate}`)),
    '',
  ].join('\r\n');
}

/** The answer as it would be after a restart: the same, with the other side's new credentials and candidates. */
export function answerAfterRestart(answerSdp, fragment) {
  const credentials = [attribute(fragment, 'ice-ufrag'), attribute(fragment, 'ice-pwd')];
  const candidates = fragment.split('\r\n').filter((line) => /^a=(candidate:|end-of-candidates)/.test(line));
  const lines = answerSdp.split('\r\n').filter((line) => !/^a=(candidate:|end-of-candidates|ice-pwd:)/.test(line));
  let isFirst = true;
  const renewed = lines.flatMap((line) => {
    if (!line.startsWith('a=ice-ufrag:')) return [line];
    const added = isFirst ? [...credentials, ...candidates] : credentials;
    isFirst = false;
    return added;
  });
  return renewed.join('\r\n');
}

export function sendFragment(resource, { etag, authorization, body }) {
  const headers = { 'Content-Type': FRAGMENT_TYPE, 'If-Match': etag, ...authorization };
  return fetch(resource, { method: 'PATCH', headers, body });
}
