import { PersonaPrompt } from '../../../src/model/brain/persona-prompt';
import type { LanguageContext } from '../../../src/model/parts';

/** A sequence that only counts; every run waits until the test lets it end. */
class CountingContext implements LanguageContext {
  readonly appended: number[][] = [];
  length = 0;
  running = 0;
  disposed = false;
  failing = 0;
  async append(tokenIds: readonly number[]): Promise<Float32Array> {
    expect(this.disposed).toBe(false);
    this.running += 1;
    expect(this.running).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    this.running -= 1;
    if (this.failing > 0) {
      this.failing -= 1;
      throw new Error('no memory');
    }
    this.appended.push([...tokenIds]);
    this.length += tokenIds.length;
    return new Float32Array(0);
  }
  truncate(): void {}
  fork(): LanguageContext {
    return this;
  }
  dispose(): void {
    expect(this.running).toBe(0);
    this.disposed = true;
  }
}

const tokens = Array.from({ length: 100 }, (_, i) => i);

describe('a persona’s prompt', () => {
  it('is read a run at a time, each token once and in order', async () => {
    const context = new CountingContext();
    const prompt = new PersonaPrompt(context, tokens);
    expect(await prompt.step()).toBe(true);
    expect(context.appended).toEqual([tokens.slice(0, 32)]);
    while (await prompt.step());
    expect(context.appended.flat()).toEqual(tokens);
    expect(await prompt.step()).toBe(false);
  });

  it('is read to its end by whoever needs it, also while somebody else steps and a second one waits', async () => {
    const context = new CountingContext();
    const prompt = new PersonaPrompt(context, tokens);
    const step = prompt.step();
    expect(await Promise.all([prompt.whole(), prompt.whole()])).toEqual([context, context]);
    await step;
    expect(context.appended.flat()).toEqual(tokens);
  });

  it('goes on where it was after a run that failed', async () => {
    const context = new CountingContext();
    const prompt = new PersonaPrompt(context, tokens);
    await prompt.step();
    context.failing = 1;
    await expect(prompt.whole()).rejects.toThrow('no memory');
    await prompt.whole();
    expect(context.appended.flat()).toEqual(tokens);
  });

  it('is given back after the run in progress', async () => {
    const context = new CountingContext();
    const prompt = new PersonaPrompt(context, tokens);
    const step = prompt.step();
    await prompt.dispose();
    expect(context.disposed).toBe(true);
    expect(await step).toBe(true);
  });
});
