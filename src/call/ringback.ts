/** What a caller hears while somebody else's phone rings: 425 Hz, one second in five (ITU-T E.180). */
import { Tone } from '../audio/tone';

const sampleRate = 8000;
let made: Int16Array | undefined;

export function ringback(): { readonly pcm: Int16Array; readonly sampleRate: number } {
  if (made === undefined) {
    made = new Int16Array(5 * sampleRate);
    new Tone([425], -20, sampleRate).fill(made.subarray(0, sampleRate));
  }
  // A copy goes: what is posted to a thread must not be shared.
  return { pcm: made.slice(), sampleRate };
}
