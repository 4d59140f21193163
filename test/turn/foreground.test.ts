/** The voice in the telephone, told apart from the room behind it. */
import { Foreground } from '../../src/turn/foreground';
import { seededRandom } from '../support/signal';

const random = seededRandom(3);
/** 64 ms of noise at a level. */
const chunk = (db: number): Int16Array => {
  const amplitude = 32_768 * 10 ** (db / 20) * Math.sqrt(3);
  return Int16Array.from({ length: 1_024 }, () => amplitude * (2 * random() - 1));
};
const at = (index: number): number => index * 1_024;

/** A chunk each, heard as speech from the first to the last. */
function hear(levels: readonly number[]): string[] {
  const foreground = new Foreground();
  const told: string[] = [];
  levels.forEach((db, index) => {
    const headSample = at(index + 1);
    for (const { type, sample } of foreground.hear(at(index), chunk(db)))
      told.push(`${type} ${Math.round(sample / 1_024)}`);
    const type = index === 0 ? 'speech-started' : index === levels.length - 1 ? 'speech-ended' : 'speech-continues';
    for (const event of foreground.push({
      type,
      sample: type === 'speech-ended' ? headSample : 0,
      headSample,
      levelDb: db,
    })) {
      told.push(`${event.type} ${Math.round(event.sample / 1_024)}`);
    }
  });
  return told;
}

const times = (count: number, db: number): number[] => Array.from({ length: count }, () => db);

describe('the voice in front', () => {
  it('is all there is where nobody is behind it', () => {
    expect(hear(times(20, -24))).toEqual(['speech-started 0', 'speech-ended 20']);
  });

  it('has ended when only the room goes on', () => {
    expect(hear([...times(10, -24), ...times(30, -42)])).toEqual(['speech-started 0', 'speech-ended 10']);
  });

  it('has softer syllables, which are no end', () => {
    expect(hear([...times(10, -24), ...times(4, -44), ...times(10, -24)])).toEqual([
      'speech-started 0',
      'speech-ended 24',
    ]);
  });

  it('begins again over the room', () => {
    const told = hear([...times(10, -24), ...times(20, -42), ...times(10, -26)]);
    expect(told).toEqual(['speech-started 0', 'speech-ended 10', 'speech-started 31', 'speech-ended 40']);
  });
});
