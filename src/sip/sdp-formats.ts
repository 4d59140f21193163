/** Which RTP formats an audio m-line offers, by name and clock instead of by number (RFC 8866 §6.6, RFC 3551 §6, RFC 7587). */
import { attributeOf, type SdpAttribute, type SdpMedia } from './sdp';

export interface AudioFormat {
  readonly payloadType: number;
  /** In lower case. */
  readonly encoding: string;
  readonly clockRate: number;
  readonly channels: number;
  readonly fmtp: string | undefined;
}

/** The static assignments of RFC 3551 that phones still send without an rtpmap. */
const staticFormats: ReadonlyMap<number, { readonly encoding: string; readonly clockRate: number }> = new Map([
  [0, { encoding: 'pcmu', clockRate: 8000 }],
  [3, { encoding: 'gsm', clockRate: 8000 }],
  [4, { encoding: 'g723', clockRate: 8000 }],
  [8, { encoding: 'pcma', clockRate: 8000 }],
  [9, { encoding: 'g722', clockRate: 8000 }],
  [13, { encoding: 'cn', clockRate: 8000 }],
  [18, { encoding: 'g729', clockRate: 8000 }],
]);

/** In the order of the m-line; formats that cannot be understood are left out. */
export function audioFormats(media: SdpMedia): AudioFormat[] {
  const maps = byPayloadType(media.attributes, 'rtpmap');
  const parameters = byPayloadType(media.attributes, 'fmtp');
  const formats: AudioFormat[] = [];
  for (const text of media.formats) {
    if (!/^[0-9]{1,3}$/.test(text)) continue;
    const payloadType = Number(text);
    if (payloadType > 127 || formats.some((one) => one.payloadType === payloadType)) continue;
    const fmtp = parameters.get(payloadType);
    const mapped = maps.get(payloadType);
    if (mapped === undefined) {
      const known = staticFormats.get(payloadType);
      if (known !== undefined) formats.push({ payloadType, ...known, channels: 1, fmtp });
      continue;
    }
    // `opus/48000/2`
    const [encoding, clock, channels] = mapped.trim().split('/', 4);
    if (!encoding || encoding.length > 64 || !/^[0-9]{1,6}$/.test(clock ?? '') || Number(clock) === 0) continue;
    const count = /^[0-9]{1,2}$/.test(channels ?? '1') ? Number(channels ?? '1') : 0;
    formats.push({ payloadType, encoding: encoding.toLowerCase(), clockRate: Number(clock), channels: count, fmtp });
  }
  return formats;
}

/** `a=rtpmap:111 opus/48000/2` -> 111: `opus/48000/2`; the first of several wins. */
function byPayloadType(attributes: readonly SdpAttribute[], name: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const attribute of attributes) {
    if (attribute.name !== name || attribute.value === undefined) continue;
    const match = /^([0-9]{1,3}) +(.*)$/.exec(attribute.value);
    const payloadType = Number(match?.[1]);
    if (match !== null && !found.has(payloadType)) found.set(payloadType, match[2] ?? '');
  }
  return found;
}

/** Frame lengths we send; others are rounded to 20 ms. */
const packetTimesMs = [10, 20, 30, 40, 60];

/** What the far end would like to receive: its ptime, bounded by its maxptime (RFC 8866 §6.4, §6.5). */
export function packetMsOf(media: SdpMedia, fallbackMs: number): number {
  const number = (name: string): number | undefined => {
    const value = attributeOf(media.attributes, name)?.value?.trim() ?? '';
    return /^[0-9]{1,4}(\.[0-9]{1,3})?$/.test(value) ? Number(value) : undefined;
  };
  const maxMs = number('maxptime') ?? 60;
  const wantedMs = number('ptime') ?? fallbackMs;
  const chosen = packetTimesMs.includes(wantedMs) ? wantedMs : fallbackMs;
  return chosen <= maxMs ? chosen : (packetTimesMs.filter((one) => one <= maxMs).at(-1) ?? 10);
}
