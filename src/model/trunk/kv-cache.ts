/**
 * Keys and values of sequences, side by side: a bank has seats for several sequences of about one length, so that one run
 * can read a token in each of them without anything being stacked for it. The graph reads banks in place and hands out only
 * the new rows, which are written here; cutting a sequence back is a smaller count.
 *
 * Attention looks at as many positions as there is room for, used or not. So banks come in sizes, and a sequence that
 * outgrows its seat moves to a bank with more room.
 */
import { float32Tensor, type Tensor } from '../../onnx/tensors';

export interface KvShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  /** Positions that a sequence may have at most. */
  readonly capacity: number;
}

const PARTS = ['key', 'value'] as const;
/** Sequences of one run at most. More would make everybody wait for a step that is hardly cheaper for each. */
export const SEATS_PER_BANK = 4;
/**
 * Sizes of banks are multiples of this. Finer ones would part sequences that could be read together, coarser ones cost
 * attention: 100 positions too many are 4 % of a step.
 */
const ROOM_STEP = 256;
/** A copy goes on by itself: it takes room for the next words at once. */
const HEADROOM = 32;

/** Names of the outputs that carry new rows. */
export function newRowNames(layers: number): string[] {
  return partNames(layers).map((part) => `new.${part}`);
}

function partNames(layers: number): string[] {
  return Array.from({ length: layers }, (_, layer) => PARTS.map((part) => `${layer}.${part}`)).flat();
}

/** Seats of one size. Its buffers stay where they are for as long as it lives. */
export class KvBank {
  /** For each layer keys and values [seats, kvHeads, room, headWidth]. */
  private readonly buffers = new Map<string, Float32Array>();
  private readonly views = new Map<string, Readonly<Record<string, Tensor>>>();
  private readonly taken = new Array<boolean>(SEATS_PER_BANK).fill(false);

  constructor(
    private readonly shape: KvShape,
    /** Positions of a seat. */
    readonly room: number,
  ) {
    const size = SEATS_PER_BANK * this.seatSize;
    const names = partNames(shape.layers);
    // One allocation, so large that it comes from the system and not out of the allocator's used pages, which it would
    // have to clear. Untouched pages cost no memory.
    const whole = new Float32Array(names.length * size);
    for (const [place, name] of names.entries()) {
      this.buffers.set(name, whole.subarray(place * size, (place + 1) * size));
    }
  }

  get isEmpty(): boolean {
    return !this.taken.includes(true);
  }

  /** The first free seat, which is taken from now on. */
  take(): number | undefined {
    const seat = this.taken.indexOf(false);
    if (seat < 0) return undefined;
    this.taken[seat] = true;
    return seat;
  }

  leave(seat: number): void {
    this.taken[seat] = false;
  }

  /** The seats from `first` on, `count` of them, under the graph's input names. */
  feeds(first: number, count: number): Readonly<Record<string, Tensor>> {
    const key = `${first}+${count}`;
    const known = this.views.get(key);
    if (known !== undefined) return known;
    const { kvHeads, headWidth } = this.shape;
    const view: Record<string, Tensor> = {};
    for (const [name, data] of this.buffers) {
      const seats = data.subarray(first * this.seatSize, (first + count) * this.seatSize);
      view[`past.${name}`] = float32Tensor(seats, [count, kvHeads, 1, this.room, headWidth]);
    }
    this.views.set(key, view);
    return view;
  }

  /** Into `seat`, from `position` on: the `count` new rows of every layer, which are the `nth` of the run's. */
  write(seat: number, position: number, count: number, outputs: Readonly<Record<string, Tensor>>, nth: number): void {
    const { kvHeads, headWidth } = this.shape;
    const rowSize = count * headWidth;
    for (const [name, target] of this.buffers) {
      const rows = outputs[`new.${name}`]?.data;
      if (!(rows instanceof Float32Array)) throw new TypeError(`Output "new.${name}" is missing or not float32.`);
      for (let head = 0; head < kvHeads; head += 1) {
        const from = (nth * kvHeads + head) * rowSize;
        target.set(rows.subarray(from, from + rowSize), this.offset(seat, head, position));
      }
    }
  }

  /** Into `seat`: the first `length` positions of a seat of `from`. */
  copy(seat: number, from: KvBank, fromSeat: number, length: number): void {
    const { kvHeads, headWidth } = this.shape;
    for (const [name, target] of this.buffers) {
      const source = from.buffers.get(name)!;
      for (let head = 0; head < kvHeads; head += 1) {
        const start = from.offset(fromSeat, head, 0);
        target.set(source.subarray(start, start + length * headWidth), this.offset(seat, head, 0));
      }
    }
  }

  private get seatSize(): number {
    return this.shape.kvHeads * this.room * this.shape.headWidth;
  }

  private offset(seat: number, head: number, position: number): number {
    return seat * this.seatSize + (head * this.room + position) * this.shape.headWidth;
  }
}

/** All banks of a model. A bank is made when all seats of its size are taken, and goes with its last sequence. */
export class KvPool {
  private banks: KvBank[] = [];

  constructor(readonly shape: KvShape) {}

  /** A seat with room for `length` positions, in `near` if it has one. */
  take(length: number, near?: KvBank): { readonly bank: KvBank; readonly seat: number } {
    const { capacity } = this.shape;
    const room = Math.min(capacity, Math.max(1, Math.ceil(length / ROOM_STEP)) * ROOM_STEP);
    const known = near === undefined ? this.banks : [near, ...this.banks];
    for (const bank of known) {
      const seat = bank.room === room ? bank.take() : undefined;
      if (seat !== undefined) return { bank, seat };
    }
    const bank = new KvBank(this.shape, room);
    this.banks.push(bank);
    return { bank, seat: bank.take()! };
  }

  leave(bank: KvBank, seat: number): void {
    bank.leave(seat);
    if (bank.isEmpty) this.banks = this.banks.filter((other) => other !== bank);
  }
}

/** The keys and values of one sequence. Whoever makes it releases it. */
export class KvCache {
  private place: { readonly bank: KvBank; readonly seat: number } | undefined;

  constructor(private readonly pool: KvPool) {}

  get capacity(): number {
    return this.pool.shape.capacity;
  }

  /** Where it sits; undefined: it has no positions yet. */
  get seat(): { readonly bank: KvBank; readonly seat: number } | undefined {
    return this.place;
  }

  /** Makes room for `length` positions; the first `used` stay what they are. */
  reserve(length: number, used: number): { readonly bank: KvBank; readonly seat: number } {
    const before = this.place;
    if (before !== undefined && length <= before.bank.room) return before;
    const place = this.pool.take(length);
    if (before !== undefined) {
      place.bank.copy(place.seat, before.bank, before.seat, used);
      this.pool.leave(before.bank, before.seat);
    }
    this.place = place;
    return place;
  }

  /** A cache of its own with the first `length` positions. */
  copy(length: number): KvCache {
    const twin = new KvCache(this.pool);
    if (this.place === undefined) return twin;
    const place = this.pool.take(Math.min(this.capacity, length + HEADROOM), this.place.bank);
    place.bank.copy(place.seat, this.place.bank, this.place.seat, length);
    twin.place = place;
    return twin;
  }

  release(): void {
    if (this.place !== undefined) this.pool.leave(this.place.bank, this.place.seat);
    this.place = undefined;
  }
}
