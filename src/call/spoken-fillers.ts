/** Fillers ("one moment") that were said before the answer of a turn: they were heard, but are no part of the answer. */
interface Filler {
  readonly text: string;
  readonly durationMs: number;
}

export class SpokenFillers {
  private readonly byTurn = new Map<number, Filler>();

  note(turnId: number, filler: Filler): void {
    this.byTurn.set(turnId, filler);
  }

  /** What was played of the answer alone; a filler that was cut in its middle leaves nothing of it. */
  without(turnId: number, played: { readonly playedMs: number; readonly heardText: string }) {
    const filler = this.byTurn.get(turnId);
    if (filler === undefined) return { playedMs: Math.max(0, played.playedMs), heardText: played.heardText };
    return {
      playedMs: Math.max(0, played.playedMs - filler.durationMs),
      heardText: wordsOf(played.heardText).slice(wordsOf(filler.text).length).join(' '),
    };
  }

  forget(turnId: number): void {
    this.byTurn.delete(turnId);
  }
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
