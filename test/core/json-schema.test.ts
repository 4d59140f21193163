import fc from 'fast-check';
import { checkAgainst, schemaFault } from '../../src/core/json-schema';

const order = { type: 'object', properties: { order: { type: 'string', maxLength: 4 } }, required: ['order'] };

describe('the JSON schema of arguments', () => {
  it('is refused with the reason when it is none, or not of an object', () => {
    expect(schemaFault(order)).toBeUndefined();
    expect(
      schemaFault({ ...order, $schema: 'http://json-schema.org/draft-07/schema#', 'x-say': 'digits' }),
    ).toBeUndefined();
    expect(schemaFault({ type: 'string' })).toMatch(/type object/);
    expect(schemaFault({ type: 'object', properties: { a: { type: 'word' } } })).toMatch(/JSON schema/);
    expect(schemaFault({ type: 'object', properties: { a: { $ref: 'https://elsewhere.example/s.json' } } })).toMatch(
      /JSON schema/,
    );
  });

  it('says what is wrong without quoting what was given', () => {
    expect(checkAgainst(order, { order: '4711' })).toEqual({ ok: true, value: { order: '4711' } });
    expect(checkAgainst(order, {})).toEqual({
      ok: false,
      fault: "the arguments must have required property 'order'",
    });
    fc.assert(
      fc.property(fc.string({ minLength: 5 }), (given) => {
        const checked = checkAgainst(order, { order: `<${given}>` });
        expect(checked).toEqual({ ok: false, fault: 'order must NOT have more than 4 characters' });
      }),
    );
  });

  it('takes any JSON without throwing, and leaves what it was given as it is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (given) => {
        const before = JSON.stringify(given);
        const checked = checkAgainst(
          { ...order, properties: { n: { type: 'integer', default: 1 } }, required: [] },
          given as never,
        );
        expect(typeof checked.ok).toBe('boolean');
        expect(JSON.stringify(given)).toBe(before);
      }),
    );
  });
});
