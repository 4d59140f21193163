/**
 * Reads a browser's offer (RFC 8866, RFC 9429 §5.2) and writes it anew with only what is used: one audio section with
 * one codec, and the data channel. What is not understood never reaches the WebRTC library.
 */
import { TrunklineError } from '../core/errors';
import type { MediaFormat } from '../media/transport';
import { type CandidateRefusal, readCandidate } from './ice-candidate';

export const MAX_OFFER_BYTES = 32_768;
const MAX_SECTIONS = 8;
const MAX_LINES = 600;
export const MAX_CANDIDATES_PER_PEER = 32;

export interface CheckedOffer {
  /** The offer as the library sees it: the sections that are answered, in their order. */
  readonly sdp: string;
  /** Every section as the peer offered it: those not answered come back with port 0 (RFC 3264 §6). */
  readonly sections: readonly { readonly used: boolean; readonly media: string; readonly mid: string | undefined }[];
  readonly format: MediaFormat;
  readonly hasDataChannel: boolean;
  readonly usernameFragment: string;
  /** The peer begins the DTLS handshake itself (RFC 5763 §5): we have to wait for it. */
  readonly beginsDtls: boolean;
  readonly candidateCount: number;
  readonly refusedCandidates: Readonly<Partial<Record<CandidateRefusal, number>>>;
}

interface Section {
  readonly mLine: string;
  readonly lines: readonly string[];
}

interface AudioChoice {
  readonly format: MediaFormat;
  /** rtpmap and fmtp lines for what was chosen. */
  readonly lines: readonly string[];
  readonly payloadTypes: readonly number[];
}

const SDP_LINE = /^[a-z]=[\x20-\x7e\x80-\uffff]*$/;
const TOKEN = /^[\x21-\x7e]{1,64}$/;
const ICE_UFRAG = /^[A-Za-z0-9+/]{4,256}$/;
const ICE_PWD = /^[A-Za-z0-9+/]{22,256}$/;
const FINGERPRINT = /^sha-(?:1|224|256|384|512) [0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){19,63}$/i;
const SETUP = /^(?:actpass|active|passive)$/;
const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
/** Chosen in this order when several are offered. */
const CODECS = [
  { name: 'opus', clockRate: 48_000 },
  { name: 'PCMU', clockRate: 8_000 },
  { name: 'PCMA', clockRate: 8_000 },
] as const;
/** RFC 3551 §6: these need no rtpmap. */
const STATIC_RTPMAPS: Readonly<Record<number, string>> = { 0: 'PCMU/8000', 8: 'PCMA/8000' };

/** Throws `webrtc.offer-too-large`, `webrtc.bad-offer` or `webrtc.no-common-codec`. */
export function checkOffer(offerSdp: string): CheckedOffer {
  if (Buffer.byteLength(offerSdp) > MAX_OFFER_BYTES) {
    throw new TrunklineError('webrtc.offer-too-large', `The offer is longer than ${MAX_OFFER_BYTES} bytes.`, {
      fix: 'Offer one audio section and at most one data channel.',
    });
  }
  const { session, sections } = splitSections(offerSdp);
  const audioIndex = sections.findIndex((section) => section.mLine.startsWith('m=audio ') && port(section) !== '0');
  const audio = sections[audioIndex];
  if (audio === undefined) throw badOffer('It offers no audio.');
  if (!hasFlag(audio, 'rtcp-mux')) throw badOffer('Its audio does not multiplex RTCP (a=rtcp-mux).');

  const bundled = bundledMids(session);
  const audioMid = mid(audio);
  if (audioMid === undefined) throw badOffer('Its audio section has no mid.');
  // Two transports for one call would double the ports: a data channel of its own is turned down, as RFC 3264 allows.
  const dataIndex = sections.findIndex(
    (section) =>
      section.mLine === 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel' ||
      /^m=application [1-9]\d* (?:UDP|TCP)\/DTLS\/SCTP webrtc-datachannel$/.test(section.mLine),
  );
  const data = sections[dataIndex];
  const dataMid = data === undefined ? undefined : mid(data);
  const hasDataChannel =
    data !== undefined && dataMid !== undefined && bundled.includes(audioMid) && bundled.includes(dataMid);

  const iceUfrag = need(audio, session, 'ice-ufrag', ICE_UFRAG);
  const icePwd = need(audio, session, 'ice-pwd', ICE_PWD);
  const setup = need(audio, session, 'setup', SETUP);
  const security = [
    `a=ice-ufrag:${iceUfrag}`,
    `a=ice-pwd:${icePwd}`,
    'a=ice-options:trickle',
    `a=fingerprint:${need(audio, session, 'fingerprint', FINGERPRINT)}`,
    `a=setup:${setup}`,
  ];
  const choice = chooseCodec(audio);
  const direction = DIRECTIONS.find((name) => hasFlag(audio, name)) ?? 'sendrecv';
  const { candidates, refused, ended } = readCandidates(data === undefined ? [audio] : [audio, data]);

  const audioSection = [
    `m=audio 9 UDP/TLS/RTP/SAVPF ${choice.payloadTypes.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    ...security,
    `a=mid:${audioMid}`,
    `a=${direction}`,
    'a=rtcp-mux',
    ...choice.lines,
    ...sourceLines(audio),
    ...candidates.map((candidate) => `a=${candidate}`),
    ...(ended ? ['a=end-of-candidates'] : []),
  ];
  const dataSection = [
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    ...security,
    `a=mid:${dataMid ?? ''}`,
    'a=sctp-port:5000',
    'a=max-message-size:65536',
  ];
  const used = hasDataChannel ? [audioIndex, dataIndex].sort((a, b) => a - b) : [audioIndex];
  const mids = used.map((index) => (index === audioIndex ? audioMid : dataMid));
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mids.join(' ')}`,
    ...used.flatMap((index) => (index === audioIndex ? audioSection : dataSection)),
  ];
  return {
    sdp: `${lines.join('\r\n')}\r\n`,
    sections: sections.map((section, index) => ({
      used: used.includes(index),
      media: section.mLine.slice(2),
      mid: mid(section),
    })),
    format: choice.format,
    hasDataChannel,
    usernameFragment: iceUfrag,
    beginsDtls: setup === 'active',
    candidateCount: candidates.length,
    refusedCandidates: refused,
  };
}

function splitSections(text: string): { session: Section; sections: Section[] } {
  const lines = text.split(/\r\n|\n/).filter((line) => line !== '');
  if (lines[0] !== 'v=0') throw badOffer('It does not begin with v=0.');
  if (lines.length > MAX_LINES) throw badOffer('It has too many lines.');
  const starts: number[] = [];
  lines.forEach((line, index) => {
    if (!SDP_LINE.test(line)) throw badOffer('A line of it is not an SDP line.');
    if (line.startsWith('m=')) starts.push(index);
  });
  if (starts.length > MAX_SECTIONS) throw badOffer('It has too many media sections.');
  const session = { mLine: '', lines: lines.slice(0, starts[0] ?? lines.length) };
  const sections = starts.map((start, index) => ({
    mLine: lines[start]!,
    lines: lines.slice(start + 1, starts[index + 1] ?? lines.length),
  }));
  return { session, sections };
}

function attribute(section: Section, name: string): string | undefined {
  const prefix = `a=${name}:`;
  return section.lines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
}

function hasFlag(section: Section, name: string): boolean {
  return section.lines.includes(`a=${name}`);
}

function port(section: Section): string | undefined {
  return section.mLine.split(' ')[1];
}

function mid(section: Section): string | undefined {
  const value = attribute(section, 'mid');
  if (value !== undefined && !TOKEN.test(value)) throw badOffer('A mid is not well formed.');
  return value;
}

function bundledMids(session: Section): string[] {
  return attribute(session, 'group')?.split(' ').slice(1) ?? [];
}

/** An attribute of the section or, failing that, of the session (RFC 8839 §5.4, RFC 8842 §5.1). */
function need(section: Section, session: Section, name: string, shape: RegExp): string {
  const value = attribute(section, name) ?? attribute(session, name);
  if (value === undefined || !shape.test(value)) throw badOffer(`Its ${name} is missing or not well formed.`);
  return value;
}

function chooseCodec(audio: Section): AudioChoice {
  const offered = audio.mLine.split(' ').slice(3).map(Number);
  const rtpmaps = new Map<number, string>();
  for (const payloadType of offered) {
    if (!Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) {
      throw badOffer('A payload type of its audio is not a number from 0 to 127.');
    }
    const own = audio.lines.find((line) => line.startsWith(`a=rtpmap:${payloadType} `));
    const rtpmap = own?.slice(own.indexOf(' ') + 1) ?? STATIC_RTPMAPS[payloadType];
    if (rtpmap !== undefined && !rtpmaps.has(payloadType)) rtpmaps.set(payloadType, rtpmap);
  }
  for (const codec of CODECS) {
    const payloadType = findPayloadType(rtpmaps, codec.name, codec.clockRate);
    if (payloadType === undefined) continue;
    const eventClock = codec.clockRate;
    const eventType = findPayloadType(rtpmaps, 'telephone-event', eventClock);
    const lines =
      codec.name === 'opus'
        ? [`a=rtpmap:${payloadType} opus/48000/2`, `a=fmtp:${payloadType} minptime=10;useinbandfec=1`]
        : [`a=rtpmap:${payloadType} ${codec.name}/8000`];
    const eventLines =
      eventType === undefined
        ? []
        : [`a=rtpmap:${eventType} telephone-event/${eventClock}`, `a=fmtp:${eventType} 0-15`];
    return {
      format: {
        codec: { name: codec.name, payloadType, clockRate: codec.clockRate, packetMs: 20 },
        ...(eventType === undefined ? {} : { telephoneEvent: { payloadType: eventType, clockRate: eventClock } }),
      },
      lines: [...lines, ...eventLines],
      payloadTypes: eventType === undefined ? [payloadType] : [payloadType, eventType],
    };
  }
  throw new TrunklineError('webrtc.no-common-codec', 'The offer has neither Opus nor G.711 audio.', {
    fix: 'Offer opus/48000/2, PCMU/8000 or PCMA/8000.',
  });
}

function findPayloadType(rtpmaps: ReadonlyMap<number, string>, name: string, clockRate: number): number | undefined {
  const wanted = `${name.toLowerCase()}/${clockRate}`;
  for (const [payloadType, rtpmap] of rtpmaps) {
    const lower = rtpmap.toLowerCase();
    if (lower === wanted || lower.startsWith(`${wanted}/`)) return payloadType;
  }
  return undefined;
}

/** The first source of the section, so that receiver reports can name it (RFC 5576). */
function sourceLines(audio: Section): string[] {
  for (const line of audio.lines) {
    const match = /^a=ssrc:(\d{1,10}) /.exec(line);
    if (match !== null && Number(match[1]) < 2 ** 32) return [`a=ssrc:${Number(match[1])} cname:peer`];
  }
  return [];
}

function readCandidates(sections: readonly Section[]): {
  candidates: string[];
  refused: Partial<Record<CandidateRefusal, number>>;
  ended: boolean;
} {
  const candidates = new Set<string>();
  const refused: Partial<Record<CandidateRefusal, number>> = {};
  let ended = false;
  for (const line of sections.flatMap((section) => section.lines)) {
    if (line === 'a=end-of-candidates') ended = true;
    if (!line.startsWith('a=candidate:')) continue;
    const reading = readCandidate(line);
    if (reading.kind === 'refused') refused[reading.reason] = (refused[reading.reason] ?? 0) + 1;
    else if (candidates.size < MAX_CANDIDATES_PER_PEER) candidates.add(reading.candidate.text);
  }
  return { candidates: [...candidates], refused, ended };
}

function badOffer(sentence: string): TrunklineError {
  return new TrunklineError('webrtc.bad-offer', `The offer cannot be answered: ${sentence}`, {
    fix: 'Send the SDP offer of an RTCPeerConnection with one audio track.',
  });
}
