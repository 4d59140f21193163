/**
 * The lines of the dialplan by their names: callers of all routes that name one wait in it together, and whoever serves
 * several lines is rung by one of them at a time.
 */
import type { QueueAction } from '../../dialplan/dialplan';
import { type OtherLines, WaitingLine, type WaitingLineParts } from './waiting-line';

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
    const line = new WaitingLine(action, this.partsOf(action.name), this.othersThan(action.name));
    this.lines.set(action.name, line);
    return line;
  }

  close(): void {
    for (const line of this.lines.values()) line.close();
  }

  private othersThan(name: string): OtherLines {
    const others = () => [...this.lines].filter(([other]) => other !== name).map(([, line]) => line);
    return {
      engaged: (member) => {
        for (const line of others()) line.elsewhere(member, true);
      },
      released: (member) => {
        // A line that takes them up at once tells the ones behind it so.
        for (const line of others())
          if (!others().some(({ engaged }) => engaged.includes(member))) line.elsewhere(member, false);
      },
      elsewhere: (members) => {
        const engaged = new Set(others().flatMap((line) => line.engaged));
        return members.filter((member) => engaged.has(member));
      },
    };
  }

  private forgetIdle(): void {
    const idle = [...this.lines].filter(([, line]) => line.idle);
    for (const [name] of idle.slice(0, Math.max(0, idle.length - maxIdle + 1))) this.lines.delete(name);
  }
}
