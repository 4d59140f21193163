import fc from 'fast-check';
import { closedBy, countryOf, internationalForm, numberOf } from '../../src/call/destinations';

const rules = (more: Partial<Parameters<typeof closedBy>[1]> = {}) => ({ allow: [], deny: [], ...more });

describe('a target', () => {
  it.each([
    ['+49 (30) 1234-567', '+49301234567'],
    ['sip:+49900123456@trunk.example;user=phone', '+49900123456'],
    ['sip:0049900%31%32%33@trunk.example', '0049900123'],
    ['sip:+4990012345;phone-context=x@trunk.example', '+4990012345'],
    ['tel:+4990012345', '+4990012345'],
    ['sip:*72%230900@trunk.example', '*72#0900'],
    ['alice', undefined],
    ['sip:alice@192.0.2.1', undefined],
  ])('%s is the number %s', (target, number) => {
    expect(numberOf(target)).toBe(number);
  });

  it.each([
    ['0301234567', '49', '+49301234567'],
    ['004930123456', '49', '+4930123456'],
    ['0039030123456', '49', '+39030123456'],
    ['0301234567', '39', '+390301234567'],
    ['9005551234', '1', '+19005551234'],
    ['19005551234', '1', '+19005551234'],
    ['01144900123456', '1', '+44900123456'],
    ['0044900123456', undefined, '+44900123456'],
    ['1000', '49', '1000'],
  ])('%s in +%s is %s', (number, country, form) => {
    expect(internationalForm(number, country)).toBe(form);
  });

  it.each([
    ['+4930123456', '49'],
    ['"Acme" <sip:+12025550199@acme.example>', '1'],
    ['+35315551234', '353'],
    ['+79161234567', '7'],
    ['4930123', undefined],
    [undefined, undefined],
  ])('caller %s is at home in %s', (callerId, country) => {
    expect(countryOf(callerId)).toBe(country);
  });
});

describe('which numbers are closed', () => {
  it.each([
    '+19005551234',
    '0044909123456',
    '+4990012345678',
    '+88213123456',
    '+979123456789',
    '+8816123456',
    '*72',
    '#31#0301234567',
  ])('%s by default, wherever we are', (number) => {
    expect(closedBy(number, rules())).toBeDefined();
    expect(closedBy(number, rules({ country: '49' }))).toBeDefined();
  });

  it.each(['+493012345', '0301234567', '1000', '110', '112'])('not %s at home in Germany', (number) => {
    expect(closedBy(number, rules({ country: '49' }))).toBeUndefined();
  });

  it('other countries once it is known which one is ours, and those of the operator not', () => {
    expect(closedBy('+35312345678', rules())).toBeUndefined();
    expect(closedBy('+35312345678', rules({ country: '49' }))).toBe('+');
    expect(closedBy('0035312345678', rules({ country: '49' }))).toBe('+');
    expect(closedBy('01135312345678', rules({ country: '1' }))).toBe('+');
    const open = rules({ country: '49', allow: ['+353'] });
    expect(closedBy('0035312345678', open)).toBeUndefined();
    expect(closedBy('+44301234567', open)).toBe('+');
  });

  it('a premium number of our own country, however it is dialled', () => {
    for (const number of ['0900123456', '+49900123456', '0049900123456']) {
      expect(closedBy(number, rules({ country: '49' }))).toBe('+49900');
    }
    expect(closedBy('9005551234', rules({ country: '1' }))).toBe('+1900');
  });

  it('by the longest prefix; what is both allowed and denied may be called', () => {
    const given = rules({ country: '49', allow: ['+4990012', '118', '*97'], deny: ['+4930', '11'] });
    expect(closedBy('+49900123456', given)).toBeUndefined();
    expect(closedBy('+49900923456', given)).toBe('+49900');
    expect(closedBy('0301234567', given)).toBe('+4930');
    expect(closedBy('11880', given)).toBeUndefined();
    expect(closedBy('110', given)).toBe('11');
    expect(closedBy('*97', given)).toBeUndefined();
    expect(closedBy('+8821', rules({ allow: ['+'] }))).toBe('+882');
  });

  it('never by an error, whatever the target is', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.constantFrom('1', '49', '353'), { nil: undefined }), (target, country) => {
        const number = numberOf(target);
        if (number !== undefined) closedBy(number, rules({ country }));
      }),
    );
  });

  it('alike however a number is written', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{7,11}$/);
    fc.assert(
      fc.property(digits, fc.constantFrom('1', '49', '353'), (number, country) => {
        const closed = closedBy(`+${number}`, rules({ country }));
        const prefix = country === '1' ? '011' : '00';
        for (const way of [
          `${prefix}${number}`,
          numberOf(`sip:+${number}@x.example`) ?? '',
          numberOf(`+${number.slice(0, 2)} ${number.slice(2)}`) ?? '',
        ]) {
          expect(closedBy(way, rules({ country }))).toBe(closed);
        }
      }),
    );
  });
});
