/** Which codecs there are and in what order we like them; a new codec is a file and a line here. */
import { TrunklineError } from '../core/errors';
import type { Codec, CodecDescription } from './codec';
import { G711, pcma, pcmu } from './g711';
import { G722, g722 } from './g722';
import { Opus, opus } from './opus';

/** Best first. On the telephone network G.711 arrives unchanged, but who offers Opus can carry wideband. */
export const codecPreference: readonly CodecDescription[] = [opus, g722, pcmu, pcma];

/** Encoding names are compared without case (RFC 8866 §6.6). */
export function describeCodec(name: string): CodecDescription | undefined {
  return codecPreference.find((codec) => codec.name.toLowerCase() === name.toLowerCase());
}

export function createCodec(name: string): Codec {
  switch (describeCodec(name)?.name) {
    case 'PCMU':
      return new G711(pcmu);
    case 'PCMA':
      return new G711(pcma);
    case 'G722':
      return new G722();
    case 'opus':
      return new Opus();
    case undefined:
      throw new TrunklineError('codecs.unknown-codec', 'There is no codec of that name.', {
        fix: 'Negotiate PCMU, PCMA, G722 or opus.',
        details: { name },
      });
  }
}
