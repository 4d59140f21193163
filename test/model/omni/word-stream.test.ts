import fc from 'fast-check';
import type { SpokenWord } from '../../../src/model/omni/sentence-features';
import { type Speaker, WordStream } from '../../../src/model/omni/word-stream';

/** Spells instead of pronouncing. */
const speller: Speaker = {
  pronounce: async (tokens) => tokens.map((token) => ({ token, phonemes: token.text, joined: false })),
};

interface Told {
  readonly word: SpokenWord;
  readonly ahead: readonly string[];
  readonly written: string | undefined;
}

async function drain(stream: WordStream, into: Told[]): Promise<void> {
  for (let next = await stream.next(); next !== undefined; next = await stream.next()) {
    into.push({ word: next.word, ahead: next.ahead.map((word) => word.phonemes), written: next.written });
  }
}

async function feed(parts: readonly string[]): Promise<Told[]> {
  const stream = new WordStream(speller, 2);
  const told: Told[] = [];
  for (const part of parts) {
    stream.push(part);
    await drain(stream, told);
  }
  stream.finish();
  await drain(stream, told);
  expect(stream.done).toBe(true);
  return told;
}

const line = (told: readonly Told[]) =>
  told.map(({ word }) => `${word.phonemes}${word.pauseAfter ?? ''}${word.end ?? ''}`).join(' ');

describe('streamed text as words', () => {
  it('hands a word out once two more are whole', async () => {
    const stream = new WordStream(speller, 2);
    const told: Told[] = [];
    stream.push('We open at noon');
    await drain(stream, told);
    // "noon" may still become "noontime".
    expect(line(told)).toBe('we');
    expect(told[0]!.ahead).toEqual(['open', 'at']);
    stream.push(' today');
    await drain(stream, told);
    expect(line(told)).toBe('we open');
    stream.finish();
    await drain(stream, told);
    expect(line(told)).toBe('we open at noon today.');
  });

  it('ends sentences at their marks and begins anew behind them', async () => {
    expect(line(await feed(['Yes, we do. Are you', ' coming? Good!']))).toBe('yes, we do. are you coming? good!');
  });

  it('does not take an abbreviation or a price for an end', async () => {
    const told = await feed(['Dr. Lee is in. It costs $2.50 today.']);
    expect(told.filter(({ word }) => word.end !== undefined)).toHaveLength(2);
    expect(told.map(({ written }) => written).filter((word) => word !== undefined)).toEqual(
      'Dr. Lee is in. It costs $2.50 today.'.split(' '),
    );
  });

  it('says the same whatever the cuts, for plain words', async () => {
    const words = fc.array(fc.constantFrom('we', 'open,', 'at', 'noon.', 'today', 'and', 'gladly!', 'help'), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(words, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (given, cuts) => {
        const text = given.join(' ');
        const parts: string[] = [];
        for (let at = 0, nth = 0; at < text.length; nth += 1) {
          parts.push(text.slice(at, at + cuts[nth % cuts.length]!));
          at += cuts[nth % cuts.length]!;
        }
        expect(line(await feed(parts))).toBe(line(await feed([text])));
      }),
      { numRuns: 60 },
    );
  });

  it('takes any text whatever and comes to an end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ maxLength: 30, unit: 'binary' }), { maxLength: 8 }), async (parts) => {
        const told = await feed(parts);
        for (const { ahead } of told) expect(ahead.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 150 },
    );
  });

  it('says all the words of a written one that is spoken as several, however it arrives', async () => {
    const text = 'We open from 8 am to 6 pm, it costs $25.50 and needs an ID today.';
    const whole = line(await feed([text]));
    expect(whole).toContain('eight a m to six p m');
    expect(line(await feed(text.split(/(?= )/)))).toBe(whole);
    expect(line(await feed([...text]))).toBe(whole);
  });

  it('cuts a sentence that does not end', async () => {
    const told = await feed(['word '.repeat(60)]);
    expect(told).toHaveLength(60);
    expect(told.findIndex(({ word }) => word.end === ',')).toBe(23);
  });

  it('joins the states of the tokens that a word is made of', async () => {
    const stream = new WordStream(speller, 2);
    stream.push('We open');
    stream.read(0, 2, Float32Array.of(1));
    stream.read(2, 5, Float32Array.of(2));
    stream.read(5, 7, Float32Array.of(4));
    stream.finish();
    const told: Told[] = [];
    await drain(stream, told);
    expect(told.map(({ word }) => word.hidden?.[0])).toEqual([1, 3]);
  });

  it('knows no state of a text that came from elsewhere', async () => {
    expect((await feed(['Hello there.'])).map(({ word }) => word.hidden)).toEqual([undefined, undefined]);
  });
});
