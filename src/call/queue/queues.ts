/** The lines of the dialplan by their names: callers of all routes that name one wait in it together. */
import type { QueueAction } from '../../dialplan/dialplan';
import { WaitingLine, type WaitingLineParts } from './waiting-line';

/** Applications may invent names: of lines in which nothing happens so many are remembered, with how long their calls take. */
const maxIdle = 100;

export class Queues {
  private readonly lines = new Map<string, WaitingLine>();

  constructor(private readonly partsOf: (name: string) => WaitingLineParts) {}

  get waiting(): number {
    return [...this.lines.values()].reduce((sum, line) => sum + line.waiting, 0);
  }

  lineFor(action: QueueAction): WaitingLine {
    const known = this.lines.get(action.name);
    if (known !== undefined) {
      known.follow(action);
      return known;
    }
    this.forgetIdle();
    const line = new WaitingLine(action, this.partsOf(action.name));
    this.lines.set(action.name, line);
    return line;
  }

  close(): void {
    for (const line of this.lines.values()) line.close();
  }

  private forgetIdle(): void {
    const idle = [...this.lines].filter(([, line]) => line.idle);
    for (const [name] of idle.slice(0, Math.max(0, idle.length - maxIdle + 1))) this.lines.delete(name);
  }
}
