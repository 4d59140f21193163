/** Offer and answer for one audio stream, with every m-line of the far end accounted for (RFC 3264). Pure. */
import type { NegotiatedCodec, SocketAddress, SrtpAgreement } from '../media/protocol';
import { staticComfortNoiseType } from '../rtp/comfort-noise-payload';
import {
  attributeOf,
  connectionFor,
  connectionOf,
  directionOf,
  formatSdp,
  isHoldAddress,
  isUnicastLiteral,
  parseSdp,
  type SdpAttribute,
  type SdpDirection,
  type SdpMedia,
  type SessionDescription,
} from './sdp';
import { type AudioFormat, audioFormats, packetMsOf } from './sdp-formats';
import { agreeSecurity, isAudioProtocol, type LocalSecurity, offerSecurity } from './sdp-security';

export type CodecName = NegotiatedCodec['name'];

/** Our end of the stream. */
export interface LocalAudio {
  /** Goes into c= and o=: an address the far end can reach. */
  readonly address: string;
  readonly port: number;
  /** What we speak, best first. */
  readonly codecs: readonly CodecName[];
  /** Whose order decides an answer: the offerer's (RFC 3264 §6.1 recommends it) or ours. */
  readonly preference?: 'theirs' | 'ours';
  /** Our own wish: 'sendonly' or 'inactive' puts the far end on hold. */
  readonly direction?: SdpDirection;
  /** 20 if left out. */
  readonly packetMs?: number;
  /** Parameters that we state for Opus, as what we like to receive (RFC 7587 §6.1). */
  readonly opusFmtp?: string;
  /** Silence may be described instead of sent, by either side (RFC 3389). */
  readonly comfortNoise?: boolean | undefined;
  /** Left out: plain RTP and nothing else. */
  readonly security?: LocalSecurity | undefined;
}

/** What both sides agreed on; `media` in the sense of media/protocol.ts `connect-rtp`. */
export interface AudioAgreement {
  readonly codec: NegotiatedCodec;
  readonly telephoneEvent: { readonly payloadType: number; readonly clockRate: number } | undefined;
  /** Undefined: silence is sent as it is. */
  readonly comfortNoise: { readonly payloadType: number } | undefined;
  readonly remote: SocketAddress;
  /** Where their RTCP goes: the next port unless they say otherwise (RFC 3605). */
  readonly remoteRtcp: SocketAddress;
  readonly send: boolean;
  readonly receive: boolean;
  /** They hold us: we may hear but must not speak, or neither. */
  readonly held: boolean;
  /** Undefined: plain RTP. */
  readonly srtp: SrtpAgreement | undefined;
  /** RTCP shares the port of RTP (RFC 5761). */
  readonly rtcpMux: boolean;
}

interface AgreedStream {
  readonly audio: AudioAgreement;
  /** How our answer speaks of the protection. */
  readonly security: readonly SdpAttribute[];
}

/** Our side of the session between descriptions: identity, version, what the version stands for, who speaks which numbers. */
export interface SessionState {
  readonly sessionId: string;
  readonly version: number;
  readonly sdp: string;
  /** Index of our audio among the m-lines. */
  readonly audioIndex: number;
  /** The other m-lines, so that a new offer of ours keeps their places (RFC 3264 §8). */
  readonly others: readonly { readonly kind: string; readonly protocol: string; readonly formats: readonly string[] }[];
  readonly payloadTypes: ReadonlyMap<string, number>;
}

export interface Refusal {
  readonly kind: 'refused';
  /** 400 for what cannot be read, 488 for what cannot be used. */
  readonly status: 400 | 488;
  readonly reason: string;
}

export interface Answered {
  readonly kind: 'answered';
  readonly sdp: string;
  readonly state: SessionState;
  readonly audio: AudioAgreement;
}

export interface Offered {
  readonly sdp: string;
  readonly state: SessionState;
}

export interface Agreed {
  readonly kind: 'agreed';
  readonly audio: AudioAgreement;
}

const dynamicPayloadTypes: Readonly<Record<CodecName, number>> = { PCMU: 0, PCMA: 8, G722: 9, opus: 111 };
const clockRates: Readonly<Record<CodecName, number>> = { PCMU: 8000, PCMA: 8000, G722: 8000, opus: 48000 };
const telephoneEventTypes: ReadonlyMap<number, number> = new Map([
  [8000, 101],
  [48000, 110],
]);
const defaultOpusFmtp = 'useinbandfec=1';

/** RFC 3264 §6. `sessionId` is used for a first answer; `previous` keeps identity and version of a running session. */
export function answerOffer(
  offerSdp: string,
  local: LocalAudio,
  session: { readonly sessionId: string; readonly previous?: SessionState },
): Answered | Refusal {
  const parsed = parseSdp(offerSdp);
  if (parsed.kind === 'malformed') return refuse(400, `offer: ${parsed.reason} in line ${parsed.line}`);
  const offer = parsed.session;
  let chosen: ({ readonly index: number } & AgreedStream) | undefined;
  let reason = 'no audio stream';
  for (const [index, media] of offer.media.entries()) {
    if (media.kind !== 'audio' || media.port === 0) continue;
    const agreed = agree(offer, media, local, { preference: local.preference ?? 'theirs', answering: true });
    if (typeof agreed === 'string') reason = agreed;
    else {
      chosen = { index, ...agreed };
      break;
    }
  }
  if (chosen === undefined) return refuse(488, reason);

  const { index, audio, security } = chosen;
  const media = offer.media.map((theirs, at) =>
    at === index
      ? audioLine(theirs.protocol, local, audio, security)
      : { ...refusedLine(theirs), connection: undefined },
  );
  const state = describe(media, index, local, session.previous, session.sessionId, payloadTypesOf(audio));
  return { kind: 'answered', sdp: state.sdp, state, audio };
}

/** RFC 3264 §5, and §8 when `previous` is given: the places of earlier m-lines and their payload types are kept. */
export function makeOffer(
  local: LocalAudio,
  session: { readonly sessionId: string; readonly previous?: SessionState },
): Offered {
  const { previous } = session;
  const attributes: SdpAttribute[] = [];
  const formats: string[] = [];
  const numbers = new Map<string, number>();
  const take = (name: string, wanted: number): number => {
    const known = previous?.payloadTypes.get(name);
    const number = known ?? (numbersInUse(previous, numbers).has(wanted) ? firstFree(previous, numbers) : wanted);
    numbers.set(name, number);
    formats.push(String(number));
    return number;
  };
  for (const name of local.codecs) {
    const number = take(name, dynamicPayloadTypes[name]);
    attributes.push({ name: 'rtpmap', value: `${number} ${rtpmapOf(name)}` });
    if (name === 'opus') attributes.push({ name: 'fmtp', value: `${number} ${local.opusFmtp ?? defaultOpusFmtp}` });
  }
  for (const clockRate of new Set(local.codecs.map((name) => clockRates[name]))) {
    const number = take(`telephone-event/${clockRate}`, telephoneEventTypes.get(clockRate) ?? 101);
    attributes.push({ name: 'rtpmap', value: `${number} telephone-event/${clockRate}` });
    attributes.push({ name: 'fmtp', value: `${number} 0-15` });
  }
  if (local.comfortNoise === true) {
    attributes.push({ name: 'rtpmap', value: `${take('CN', staticComfortNoiseType)} CN/8000` });
  }
  attributes.push({ name: 'ptime', value: String(local.packetMs ?? 20) });
  attributes.push({ name: local.direction ?? 'sendrecv', value: undefined });
  const security = offerSecurity(local.security);
  attributes.push(...security.attributes);
  // A DTLS association per port is one too many (RFC 5764 §4.2): with it RTCP shares the port of RTP.
  if (local.security?.keying === 'dtls' && security.attributes.length > 0) {
    attributes.push({ name: 'rtcp-mux', value: undefined });
  }
  const audio: SdpMedia = {
    kind: 'audio',
    port: local.port,
    protocol: security.protocol,
    formats,
    connection: undefined,
    attributes,
  };
  const audioIndex = previous?.audioIndex ?? 0;
  const media: SdpMedia[] = (previous?.others ?? []).map((other) => ({
    ...other,
    port: 0,
    connection: undefined,
    attributes: [],
  }));
  media.splice(audioIndex, 0, audio);
  const state = describe(media, audioIndex, local, previous, session.sessionId, numbers);
  return { sdp: state.sdp, state };
}

/** RFC 3264 §7: what the answer to our offer means. */
export function applyAnswer(offered: SessionState, answerSdp: string, local: LocalAudio): Agreed | Refusal {
  const parsed = parseSdp(answerSdp);
  if (parsed.kind === 'malformed') return refuse(400, `answer: ${parsed.reason} in line ${parsed.line}`);
  const media = parsed.session.media[offered.audioIndex];
  if (media === undefined || media.kind !== 'audio') return refuse(488, 'the answer has other m-lines than the offer');
  if (media.port === 0) return refuse(488, 'the audio stream was refused');
  // An answer lists what the answerer will send and likes to get; its first codec is the one in use.
  const agreed = agree(parsed.session, media, local, { preference: 'theirs', answering: false });
  return typeof agreed === 'string' ? refuse(488, agreed) : { kind: 'agreed', audio: agreed.audio };
}

function agree(
  session: SessionDescription,
  media: SdpMedia,
  local: LocalAudio,
  { preference, answering }: { readonly preference: 'theirs' | 'ours'; readonly answering: boolean },
): AgreedStream | string {
  if (!isAudioProtocol(media.protocol)) return `transport ${media.protocol.slice(0, 32)} is not supported`;
  const connection = connectionOf(session, media);
  if (connection === undefined) return 'no c= for the audio stream';
  const oldHold = isHoldAddress(connection);
  if (!oldHold && !isUnicastLiteral(connection.address)) return 'c= is not a unicast address';
  const formats = audioFormats(media);
  const picked = pickCodec(formats, local.codecs, preference);
  if (picked === undefined) return 'no codec in common';
  const { name, format } = picked;

  const secured = agreeSecurity(session, media, local.security, answering);
  if (secured !== 'plain' && 'refused' in secured) return secured.refused;

  const theirs = directionOf(session, media);
  const ours = local.direction ?? 'sendrecv';
  const theyReceive = (theirs === 'sendrecv' || theirs === 'recvonly') && !oldHold;
  const theySend = theirs === 'sendrecv' || theirs === 'sendonly';
  const events = formats.filter((one) => one.encoding === 'telephone-event');
  const event = events.find((one) => one.clockRate === format.clockRate) ?? events[0];
  const noise = formats.find((one) => one.encoding === 'cn' && one.clockRate === format.clockRate);
  const remote = { address: connection.address, port: media.port };
  return {
    audio: {
      comfortNoise: local.comfortNoise === true && noise !== undefined ? { payloadType: noise.payloadType } : undefined,
      codec: {
        name,
        payloadType: format.payloadType,
        clockRate: clockRates[name],
        // Opus leaves in frames of 20 ms whatever is asked for; an answer says what will be sent.
        packetMs: name === 'opus' ? 20 : packetMsOf(media, local.packetMs ?? 20),
      },
      telephoneEvent: event && { payloadType: event.payloadType, clockRate: event.clockRate },
      remote,
      remoteRtcp: rtcpOf(media, remote),
      send: theyReceive && (ours === 'sendrecv' || ours === 'sendonly'),
      receive: theySend && (ours === 'sendrecv' || ours === 'recvonly'),
      held: !theyReceive,
      srtp: secured === 'plain' ? undefined : secured.srtp,
      rtcpMux: attributeOf(media.attributes, 'rtcp-mux') !== undefined,
    },
    security: secured === 'plain' ? [] : secured.attributes,
  };
}

function pickCodec(
  formats: readonly AudioFormat[],
  codecs: readonly CodecName[],
  preference: 'theirs' | 'ours',
): { readonly name: CodecName; readonly format: AudioFormat } | undefined {
  const usable: { readonly name: CodecName; readonly format: AudioFormat }[] = [];
  for (const format of formats) {
    const name = codecNameOf(format);
    if (name !== undefined && codecs.includes(name)) usable.push({ name, format });
  }
  if (preference === 'theirs') return usable[0];
  return codecs.map((name) => usable.find((one) => one.name === name)).find((one) => one !== undefined);
}

function codecNameOf(format: AudioFormat): CodecName | undefined {
  if (format.encoding === 'pcmu' && format.clockRate === 8000 && format.channels === 1) return 'PCMU';
  if (format.encoding === 'pcma' && format.clockRate === 8000 && format.channels === 1) return 'PCMA';
  // RFC 3551 §4.5.2: 8000 in SDP and RTP, although 16,000 samples are coded.
  if (format.encoding === 'g722' && format.clockRate === 8000 && format.channels === 1) return 'G722';
  // RFC 7587 §7: always 48000/2, however many channels are really coded.
  if (format.encoding === 'opus' && format.clockRate === 48000) return 'opus';
  return undefined;
}

/** `a=rtcp:53020 IN IP4 192.0.2.9` (RFC 3605 §2.1), else the port above. */
function rtcpOf(media: SdpMedia, remote: SocketAddress): SocketAddress {
  const match = /^([0-9]{1,5})(?: IN IP[46] ([0-9A-Fa-f.:]{2,45}))?$/.exec(
    attributeOf(media.attributes, 'rtcp')?.value ?? '',
  );
  const port = Number(match?.[1]);
  if (match !== null && port >= 1 && port <= 65535) {
    const address = match[2] !== undefined && isUnicastLiteral(match[2]) ? match[2] : remote.address;
    return { address, port };
  }
  return { address: remote.address, port: Math.min(remote.port + 1, 65535) };
}

function audioLine(
  protocol: string,
  local: LocalAudio,
  audio: AudioAgreement,
  security: readonly SdpAttribute[],
): SdpMedia {
  const { codec, telephoneEvent } = audio;
  const formats = [String(codec.payloadType)];
  const attributes: SdpAttribute[] = [{ name: 'rtpmap', value: `${codec.payloadType} ${rtpmapOf(codec.name)}` }];
  if (codec.name === 'opus') {
    attributes.push({ name: 'fmtp', value: `${codec.payloadType} ${local.opusFmtp ?? defaultOpusFmtp}` });
  }
  if (telephoneEvent !== undefined) {
    formats.push(String(telephoneEvent.payloadType));
    attributes.push({
      name: 'rtpmap',
      value: `${telephoneEvent.payloadType} telephone-event/${telephoneEvent.clockRate}`,
    });
    attributes.push({ name: 'fmtp', value: `${telephoneEvent.payloadType} 0-15` });
  }
  if (audio.comfortNoise !== undefined) {
    formats.push(String(audio.comfortNoise.payloadType));
    attributes.push({ name: 'rtpmap', value: `${audio.comfortNoise.payloadType} CN/8000` });
  }
  attributes.push({ name: 'ptime', value: String(codec.packetMs) });
  // RFC 3264 §6.1: what we send is what they receive, and the other way round.
  const direction: SdpDirection = audio.send
    ? audio.receive
      ? 'sendrecv'
      : 'sendonly'
    : audio.receive
      ? 'recvonly'
      : 'inactive';
  attributes.push({ name: direction, value: undefined });
  attributes.push(...security);
  if (audio.rtcpMux) attributes.push({ name: 'rtcp-mux', value: undefined });
  return { kind: 'audio', port: local.port, protocol, formats, connection: undefined, attributes };
}

/** RFC 3264 §6: a refused stream keeps its place, its kind and a format, and gets port 0. */
function refusedLine(theirs: SdpMedia): SdpMedia {
  return { ...theirs, port: 0, formats: theirs.formats.slice(0, 1), attributes: [] };
}

/** The version goes up only when something changed (RFC 3264 §8). */
function describe(
  media: readonly SdpMedia[],
  audioIndex: number,
  local: LocalAudio,
  previous: SessionState | undefined,
  freshSessionId: string,
  payloadTypes: ReadonlyMap<string, number>,
): SessionState {
  const sessionId = previous?.sessionId ?? freshSessionId;
  const write = (version: number): string =>
    formatSdp({
      origin: { username: '-', sessionId, sessionVersion: String(version), address: connectionFor(local.address) },
      connection: connectionFor(local.address),
      attributes: [],
      media,
    });
  const same = previous !== undefined && write(previous.version) === previous.sdp;
  const version = previous === undefined ? 1 : same ? previous.version : previous.version + 1;
  const others = media
    .filter((_one, at) => at !== audioIndex)
    .map(({ kind, protocol, formats }) => ({ kind, protocol, formats }));
  const known = new Map([...(previous?.payloadTypes ?? []), ...payloadTypes]);
  return { sessionId, version, sdp: write(version), audioIndex, others, payloadTypes: known };
}

function payloadTypesOf({ codec, telephoneEvent }: AudioAgreement): Map<string, number> {
  const numbers = new Map<string, number>([[codec.name, codec.payloadType]]);
  if (telephoneEvent !== undefined) {
    numbers.set(`telephone-event/${telephoneEvent.clockRate}`, telephoneEvent.payloadType);
  }
  return numbers;
}

function rtpmapOf(name: CodecName): string {
  return name === 'opus' ? 'opus/48000/2' : `${name}/8000`;
}

function numbersInUse(previous: SessionState | undefined, taken: ReadonlyMap<string, number>): Set<number> {
  return new Set([...(previous?.payloadTypes.values() ?? []), ...taken.values()]);
}

function firstFree(previous: SessionState | undefined, taken: ReadonlyMap<string, number>): number {
  const used = numbersInUse(previous, taken);
  for (let number = 96; number <= 127; number++) if (!used.has(number)) return number;
  return 96;
}

function refuse(status: 400 | 488, reason: string): Refusal {
  return { kind: 'refused', status, reason };
}
