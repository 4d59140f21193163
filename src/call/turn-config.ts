/** The settings of an operator laid over the turn machine's own defaults. */
import type { Tool } from '../core/tool';
import type { TurnSettings } from '../core/turn-settings';
import { DEFAULT_END_OF_TURN, type EndOfTurnConfig, TextualEndOfTurn } from '../turn/end-of-turn';
import { DEFAULT_OVERLAP } from '../turn/overlap-judge';
import type { ToolManner } from '../turn/tool-state';
import { DEFAULT_TURNS, type TurnConfig } from '../turn/turn-state';

/** Time that a filler needs to reach the caller when the silence has become too long. */
const FILLER_LEAD_MS = 500;
/** Silence after a tool was called without a word. */
export const DEFAULT_FILLER_AFTER_MS = 800;
const DEFAULT_IDLE = DEFAULT_TURNS.idle ?? { afterMs: 0, prompts: [], goodbye: '' };

/** `layers`: the general settings first, the persona's after them. `silenceSeconds`: engine.silenceSeconds. `tools`: the persona’s. */
export function turnConfigOf(
  layers: readonly TurnSettings[],
  silenceSeconds = 4,
  tools: readonly Tool[] = [],
): TurnConfig {
  const endOfTurn: EndOfTurnConfig = { ...DEFAULT_END_OF_TURN };
  const config = { ...DEFAULT_TURNS, overlap: { ...DEFAULT_OVERLAP }, idle: { ...DEFAULT_IDLE } };
  for (const layer of layers) {
    const { endOfTurn: waits, interruptions, idle, ...plain } = layer;
    assignDefined(config, plain);
    assignDefined(endOfTurn, waits);
    assignDefined(config.overlap, interruptions);
    assignDefined(config.idle, idle);
  }
  return {
    ...config,
    endOfTurn: new TextualEndOfTurn(endOfTurn),
    silenceMs: Math.max(FILLER_LEAD_MS, silenceSeconds * 1_000 - FILLER_LEAD_MS),
    toolManners: new Map(tools.map((tool) => [tool.name, mannerOf(tool)])),
    toolTimeoutsMs: new Map(tools.map(({ name, timeoutMs }) => [name, timeoutMs])),
    // 0 switches the ladder off: nobody means to be asked without a pause.
    idle: config.idle.afterMs > 0 ? config.idle : undefined,
  };
}

function mannerOf({ fillerAfterMs = DEFAULT_FILLER_AFTER_MS, onBargeIn }: Tool): ToolManner {
  return { fillerAfterMs, cancelled: onBargeIn === 'cancel' };
}

/** As Object.assign, but what is undefined in `from` leaves `to` as it is. */
function assignDefined<T extends object>(to: T, from: Partial<T> | undefined): void {
  for (const [key, value] of Object.entries(from ?? {})) if (value !== undefined) Object.assign(to, { [key]: value });
}
