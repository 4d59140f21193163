/** The toll guard as calls meet it: which of them count, until when, and what is told on a call when it is refused. */
import type { Logger } from '../core/log';
import type { Call } from './call';
import type { DialOut } from './exchange-parts';
import { isTollRefusal, type TollGuard } from './toll-guard';

export class CallTolls {
  private readonly counted = new Map<string, (() => void)[]>();

  constructor(
    private readonly guard: TollGuard | undefined,
    private readonly find: (callId: string) => Call | undefined,
    private readonly log: Logger,
  ) {}

  /** Before a call is placed; phones that are registered here cost nothing. Throws as the guard does. */
  begin(request: DialOut): (() => void) | undefined {
    return request.places === undefined ? this.guard?.begin(request) : undefined;
  }

  keep(callId: string, ended: (() => void) | undefined): void {
    if (ended !== undefined) this.counted.set(callId, [...(this.counted.get(callId) ?? []), ended]);
  }

  ended(callId: string): void {
    for (const say of this.counted.get(callId) ?? []) say();
    this.counted.delete(callId);
  }

  /** Whether we call there for the far end of that call, which asks for it. */
  mayMove(to: string, callId: string): boolean {
    const { user, trunk } = this.find(callId)?.snapshot ?? {};
    try {
      this.keep(callId, this.guard?.begin({ to, user, trunk }));
      return true;
    } catch (error) {
      this.tell(callId, error);
      return false;
    }
  }

  /** A target that the far end of that call is to call itself. Throws as the guard does, and tells it. */
  checked<Route extends Pick<DialOut, 'to' | 'trunk' | 'places'>>(route: Route, callId: string): Route {
    try {
      if (route.places === undefined) this.guard?.checkDestination(route);
      return route;
    } catch (error) {
      this.tell(callId, error);
      throw error;
    }
  }

  isOpen(to: string): boolean {
    return this.guard?.isOpen(to, undefined) ?? true;
  }

  tell(callId: string, error: unknown): void {
    if (!isTollRefusal(error)) return;
    this.log.warn('a call of ours was refused', { callId, code: error.code });
    this.find(callId)?.tell('error', { code: error.code, message: error.message, fix: error.fix });
  }
}
