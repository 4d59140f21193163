import { StartTrace, shownStages } from '../../src/core/start-trace';

describe('the trace of a start', () => {
  let nowMs = 0;
  beforeEach(() => {
    nowMs = 0;
  });

  it('tells when each stage began and how long it took, also of those that ran beside one another', async () => {
    const trace = new StartTrace(() => nowMs);
    nowMs = 120;
    trace.mark('modules', 0);
    let finish = () => {};
    const models = trace.span('models', () => new Promise<void>((resolve) => (finish = resolve)));
    await trace.span('sip', () => {
      nowMs = 150.4;
    });
    nowMs = 1_000;
    finish();
    await models;
    expect(shownStages(trace.stages)).toEqual({ modules: '0 + 120', sip: '120 + 30', models: '120 + 880' });
  });

  it('passes on what a stage returns or rejects with, and tells that stage too', async () => {
    const trace = new StartTrace(() => nowMs);
    expect(await trace.span('configuration', () => 'read')).toBe('read');
    await expect(trace.span('dialplan', () => Promise.reject(new Error('line 2')))).rejects.toThrow('line 2');
    expect(trace.stages.map(({ stage }) => stage)).toEqual(['configuration', 'dialplan']);
  });
});
