import fc from 'fast-check';
import { MAX_SUMMARY_BYTES, summaryHeaderOf } from '../../src/call/summary-header';

describe('the header of a summary', () => {
  it('lets nobody who speaks or types write a header', () => {
    expect(summaryHeaderOf('Caller 1.\r\nX-Evil: 1\r\n\r\nv=0')).toBe('Caller 1. X-Evil: 1 v=0');
    expect(summaryHeaderOf('100 % \0\u2028sure, Zo\u00eb')).toBe('100 %25 %00 sure, Zo%C3%AB');
  });

  it('is printable, bounded, and reads back as the beginning of what was told', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (summary) => {
        const header = summaryHeaderOf(summary);
        expect(header).toMatch(/^[\x20-\x7e]*$/);
        expect(header.length).toBeLessThanOrEqual(MAX_SUMMARY_BYTES);
        const told = Buffer.from(summary.replace(/\s+/gu, ' ').trim(), 'utf8').toString('utf8');
        expect(told.startsWith(decodeURIComponent(header))).toBe(true);
      }),
    );
  });
});
