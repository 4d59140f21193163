import fc from 'fast-check';
import { endsInLoop, greedyToken } from '../../../src/model/trunk/greedy';

const rules = { firstTextToken: 17, ends: [2, 6, 0], unsaid: [198] };

describe('greedyToken', () => {
  it('takes the likeliest text token', () => {
    const logits = new Float32Array(300).fill(-1);
    logits[250] = 3;
    expect(greedyToken(logits, rules)).toBe(250);
  });

  it('never takes a control token that is no end, nor a line break, however likely', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 200, maxLength: 260 }),
        (values) => {
          const token = greedyToken(Float32Array.from(values), rules);
          return token !== 198 && (token >= 17 || rules.ends.includes(token));
        },
      ),
    );
  });

  it('raises and lowers what the guidance names', () => {
    const logits = new Float32Array(300).fill(-1);
    [logits[250], logits[251], logits[252]] = [3, 2.5, 2];
    expect(greedyToken(logits, rules, { bonus: new Map([[250, -0.7]]) })).toBe(251);
    expect(greedyToken(logits, rules, { bonus: new Map([[250, -0.4]]) })).toBe(250);
    expect(greedyToken(logits, rules, { bonus: new Map([[252, 1.5]]) })).toBe(252);
  });

  it('takes an end when it is the likeliest', () => {
    const logits = new Float32Array(300);
    logits[1] = 9;
    logits[6] = 5;
    expect(greedyToken(logits, rules)).toBe(6);
  });
});

describe('endsInLoop', () => {
  it('sees a phrase said three times', () => {
    expect(endsInLoop([4, 1, 2, 3, 1, 2, 3, 1, 2, 3])).toBe(true);
  });

  it('lets a phrase be said twice, as numbers and names are', () => {
    expect(endsInLoop([1, 2, 3, 1, 2, 3])).toBe(false);
    expect(endsInLoop([5, 5, 5, 5, 6])).toBe(false);
  });
});
