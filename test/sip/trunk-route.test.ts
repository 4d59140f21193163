import { routeByTrunk } from '../../src/sip/trunk-route';

const trunks = [
  { name: 'acme', proxy: 'sbc.example:5070', username: 'u', password: 'p' },
  { name: 'six', proxy: 'sip:[2001:db8::1]' },
  { name: 'bare' },
];

describe('a call by a trunk', () => {
  it('goes to its proxy with its credentials; a number becomes a user there', () => {
    expect(routeByTrunk(trunks, 'acme', '+49301234')).toEqual({
      to: 'sip:+49301234@sbc.example:5070',
      proxy: 'sip:sbc.example:5070',
      auth: { username: 'u', password: 'p' },
    });
    expect(routeByTrunk(trunks, 'six', '*31#')).toEqual({ to: 'sip:*31%23@[2001:db8::1]', proxy: 'sip:[2001:db8::1]' });
  });

  it('keeps a SIP URI as it is, and asks for no credentials that nobody gave', () => {
    expect(routeByTrunk(trunks, 'acme', 'sip:a@b.example').to).toBe('sip:a@b.example');
    expect(routeByTrunk(trunks, 'bare', '100')).toEqual({ to: '100' });
  });

  it('is refused when there is no such trunk', () => {
    expect(() => routeByTrunk(trunks, 'none', '100')).toThrow(expect.objectContaining({ code: 'call.unknown-trunk' }));
  });
});
