import { EnergyGate, levelDbOf } from '../../src/turn/energy-gate';

describe('the energy gate', () => {
  it('keeps silence from the network, digital or not', () => {
    const gate = new EnergyGate();
    expect(gate.passes(-96, 32)).toBe(false);
    expect(gate.passes(-70, 32)).toBe(false);
  });

  it('lets speech pass over the noise of the line, from the first window', () => {
    expect(new EnergyGate().passes(-30, 32)).toBe(true);
  });

  it('learns a noisy line within seconds and then asks only about what rises above it', () => {
    const gate = new EnergyGate();
    const passed = Array.from({ length: 300 }, () => gate.passes(-50, 32));
    expect(passed[0]).toBe(true);
    expect(passed.at(-1)).toBe(false);
    expect(gate.passes(-40, 32)).toBe(true);
  });

  it('never takes steady speech for noise', () => {
    const gate = new EnergyGate();
    const passed = Array.from({ length: 2_000 }, () => gate.passes(-25, 32));
    expect(passed.every(Boolean)).toBe(true);
  });

  it('measures levels in dBFS', () => {
    expect(levelDbOf(new Int16Array(512))).toBe(-96);
    expect(levelDbOf(new Int16Array(512).fill(3_277))).toBeCloseTo(-20, 1);
  });
});
