/**
 * Notices a control connection that is open but answers no more. drachtio-srf sends pings of its own and looks at no
 * answer; a server that has hung would never be noticed.
 */
import type { Clock, Timer } from '../core/clock';
import type { SrfAgent, SrfSocket } from './srf-types';

export const pingEveryMs = 5000;
const maxUnanswered = 3;

export class ControlLiveness {
  private unanswered = 0;
  private timer: Timer | undefined;
  private socket: SrfSocket | undefined;
  readonly counters = { pingsSent: 0, pongs: 0, connectionsGivenUp: 0 };

  constructor(
    private readonly agent: () => SrfAgent | undefined,
    private readonly clock: Clock,
  ) {}

  start(): void {
    this.timer ??= this.clock.after(pingEveryMs, () => this.tick());
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private tick(): void {
    this.timer = undefined;
    const agent = this.agent();
    const entry = agent === undefined ? undefined : [...agent.mapServer].find(([, state]) => state.authenticated);
    if (agent === undefined || entry === undefined) {
      this.unanswered = 0;
      this.socket = undefined;
    } else {
      const [socket, state] = entry;
      if (socket !== this.socket) this.unanswered = 0;
      this.socket = socket;
      if (this.unanswered >= maxUnanswered) {
        this.counters.connectionsGivenUp++;
        this.unanswered = 0;
        // Closing makes the library connect anew.
        socket.destroy();
      } else {
        this.unanswered++;
        this.counters.pingsSent++;
        const id = agent.wp.send(socket, 'ping');
        state.pendingRequests.set(id, () => {
          this.counters.pongs++;
          this.unanswered = 0;
        });
      }
    }
    this.start();
  }
}
