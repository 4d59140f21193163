import fc from 'fast-check';
import { NumberGuard } from '../../../src/model/brain/number-guard';

// One token a character is enough of a tokenizer here.
const encode = (text: string) => [...text].map((character) => character.charCodeAt(0));
const guard = new NumberGuard(encode);
const allows = (said: string, next: string, facts: string[]) =>
  !guard.forbidden(encode(said), NumberGuard.numbers(facts))(encode(next)[0]!);

describe('NumberGuard', () => {
  const facts = ['A visit costs 120 dollars.', 'We open at 9:30 am.', 'Call 555 0142.'];

  it('lets numbers of the facts be said digit by digit', () => {
    expect(allows('It costs ', '1', facts)).toBe(true);
    expect(allows('It costs 1', '2', facts)).toBe(true);
    expect(allows('It costs 12', '0', facts)).toBe(true);
    expect(allows('It costs 120', ' ', facts)).toBe(true);
    expect(allows('At 9:', '3', facts)).toBe(true);
  });

  it('lets no other number be begun, cut short or run on', () => {
    expect(allows('It costs ', '4', facts)).toBe(false);
    expect(allows('It costs 12', ' ', facts)).toBe(false);
    expect(allows('It costs 120', '0', facts)).toBe(false);
    expect(allows('It costs 12', '5', facts)).toBe(false);
  });

  it('leaves words alone', () => {
    expect(allows('We are ', 'o', [])).toBe(true);
  });

  it('never lets a whole number through that is not in the facts', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9_999), { maxLength: 6 }), fc.nat(9_999), (known, said) => {
        const own = known.map(String);
        const text = `${said} `;
        const through = [...text].every((character, i) => allows(text.slice(0, i), character, own));
        expect(through).toBe(own.includes(String(said)));
      }),
    );
  });
});
