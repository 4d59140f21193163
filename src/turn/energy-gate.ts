/**
 * A gate before the speech network: windows no louder than the line's own noise are called silence without asking it,
 * so that a listening caller costs almost nothing. The noise floor follows the quietest stretches of the call.
 */
export interface EnergyGateConfig {
  /** Below it nothing can be speech, whatever the floor. dBFS. */
  readonly absoluteDb: number;
  /** A window must rise this far above the noise floor to be looked at. */
  readonly marginDb: number;
  /** How fast the floor may rise again, so that a louder line is learnt within seconds. */
  readonly riseDbPerSecond: number;
  /** The floor never climbs above this, or steady speech would become its own noise. */
  readonly highestFloorDb: number;
}

export const DEFAULT_ENERGY_GATE: EnergyGateConfig = {
  absoluteDb: -62,
  marginDb: 4,
  riseDbPerSecond: 3,
  highestFloorDb: -48,
};

const SILENCE_DB = -96;

export class EnergyGate {
  private floorDb: number;

  constructor(private readonly config: EnergyGateConfig = DEFAULT_ENERGY_GATE) {
    this.floorDb = config.absoluteDb;
  }

  get noiseFloorDb(): number {
    return this.floorDb;
  }

  /** True when the window is worth a look. */
  passes(levelDb: number, windowMs: number): boolean {
    const { absoluteDb, marginDb, riseDbPerSecond, highestFloorDb } = this.config;
    const risen = this.floorDb + (riseDbPerSecond * windowMs) / 1_000;
    // Digital silence says nothing about the noise that comes with speech (comfort noise, DTX gaps).
    if (levelDb > SILENCE_DB) this.floorDb = Math.min(highestFloorDb, Math.min(levelDb, risen));
    return levelDb >= absoluteDb && levelDb >= this.floorDb + marginDb;
  }
}

/** Mean level of `pcm` in dBFS, −96 for digital silence. */
export function levelDbOf(pcm: Int16Array): number {
  if (pcm.length === 0) return SILENCE_DB;
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  const mean = sum / pcm.length / (32_768 * 32_768);
  return mean <= 0 ? SILENCE_DB : Math.max(SILENCE_DB, 10 * Math.log10(mean));
}
