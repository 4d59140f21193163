import { join } from 'node:path';
import { clicksIn, heardOver, ownBend, wordErrors, wordsOf } from '../../src/bench/loss-bench';
import { readQuestions, spreadOver, utteranceOf } from '../../src/bench/questions';
import { seededRandom } from '../support/signal';

const folder = join(__dirname, '../fixtures/questions');

describe('the measurement of speech over a bad network', () => {
  it('counts words as they are spoken', () => {
    expect(wordErrors(wordsOf('Do you open at 6 pm?'), wordsOf('do you open at six p.m.'))).toBe(0);
    expect(wordErrors(wordsOf('Where can I park?'), wordsOf('Where can I talk?'))).toBe(1);
    expect(wordErrors(['a', 'b', 'c'], [])).toBe(3);
    expect(wordErrors([], ['a', 'b'])).toBe(2);
    expect(wordErrors(['a', 'b', 'c', 'd'], ['b', 'c', 'x', 'd'])).toBe(2);
  });

  it('finds a click where there is one, and none in speech itself', async () => {
    const [question] = readQuestions(folder);
    const spoken = await utteranceOf(folder, question!);
    const [whole] = heardOver('PCMU', [spoken], { loss: 0, jitterMs: 0 }, seededRandom(1)).pieces;
    const own = ownBend('PCMU', spoken);
    expect(clicksIn(whole!, own)).toBe(0);
    const torn = whole!.slice();
    torn.fill(0, torn.length >> 1);
    torn[(torn.length >> 1) + 800] = 30_000;
    expect(clicksIn(torn, own)).toBe(1);
  });

  it.each(['PCMU', 'opus'] as const)('hears no click in %s, however much is lost or late', async (name) => {
    const spoken = await Promise.all(spreadOver(readQuestions(folder), 12).map((each) => utteranceOf(folder, each)));
    for (const loss of [0.03, 0.1, 0.3]) {
      for (const jitterMs of [0, 60]) {
        const { pieces } = heardOver(name, spoken, { loss, jitterMs }, seededRandom(5));
        const clicks = pieces.map((piece, i) => clicksIn(piece, ownBend(name, spoken[i]!)));
        expect({ loss, jitterMs, clicks: clicks.reduce((sum, n) => sum + n, 0) }).toEqual({
          loss,
          jitterMs,
          clicks: 0,
        });
      }
    }
  });
});
