/** What brains look up in documents, asked of the control thread by message; a late answer is as good as none. */
import type { Clock } from '../core/clock';
import type { FoundPassage } from '../core/passage';
import type { FromEngine } from './protocol';

/** The caller waits meanwhile. */
const WAIT_MS = 400;

export class PassageRequests {
  private readonly open = new Map<number, (passages: readonly FoundPassage[]) => void>();
  private last = 0;

  constructor(
    private readonly options: { readonly send: (message: FromEngine) => void; readonly after: Clock['after'] },
  ) {}

  search(knowledge: string, question: string): Promise<readonly FoundPassage[]> {
    this.last += 1;
    const requestId = this.last;
    return new Promise((resolve) => {
      const timer = this.options.after(WAIT_MS, () => this.found(requestId, []));
      this.open.set(requestId, (passages) => {
        timer.cancel();
        resolve(passages);
      });
      this.options.send({ type: 'search', requestId, knowledge, question });
    });
  }

  found(requestId: number, passages: readonly FoundPassage[]): void {
    this.open.get(requestId)?.(passages);
    this.open.delete(requestId);
  }
}
