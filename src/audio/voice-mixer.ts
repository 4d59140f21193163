/** Adds voices to one, limited so that two who speak at once are not clipped. */
import { Limiter } from './limiter';

export class VoiceMixer {
  private readonly limiter = new Limiter();
  private sum = new Float32Array(0);

  /** All as long as `out`, which may be one of them. A single voice passes unchanged but for what the limiter still holds down. */
  mix(voices: readonly Int16Array[], out: Int16Array): void {
    if (this.sum.length !== out.length) this.sum = new Float32Array(out.length);
    const { sum } = this;
    sum.fill(0);
    for (const voice of voices) {
      for (let i = 0; i < sum.length; i++) sum[i]! += voice[i]!;
    }
    this.limiter.process(sum, out);
  }
}
