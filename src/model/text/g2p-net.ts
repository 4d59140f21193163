/**
 * Grapheme to phoneme for words that no lexicon knows: a small convolutional and recurrent net with CTC (Graves et al.,
 * 2006), three frames a letter, read off greedily. Words that were asked for once are remembered.
 */
import { z } from 'zod';
import { type OnnxSession, openSession } from '../../onnx/session';
import { float32Data, int64Tensor } from '../../onnx/tensors';
import type { ModelFolder } from '../manifest';

const MAX_REMEMBERED = 4_000;
const BLANK = 0;

export const g2pParameters = z.object({
  /** Letters in the order of their ids. */
  letters: z.string(),
  framesPerLetter: z.number().int(),
  /** Symbols in the order of their ids; the first is CTC's blank. */
  symbols: z.array(z.string()),
});

export class G2pNet {
  private readonly remembered = new Map<string, string>();

  private constructor(
    private readonly session: OnnxSession,
    private readonly letters: string,
    private readonly symbols: readonly string[],
  ) {}

  static async open(folder: ModelFolder): Promise<G2pNet> {
    const { letters, framesPerLetter, symbols } = folder.parameters(g2pParameters);
    const session = await openSession(await folder.read('g2p.onnx'), {
      label: 'g2p-en/g2p.onnx',
      expect: {
        inputs: { letters: { type: 'int64', dims: [1, null] } },
        outputs: { logits: { type: 'float32', dims: [1, null, framesPerLetter * symbols.length] } },
      },
    });
    return new G2pNet(session, letters, symbols);
  }

  /** `word`: a-z and apostrophes; other letters are passed over. */
  async pronounce(word: string): Promise<string> {
    const known = this.remembered.get(word);
    if (known !== undefined) return known;
    const ids = Array.from(word, (letter) => this.letters.indexOf(letter)).filter((id) => id >= 0);
    if (ids.length === 0) return '';
    const { logits } = await this.session.run({ letters: int64Tensor(ids, [1, ids.length]) });
    const said = this.readOff(float32Data(logits, 'logits'));
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
    this.remembered.set(word, said);
    return said;
  }

  close(): Promise<void> {
    return this.session.close();
  }

  /** The best symbol of each frame, repeats and blanks dropped. */
  private readOff(logits: Float32Array): string {
    const width = this.symbols.length;
    let said = '';
    let last = BLANK;
    for (let frame = 0; frame + width <= logits.length; frame += width) {
      let best = 0;
      for (let symbol = 1; symbol < width; symbol += 1) {
        if ((logits[frame + symbol] ?? 0) > (logits[frame + best] ?? 0)) best = symbol;
      }
      if (best !== last && best !== BLANK) said += this.symbols[best] ?? '';
      last = best;
    }
    return said;
  }
}
