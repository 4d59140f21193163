/**
 * Keeps an allocation at a TURN server alive (RFC 8656 §7.1) with a timer that ends with it: werift's own sleeps on for up to
 * five sixths of the lifetime after a call, asks once more by a closed socket, and asks for no second time in time when one
 * request was lost.
 */
import { classes, Message, methods, TurnProtocol } from 'werift';

/** Of the lifetime, as werift has it. */
const REFRESH_AFTER = 5 / 6;
/** After a refusal or no answer: an allocation of ten minutes is left 100 s. */
const AGAIN_AFTER_MS = 15_000;

let installed = false;

/** Wraps werift's TURN client for the whole thread; a second call does nothing. */
export function installTurnRefreshGuard(): void {
  if (installed) return;
  installed = true;
  const connect = TurnProtocol.prototype.connectionMade;
  TurnProtocol.prototype.connectionMade = function guarded(this: TurnProtocol): Promise<void> {
    // Made by the constructor, hence here; relayed-peer.test.ts does not end if this is called something else.
    Reflect.set(this, 'refresh', (lifetimeSeconds: number) => keepAlive(this, lifetimeSeconds));
    return Reflect.apply(connect, this, []);
  };
}

function keepAlive(turn: TurnProtocol, lifetimeSeconds: number): void {
  let timer: NodeJS.Timeout;
  const refresh = async () => {
    if (turn.transport.closed) return;
    const request = new Message(methods.REFRESH, classes.REQUEST);
    request.setAttribute('LIFETIME', lifetimeSeconds);
    try {
      const [answer] = await turn.requestWithRetry(request, turn.server);
      const granted: unknown = answer.getAttributeValue('LIFETIME');
      wait(REFRESH_AFTER * (typeof granted === 'number' ? granted : lifetimeSeconds) * 1_000);
    } catch {
      wait(AGAIN_AFTER_MS);
    }
  };
  const wait = (delayMs: number) => {
    timer = setTimeout(() => void refresh(), delayMs);
    timer.unref();
  };
  wait(REFRESH_AFTER * lifetimeSeconds * 1_000);
  // What werift calls when the allocation is closed.
  Reflect.set(turn, 'refreshHandle', { resolve: () => clearTimeout(timer) });
}
