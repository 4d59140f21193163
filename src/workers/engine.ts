/** Entry point of the model process: wires the protocol to the engine that the control thread asks for. */
import { SystemClock } from '../core/clock';
import { EngineHost } from '../inference/engine-host';
import type { FromEngine, ToEngine } from '../inference/protocol';
import { loadModel } from '../model/load-model';

const MAX_CALLS = 64;

/**
 * Twice: what the first collection finds dead gives its memory back after it. 150 MB of weight files would else lie about
 * until something presses, and an idle agent is not pressed.
 */
function collectGarbage(): void {
  const { gc } = globalThis;
  if (gc === undefined) return;
  setImmediate(() => {
    gc();
    setImmediate(() => gc());
  });
}

const clock = new SystemClock();
const host = new EngineHost({
  load: (config, trace, search) => loadModel({ ...config, search }, trace),
  send: (message: FromEngine) => {
    if (process.connected) process.send?.(message);
  },
  nowMs: () => clock.nowMs(),
  after: (delayMs, run) => clock.after(delayMs, run),
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
  maxCalls: MAX_CALLS,
  tidy: collectGarbage,
});

process.on('message', (message: ToEngine) => {
  host.receive(message);
  if (message.type === 'shutdown') setImmediate(() => process.exit(0));
});
// Whoever started us is gone: no call can be served any more.
process.on('disconnect', () => process.exit(0));
// The terminal's Ctrl-C reaches the whole group; the control thread decides when we end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
