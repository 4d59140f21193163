/**
 * Reads a trickle fragment, the body of a WHIP PATCH (RFC 8840 §9, RFC 9725 §4.3): which ICE session it means, and the
 * candidates it adds.
 */
import { TrunklineError } from '../core/errors';
import { type CandidateRefusal, type IceCandidateLine, readCandidate } from './ice-candidate';

export const MAX_FRAGMENT_BYTES = 16_384;
/** A browser on a laptop with a VPN sends about ten in a whole call. */
export const MAX_CANDIDATES_PER_FRAGMENT = 32;

export interface TrickleFragment {
  readonly usernameFragment: string | undefined;
  readonly password: string | undefined;
  readonly candidates: readonly { readonly mid: string | undefined; readonly candidate: IceCandidateLine }[];
  readonly endOfCandidates: boolean;
  /** Why lines were left out; those are counted, not errors (a browser offers TCP and mDNS names too). */
  readonly refused: Readonly<Partial<Record<CandidateRefusal, number>>>;
}

const ICE_CHARS = /^[A-Za-z0-9+/]{4,256}$/;
const ICE_PASSWORD = /^[A-Za-z0-9+/]{22,256}$/;
const TOKEN = /^[\x21-\x7e]{1,64}$/;
const KNOWN_LINE = /^[a-z]=/;

/** Throws `webrtc.bad-candidates` when the text is not a fragment at all. */
export function readTrickleFragment(text: string): TrickleFragment {
  if (Buffer.byteLength(text) > MAX_FRAGMENT_BYTES) throw badFragment('The fragment is too long.');
  const candidates: { mid: string | undefined; candidate: IceCandidateLine }[] = [];
  const refused: Partial<Record<CandidateRefusal, number>> = {};
  let usernameFragment: string | undefined;
  let password: string | undefined;
  let mid: string | undefined;
  let endOfCandidates = false;
  let lineCount = 0;
  for (const line of text.split(/\r\n|\n/)) {
    if (line === '') continue;
    lineCount += 1;
    if (!KNOWN_LINE.test(line)) throw badFragment('A line of the fragment is not an SDP line.');
    if (line.startsWith('m=')) {
      mid = undefined;
    } else if (line.startsWith('a=ice-ufrag:')) {
      usernameFragment = line.slice(12);
      if (!ICE_CHARS.test(usernameFragment)) throw badFragment('The ice-ufrag is not well formed.');
    } else if (line.startsWith('a=ice-pwd:')) {
      password = line.slice(10);
      if (!ICE_PASSWORD.test(password)) throw badFragment('The ice-pwd is not well formed.');
    } else if (line.startsWith('a=mid:')) {
      mid = line.slice(6);
      if (!TOKEN.test(mid)) throw badFragment('The mid is not well formed.');
    } else if (line === 'a=end-of-candidates') {
      endOfCandidates = true;
    } else if (line.startsWith('a=candidate:')) {
      const reading = readCandidate(line);
      if (reading.kind === 'refused') {
        refused[reading.reason] = (refused[reading.reason] ?? 0) + 1;
      } else if (candidates.length < MAX_CANDIDATES_PER_FRAGMENT) {
        candidates.push({ mid, candidate: reading.candidate });
      } else {
        throw badFragment('The fragment has too many candidates.');
      }
    }
  }
  if (lineCount === 0) throw badFragment('The fragment is empty.');
  return { usernameFragment, password, candidates, endOfCandidates, refused };
}

function badFragment(sentence: string): TrunklineError {
  return new TrunklineError('webrtc.bad-candidates', sentence, {
    fix: 'Send application/trickle-ice-sdpfrag as in RFC 8840 section 9.',
  });
}
