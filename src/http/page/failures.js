/** What can go wrong with a call, in words that say what to do next. */
const SENTENCES = {
  'microphone-refused': [
    'The microphone is blocked.',
    'Allow it for this page in the address bar of your browser, then call again.',
  ],
  'microphone-missing': ['No microphone was found.', 'Connect one, or choose it in the settings of your system.'],
  'microphone-busy': ['The microphone is in use.', 'Close the other program that uses it, then call again.'],
  insecure: [
    'This browser gives the microphone only to secure pages.',
    'Open the page on localhost, or give the agent a certificate (http.tls).',
  ],
  'no-server': ['The agent cannot be reached.', 'See whether it is still running, then call again.'],
  'no-connection': [
    'No audio connection came about.',
    'A firewall may block UDP. Set webrtc.advertised, or add a TURN server to webrtc.iceServers.',
  ],
  'connection-lost': ['The connection was lost.', 'Check the network, then call again.'],
  'wants-token': ['This agent asks for a token.', 'Enter an API token at the foot of the page, then call again.'],
  'not-found': ['Nobody answers at that number.', 'Choose one from the list, or add a route to the dialplan.'],
  busy: ['All lines are busy.', 'Wait a moment, then call again.'],
  unexpected: ['The call did not work.', 'Try again; the log of the agent says more.'],
};

export class CallFailure extends Error {
  constructor(kind, sentence, fix) {
    const [usualSentence, usualFix] = SENTENCES[kind] ?? SENTENCES.unexpected;
    super(sentence ?? usualSentence);
    this.kind = kind;
    this.fix = fix ?? usualFix;
  }

  static from(error) {
    if (error instanceof CallFailure) return error;
    switch (error?.name) {
      case 'NotAllowedError':
      case 'SecurityError':
        return new CallFailure('microphone-refused');
      case 'NotFoundError':
      case 'OverconstrainedError':
        return new CallFailure('microphone-missing');
      case 'NotReadableError':
      case 'AbortError':
        return new CallFailure('microphone-busy');
      case 'TypeError':
        return new CallFailure('no-server');
      default:
        return new CallFailure('unexpected');
    }
  }
}

/** An RFC 9457 problem document, or whatever came instead of one. */
export async function failureOfProblem(response) {
  let problem;
  try {
    problem = await response.json();
  } catch {
    problem = {};
  }
  const kinds = { 401: 'wants-token', 403: 'wants-token', 404: 'not-found', 429: 'busy', 503: 'busy' };
  const kind = kinds[response.status];
  if (kind !== undefined) return new CallFailure(kind);
  const text = (value) => (typeof value === 'string' && value !== '' ? value : undefined);
  return new CallFailure('unexpected', text(problem.title), text(problem.detail));
}
