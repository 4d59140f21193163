/** A sentence's window as the tensors that a symbol encoder takes: symbols, their words, the trunk's state of each word. */
import { float32Tensor, int64Tensor, type Tensor } from '../../onnx/tensors';
import type { EncoderWindow } from './sentence-features';

/** A state that is not known is zeros, and said to be so. */
export function encoderFeeds({ symbols, words, hidden }: EncoderWindow, trunkWidth: number): Record<string, Tensor> {
  const rows = new Float32Array(hidden.length * trunkWidth);
  const known = new Float32Array(hidden.length);
  hidden.forEach((state, row) => {
    if (state === undefined) return;
    rows.set(state, row * trunkWidth);
    known[row] = 1;
  });
  return {
    symbols: int64Tensor(symbols, [1, symbols.length]),
    words: int64Tensor(words, [1, words.length]),
    hidden: float32Tensor(rows, [1, hidden.length, trunkWidth]),
    known: float32Tensor(known, [1, hidden.length]),
  };
}
