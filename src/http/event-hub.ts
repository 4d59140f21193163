/** Passes each event on to whoever listens; one listener's failure is not another's. */
import type { CallEvent } from '../core/call-event';
import type { EventFeed } from './ports';

export class EventHub implements EventFeed {
  private readonly receivers = new Set<(event: CallEvent) => void>();
  /** Listeners that threw: their defect, counted here. */
  failures = 0;

  subscribe(receive: (event: CallEvent) => void): () => void {
    this.receivers.add(receive);
    return () => {
      this.receivers.delete(receive);
    };
  }

  publish(event: CallEvent): void {
    for (const receive of this.receivers) {
      try {
        receive(event);
      } catch {
        this.failures += 1;
      }
    }
  }
}
