/** The newest words of a call, as they were told to the world: what a colleague is told of it before taking it over. */
import type { CallEvent } from '../core/call-event';

export interface Said {
  readonly by: 'caller' | 'agent';
  readonly text: string;
}

const MAX_TURNS = 20;

export class Dialogue {
  private readonly turns: Said[] = [];

  note(event: CallEvent): void {
    if (event.type === 'turn.user') this.add('caller', event.data.text);
    else if (event.type === 'turn.agent') this.add('agent', event.data.text);
  }

  get said(): readonly Said[] {
    return this.turns;
  }

  private add(by: Said['by'], text: string): void {
    if (text.trim() === '') return;
    this.turns.push({ by, text: text.trim() });
    if (this.turns.length > MAX_TURNS) this.turns.shift();
  }
}
