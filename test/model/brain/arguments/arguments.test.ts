/** A decoder that cannot write an invalid call: whatever the schema, whatever the weights, what comes out parses and fits. */
import fc from 'fast-check';
import { checkAgainst, type JsonSchema } from '../../../../src/core/json-schema';
import { Machine } from '../../../../src/model/brain/arguments/grammar';
import { patternGrammar } from '../../../../src/model/brain/arguments/pattern-grammar';
import { saidValues } from '../../../../src/model/brain/arguments/said-values';
import { schemaMachine } from '../../../../src/model/brain/arguments/schema-grammar';
import { TokenTexts } from '../../../../src/model/brain/arguments/token-texts';
import { writeArguments } from '../../../../src/model/brain/arguments/write-arguments';

/** Every printable character, and pieces such as a tokenizer has: across quotes and commas, a part of a character, a control token. */
const vocabulary = [
  ...Array.from({ length: 0x5f }, (_, index) => String.fromCharCode(0x20 + index)),
  ...[
    'é',
    '\n',
    '',
    '\ufffd',
    '{"',
    '":"',
    '","',
    '"}',
    '":',
    ',"',
    '}}',
    'true',
    'fals',
    'null',
    '12',
    '000',
    ' the',
    'ing',
    'order',
    '-',
    '0.',
    '\\"',
    '<|end|>',
    'Smith',
    ' Smith',
  ],
];
const encode = (text: string): number[] => {
  const ids = [...text].map((character) => vocabulary.indexOf(character));
  if (ids.includes(-1)) throw new Error(`no token for ${text}`);
  return ids;
};

/** Random weights: logits that depend on nothing but the seed and the step. */
function write(schema: JsonSchema, seed: number, said?: readonly (string | number)[], most?: number) {
  const compiled = schemaMachine(schema, said);
  if (!compiled.ok) return compiled;
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return writeArguments(
    compiled.machine,
    {
      next: async () => Float32Array.from(vocabulary, () => random()),
      encode,
      tokens: new TokenTexts(([token = -1]) => vocabulary[token] ?? ''),
    },
    most,
  );
}

const name = fc.stringMatching(/^[a-z]{1,6}$/);
const limits = fc.tuple(fc.integer({ min: -300, max: 300 }), fc.integer({ min: 0, max: 500 }));
const leaf: fc.Arbitrary<JsonSchema> = fc.oneof(
  fc.record({ type: fc.constant('string') }),
  fc.nat(9).chain((minLength) => fc.nat(9).map((more) => ({ type: 'string', minLength, maxLength: minLength + more }))),
  fc
    .constantFrom(
      '^[0-9]{4}$',
      '^[A-Z]{2}-\\d{3,6}$',
      '^(am|pm)$',
      '^\\+?[1-9][0-9]*$',
      '^\\w+( \\w+)?$',
      '^[^0-9"]{2}$',
      '^a"b?$',
    )
    .map((pattern) => ({ type: 'string', pattern })),
  fc
    .uniqueArray(fc.oneof(fc.string({ unit: 'grapheme-ascii' }), fc.integer(), fc.boolean(), fc.constant(null)), {
      minLength: 1,
      maxLength: 4,
    })
    .map((values) => ({ enum: values })),
  fc.constantFrom('boolean', 'integer', 'number', 'null').map((type) => ({ type })),
  fc.tuple(fc.constantFrom('integer', 'number'), limits).map(([type, [minimum, width]]) => ({
    type,
    minimum,
    maximum: minimum + width,
  })),
  limits.map(([above, width]) => ({ type: 'integer', exclusiveMinimum: above, exclusiveMaximum: above + width + 2 })),
  fc
    .tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: 1, max: 50, noNaN: true }))
    .map(([minimum, width]) => ({ type: 'number', minimum, maximum: minimum + width })),
);
const { object } = fc.letrec<{ any: JsonSchema; object: JsonSchema }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2 },
    leaf,
    tie('object'),
    fc.record({ type: fc.constant('array'), items: leaf, minItems: fc.nat(2) }),
  ),
  object: fc.dictionary(name, tie('any'), { maxKeys: 4 }).chain((properties) =>
    fc.record({
      type: fc.constant('object'),
      properties: fc.constant(properties),
      required: fc.subarray(Object.keys(properties)),
      additionalProperties: fc.boolean(),
      description: fc.string(),
    }),
  ),
}));

describe('arguments that a model writes', () => {
  it('parse and fit their schema, whatever it is and whatever the weights', async () => {
    await fc.assert(
      fc.asyncProperty(object, fc.integer(), async (schema, seed) => {
        const written = await write(schema, seed);
        if (typeof written !== 'string') throw new Error(`not written: ${JSON.stringify(written)}`);
        expect(checkAgainst(schema, JSON.parse(written))).toMatchObject({ ok: true });
      }),
    );
  });

  it('end within the budget, or in the shortest way where that is longer', async () => {
    await fc.assert(
      fc.asyncProperty(object, fc.integer(), fc.nat(100), async (schema, seed, most) => {
        const compiled = schemaMachine(schema);
        if (!compiled.ok) throw new Error('not compiled');
        const machine = compiled.machine;
        const written = await write(schema, seed, undefined, most);
        expect(String(written).length).toBeLessThanOrEqual(Math.max(most, machine.distance(machine.start)));
      }),
    );
  });

  it('are what the caller said, where words are at hand', async () => {
    const schema = {
      type: 'object',
      properties: {
        order: { type: 'string', pattern: '^[0-9]{4}$' },
        name: { type: 'string', maxLength: 30 },
        seats: { type: 'integer', maximum: 12 },
        when: { enum: ['morning', 'evening'] },
      },
      required: ['order', 'name', 'seats', 'when'],
    };
    const said = saidValues('My name is John Smith, order 4 7 1 1, for 3 people.');
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const written = JSON.parse(String(await write(schema, seed, said)));
        expect(written).toMatchObject({ order: '4711', when: expect.stringMatching(/^(morning|evening)$/) });
        expect(said).toContain(written.name);
        expect([3, 4, 7, 1]).toContain(written.seats);
      }),
    );
    expect(schemaMachine(schema, saidValues('Where is my order?'))).toEqual({ ok: false, missing: 'order' });
    const optional = { ...schema, required: ['when'] };
    expect(JSON.parse(String(await write(optional, 1, saidValues('Hm.'))))).toMatchObject({ when: expect.any(String) });
  });

  it('are not written for what has no grammar here', () => {
    for (const property of [
      { type: 'string', pattern: '^(?=a)b$' },
      { type: 'string', pattern: 'unanchored' },
      { type: 'string', pattern: '^[0-9]+$', maxLength: 3 },
      { $ref: '#/$defs/x' },
      { anyOf: [{ type: 'string' }] },
      { type: ['string', 'null'] },
      { type: 'number', multipleOf: 3 },
    ]) {
      expect(schemaMachine({ type: 'object', properties: { a: property } })).toMatchObject({ ok: false });
    }
  });

  it('read any pattern as what it matches, or not at all', () => {
    const piece = fc.constantFrom(
      'a',
      '[a-c]',
      '[^x]',
      '\\d',
      '\\w',
      '.',
      '\\.',
      '(a|bc)',
      '(?:x)',
      '{2}',
      '{1,3}',
      '*',
      '+',
      '?',
      '|',
      '[',
      '(',
      '^',
      '\\b',
      '-',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.infiniteStream(fc.nat(94)), (pieces, choices) => {
        const pattern = `^${pieces.join('')}$`;
        const grammar = patternGrammar(pattern);
        if (grammar === undefined) return;
        const expression = new RegExp(pattern, 'u');
        const machine = new Machine(grammar);
        let standing = machine.start;
        let text = '';
        for (const code of choices) {
          if (standing.includes(0) || text.length > 300) break;
          const character = String.fromCharCode(0x20 + code);
          const next = machine.step(standing, character);
          if (next === undefined) continue;
          text += character;
          standing = next;
        }
        if (standing.includes(0)) expect(JSON.parse(`"${text}"`)).toMatch(expression);
      }),
    );
  });
});
