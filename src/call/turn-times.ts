/** When the steps of each answer happened, for the waterfall of a turn: milliseconds on the conversation's clock. */

export interface TurnTimes {
  /** The caller fell silent. */
  readonly speechEndMs?: number;
  /** The answer was ordered, on trial or not. */
  readonly orderedMs?: number;
  readonly transcriptMs?: number;
  /** The turn was declared over. */
  readonly decidedMs?: number;
  readonly firstTextMs?: number;
  readonly firstAudioMs?: number;
  /** The first packet with it left. */
  readonly firstPacketMs?: number;
}

export type TurnStep = keyof TurnTimes;

const MAX_TURNS = 16;

export class TurnTimeline {
  private readonly turns = new Map<number, Partial<Record<TurnStep, number>>>();

  /** The first time counts. */
  mark(turnId: number, step: TurnStep, atMs: number): void {
    let times = this.turns.get(turnId);
    if (times === undefined) {
      times = {};
      this.turns.set(turnId, times);
      const oldest = this.turns.keys().next();
      if (this.turns.size > MAX_TURNS && oldest.done !== true) this.turns.delete(oldest.value);
    }
    times[step] ??= Math.round(atMs * 10) / 10;
  }

  get(turnId: number): TurnTimes {
    return this.turns.get(turnId) ?? {};
  }

  /** Every step relative to the end of the caller's speech; empty when there was none. */
  stagesOf(turnId: number): Record<string, number> {
    const { speechEndMs, ...steps } = this.get(turnId);
    if (speechEndMs === undefined) return {};
    return Object.fromEntries(
      Object.entries(steps).map(([step, atMs]) => [step, Math.round((atMs - speechEndMs) * 10) / 10]),
    );
  }
}
