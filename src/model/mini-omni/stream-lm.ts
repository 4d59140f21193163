/**
 * What the loops of Mini-Omni need of its language model: one sequence of one or two rows that is read position by
 * position, and two heads that are asked only when their answer is used.
 */
/** Positions of one row, eight ids each. */
export type Positions = readonly (readonly number[])[];

export interface StreamModel {
  open(): StreamSequence;
}

export interface StreamSequence {
  /** Positions read so far. */
  readonly length: number;
  /** Positions that it can hold, prompt and answer together. */
  readonly positions: number;
  /**
   * Reads positions of eight ids, as many in every row: `rows[r][n][8]`. `vectors` [n, width]: heard speech, which stands
   * in place of the audio embeddings of these positions. Keeps the last hidden state of each row.
   */
  read(rows: readonly Positions[], vectors?: Float32Array): Promise<void>;
  /** Forgets everything from position `length` on; only while there is one row. */
  truncate(length: number): void;
  /** A second row that has read the same so far. */
  addRow(): void;
  /** Drops the second row. */
  dropRow(): void;
  /** Logits of the seven audio layers, local ids, from the first row's last hidden state: [7 · audio vocabulary]. */
  audioLogits(): Promise<Float32Array>;
  /** Text logits from the last row's last hidden state: [text vocabulary]. */
  textLogits(): Promise<Float32Array>;
  close(): void;
}
