/**
 * Our own trunk as Mini-Omni's language model: each row is a sequence of the trunk that reads one text token and seven
 * codes at every position, fused by adding them up. A row whose audio streams are pads is the trunk's plain text, so the
 * row that thinks is the shipped model itself. Scores of codes come from the post-adapter, under the guide of the text
 * that row 0 has read.
 *
 * Beside the published layout: while the guide cannot say the next frame for want of text, all layers are padded and the
 * frames go on afterwards; a layer has ended when the guide says so, instead of by a score.
 */
import { LAYERS } from '../codec/delay-pattern';
import type { Pace } from '../omni-model';
import type { ContextItem, LanguageContext, LanguageModel } from '../parts';
import type { ControlTokens } from '../trunk/chat-layout';
import { MiniOmniIds } from './ids';
import { NO_CODE, type PostAdapter } from './post-adapter';
import type { Positions, StreamModel, StreamSequence } from './stream-lm';

/** What is to be heard next: the codec's latent for a frame; or that more text is needed; or that everything was said. */
export type Guidance = Float32Array | 'wait' | 'end';

/** Reads the answer's text as row 0 reads it. */
export interface AnswerGuide {
  write(token: number): void;
  finish(): void;
  next(): Promise<Guidance>;
}

export interface ReadableTrunk extends LanguageModel {
  readonly control: ControlTokens;
  /** One row for each token. */
  embed(tokenIds: readonly number[]): Float32Array;
}

/** Ids of the layout over the trunk's own: its end of turn ends the text, and the answer's head is its last position. */
export function idsOfTrunk(trunk: ReadableTrunk, vocabulary: number, codes: number, specialIds: number): MiniOmniIds {
  const head = answerHead(trunk);
  return new MiniOmniIds(
    { textVocabulary: vocabulary + specialIds, audioVocabulary: codes + specialIds, specialIds },
    { eot: trunk.control.turnEnd, answerText: head[head.length - 1]!, textEnd: vocabulary },
  );
}

/** What stands before an answer, as the trunk was taught. */
export function answerHead(trunk: ReadableTrunk): number[] {
  return [trunk.control.turnStart, ...trunk.encode('assistant\n')];
}

/** All rows of a step are read at once. */
const TOGETHER: Pace = { dueInMs: () => 0, urgency: () => Number.POSITIVE_INFINITY };

export class TrunkStreamModel implements StreamModel {
  constructor(
    readonly trunk: ReadableTrunk,
    readonly adapter: PostAdapter,
    readonly ids: MiniOmniIds,
    /** A guide for one answer. */
    private readonly guide: () => AnswerGuide,
  ) {}

  /** A row that has read nothing. */
  open(): TrunkSequence {
    return this.adopt(this.trunk.createContext());
  }

  /** A row that goes on from `context`, which is the row's from now on. */
  adopt(context: LanguageContext, guide: AnswerGuide = this.guide()): TrunkSequence {
    return new TrunkSequence(this.trunk, this.adapter, this.ids, guide, context);
  }
}

export class TrunkSequence implements StreamSequence {
  private readonly rows: LanguageContext[];
  private logits = new Float32Array(0);
  private hidden = new Float32Array(0);
  /** The prompt's last position was read: what follows is the answer. */
  private answering = false;
  private textEnded = false;
  /** Codes of the last steps that said something, the newest first. */
  private recent: number[][] = Array.from({ length: LAYERS }, () => new Array<number>(LAYERS).fill(NO_CODE));
  private latents: (Float32Array | undefined)[] = new Array(LAYERS).fill(undefined);
  private pasts: Float32Array;
  /** Steps that said something, and how many frames there are once that is known. */
  private said = 0;
  private frames: number | undefined;
  private pending = false;
  /** What row 0 will read next, if it is known. */
  private next: { readonly position: readonly number[]; readonly item: ContextItem } | undefined;

  constructor(
    private readonly trunk: ReadableTrunk,
    private readonly adapter: PostAdapter,
    private readonly ids: MiniOmniIds,
    private readonly guide: AnswerGuide,
    context: LanguageContext,
  ) {
    this.rows = [context];
    this.pasts = adapter.freshPasts;
  }

  get length(): number {
    return this.rows[0]!.length;
  }

  get positions(): number {
    return this.trunk.contextLength;
  }

  async read(rows: readonly Positions[], vectors?: Float32Array): Promise<void> {
    if (rows.length !== this.rows.length) {
      throw new RangeError(`The sequence has ${this.rows.length} rows, not ${rows.length}.`);
    }
    const read: ContextItem[][] = [];
    for (const [place, positions] of rows.entries()) {
      const items: ContextItem[] = [];
      for (const [at, position] of positions.entries()) {
        const heard = vectors?.slice(
          (at * vectors.length) / positions.length,
          ((at + 1) * vectors.length) / positions.length,
        );
        items.push(heard ?? (await this.item(position)));
        if (place === 0) this.note(position);
      }
      read.push(items);
      const [item] = items;
      if (place > 0 && items.length === 1 && item !== undefined) {
        this.rows[place]!.foresee?.({ item, pace: TOGETHER });
      }
    }
    for (const [place, items] of read.entries()) {
      const context = this.rows[place]!;
      this.logits = (await context.append(items)).slice();
      if (place === 0) this.hidden = context.hidden?.slice() ?? new Float32Array(0);
    }
  }

  /** `position` is what row 0 will read next: it may be read beside what others read. */
  async foresee(position: readonly number[], pace: Pace): Promise<void> {
    const item = await this.item(position);
    this.next = { position, item };
    this.rows[0]?.foresee?.({ item, pace });
  }

  truncate(length: number): void {
    if (this.rows.length !== 1) throw new RangeError('Only one row can be cut back.');
    this.rows[0]!.truncate(length);
  }

  addRow(): void {
    this.rows.push(this.rows[0]!.fork());
  }

  dropRow(): void {
    this.rows.pop()?.dispose();
  }

  async audioLogits(): Promise<Float32Array> {
    const { ids, adapter } = this;
    const size = ids.sizes.audioVocabulary;
    const out = new Float32Array(LAYERS * size).fill(Number.NEGATIVE_INFINITY);
    const next = await this.guide.next();
    this.pending = next !== 'wait';
    if (next === 'wait') {
      for (let layer = 0; layer < LAYERS; layer += 1) out[layer * size + ids.padAudio] = 0;
      return out;
    }
    if (next === 'end') this.frames ??= this.said;
    this.latents = [next === 'end' ? undefined : next, ...this.latents].slice(0, LAYERS);
    const { scores, pasts } = await adapter.step({
      recent: this.recent,
      latents: this.latents,
      state: this.hidden,
      pasts: this.pasts,
    });
    this.pasts = pasts;
    for (let layer = 0; layer < LAYERS; layer += 1) {
      // Layer i says frame n − i at the step whose layer 0 says frame n.
      const frame = this.said - layer;
      const past = this.frames === undefined ? -1 : frame - this.frames;
      if (past === 0) out[layer * size + ids.endAudio] = 0;
      else if (past > 0 || frame < 0) out[layer * size + ids.padAudio] = 0;
      else out.set(scores.subarray(layer * ids.codes, (layer + 1) * ids.codes), layer * size);
    }
    this.said += 1;
    return out;
  }

  async textLogits(): Promise<Float32Array> {
    const { turnEnd, turnStart, handover, hangup, tool } = this.trunk.control;
    const acts = [handover, hangup, ...(tool === undefined ? [] : [tool])];
    const out = this.logits.slice();
    // However the trunk would end its turn, the text ends; what it does beside is for whoever thinks in words.
    out[turnEnd] = Math.max(out[turnEnd]!, ...acts.map((act) => out[act]!));
    for (const control of [turnStart, ...acts]) out[control] = Number.NEGATIVE_INFINITY;
    return out;
  }

  close(): void {
    for (const row of this.rows) row.dispose();
    this.rows.length = 0;
  }

  /** What row 0 has read is what the guide and the next step are told. */
  private note(position: readonly number[]): void {
    const text = position[LAYERS]!;
    const codes = this.codesOf(position);
    if (!this.answering) {
      this.answering = codes.every((code) => code === this.ids.answerAudio);
      return;
    }
    if (text === this.ids.eot && !this.textEnded) {
      this.textEnded = true;
      this.guide.finish();
    } else if (!this.textEnded) {
      this.guide.write(text);
    }
    if (this.pending) {
      const valid = codes.map((code) => (code < this.ids.codes ? code : NO_CODE));
      this.recent = [valid, ...this.recent].slice(0, LAYERS);
      this.pending = false;
    }
  }

  private codesOf(position: readonly number[]): number[] {
    return position.slice(0, LAYERS).map((id, layer) => id - this.ids.shifted(0, layer));
  }

  private async item(position: readonly number[]): Promise<ContextItem> {
    const { ids, adapter, next } = this;
    this.next = undefined;
    if (next?.position.every((id, stream) => id === position[stream]) === true) return next.item;
    const text = position[LAYERS]!;
    const codes = this.codesOf(position);
    const isPad = text === ids.padText;
    const added: Float32Array[] = [];
    if (isPad) added.push(adapter.padText);
    if (codes.every((code) => code === ids.answerAudio)) added.push(adapter.answerAudio);
    const valid = codes.map((code) => (code < ids.codes ? code : NO_CODE));
    if (valid.some((code) => code !== NO_CODE)) added.push(await adapter.fuse(valid));
    const token = isPad ? ids.eot : text;
    if (added.length === 0) return token;
    const sum = this.trunk.embed([token]);
    for (const vector of added) for (let i = 0; i < sum.length; i += 1) sum[i]! += vector[i]!;
    return sum;
  }
}
