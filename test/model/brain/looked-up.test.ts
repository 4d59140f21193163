import type { FoundPassage } from '../../../src/core/passage';
import { citedIn, LookedUp, lineOf, quoteOf } from '../../../src/model/brain/looked-up';

const canoe: FoundPassage = {
  file: 'boats.md',
  heading: 'Boats > Prices',
  passage: 'Canoe: first hour 14 dollars, whole day 48 dollars.',
  score: 0.9,
};
const dogs: FoundPassage = { file: 'camping.md', heading: 'Dogs', passage: 'Dogs cost 4 dollars a night.', score: 0.4 };

describe('what an answer rests on', () => {
  it('is the passage whose words it says, and not the one that was merely at hand', () => {
    expect(citedIn('A canoe costs 14 dollars for the first hour.', [canoe, dogs])).toEqual([
      { file: 'boats.md', heading: 'Boats > Prices', passage: canoe.passage },
    ]);
  });

  it('is not the row beside the one that was said', () => {
    const kayak = { ...canoe, passage: 'Kayak: first hour 11 dollars, whole day 36 dollars.' };
    expect(citedIn(canoe.passage, [kayak, canoe]).map(({ passage }) => passage)).toEqual([canoe.passage]);
  });

  it('is nothing where the agent says that it does not have it', () => {
    expect(citedIn('I do not have that information. Shall I connect you?', [canoe, dogs])).toEqual([]);
    expect(citedIn('', [canoe])).toEqual([]);
  });
});

describe('a passage', () => {
  it('is quoted only when it is surely about the question', () => {
    expect(quoteOf([canoe, dogs])).toBe(canoe.passage);
    expect(quoteOf([dogs])).toBeUndefined();
    expect(quoteOf([])).toBeUndefined();
  });

  it('is read with its nearest heading, but not with the number of a page', () => {
    expect(lineOf(dogs)).toBe('Dogs: Dogs cost 4 dollars a night.');
    expect(lineOf({ ...dogs, heading: 'page 3' })).toBe(dogs.passage);
  });
});

describe('looking up', () => {
  it('asks once for a question that is answered twice, and with the one before it when it is short', async () => {
    const asked: string[] = [];
    const search = async (_: string, question: string) => {
      asked.push(question);
      return [canoe];
    };
    const lookedUp = new LookedUp(search, '/documents');
    await lookedUp.for('What does a canoe cost for an hour?');
    await lookedUp.for('What does a canoe cost for an hour?');
    lookedUp.answered('What does a canoe cost for an hour?');
    await lookedUp.for('And a day?');
    expect(asked).toEqual(['What does a canoe cost for an hour?', 'What does a canoe cost for an hour? And a day?']);
  });

  it('finds nothing for a persona without documents', async () => {
    const lookedUp = new LookedUp(async () => [canoe], undefined);
    expect(lookedUp.isPossible).toBe(false);
    expect(await lookedUp.for('What does a canoe cost?')).toEqual([]);
  });
});
