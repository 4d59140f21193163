import { routeByTrunk, routeToUser } from '../../src/sip/trunk-route';

const trunks = [
  { name: 'acme', proxy: 'sbc.example:5070', username: 'u', password: 'p' },
  { name: 'six', proxy: 'sip:[2001:db8::1]' },
  { name: 'bare' },
];

describe('a call by a trunk', () => {
  it('goes to its proxy with its credentials; a number becomes a user there', () => {
    expect(routeByTrunk(trunks, 'acme', '+49301234')).toEqual({
      trunk: 'acme',
      to: 'sip:+49301234@sbc.example:5070',
      proxy: 'sip:sbc.example:5070',
      auth: { username: 'u', password: 'p' },
    });
    expect(routeByTrunk(trunks, 'six', '*31#')).toMatchObject({
      to: 'sip:*31%23@[2001:db8::1]',
      proxy: 'sip:[2001:db8::1]',
    });
  });

  it('keeps a SIP URI as it is, and asks for no credentials that nobody gave', () => {
    expect(routeByTrunk(trunks, 'acme', 'sip:a@b.example').to).toBe('sip:a@b.example');
    expect(routeByTrunk(trunks, 'bare', '100')).toEqual({ trunk: 'bare', to: '100' });
  });

  it('takes the fallback while the trunk does not answer, with all that is its own', () => {
    const pair = [
      { name: 'first', proxy: 'a.example', callerId: '+491', fallback: 'second' },
      { name: 'second', proxy: 'b.example', callerId: '+492', fallback: 'first', codecs: ['PCMA' as const] },
    ];
    const down = (...names: string[]) => routeByTrunk(pair, 'first', '100', undefined, (name) => !names.includes(name));
    expect(down()).toMatchObject({ trunk: 'first', proxy: 'sip:a.example' });
    expect(down('first')).toEqual({
      trunk: 'second',
      to: 'sip:100@b.example',
      proxy: 'sip:b.example',
      from: 'sip:+492@b.example',
      codecs: ['PCMA'],
    });
    // Where there is another, it is told for the case that the first one fails.
    expect(down().alternatives).toEqual([down('first')]);
    // Nobody answers: the one that was asked for.
    expect(down('first', 'second').trunk).toBe('first');
  });

  it('says who we are as the order says, else as the trunk does, in its domain', () => {
    const own = [
      { name: 't', proxy: 'sbc.example:5070', callerId: '+491', domain: 'acme.example', codecs: ['PCMA' as const] },
    ];
    expect(routeByTrunk(own, 't', '100')).toMatchObject({ from: 'sip:+491@acme.example', codecs: ['PCMA'] });
    expect(routeByTrunk(own, 't', '100', '+492').from).toBe('sip:+492@acme.example');
    expect(routeByTrunk(own, 't', '100', '"Me" <sip:me@x>').from).toBe('"Me" <sip:me@x>');
    expect(routeByTrunk([{ ...own[0]!, domain: undefined }], 't', '100').from).toBe('sip:+491@sbc.example');
  });

  it('is refused when there is no such trunk', () => {
    expect(() => routeByTrunk(trunks, 'none', '100')).toThrow(expect.objectContaining({ code: 'call.unknown-trunk' }));
  });
});

describe('a call to a softphone', () => {
  const contact = { uri: 'sip:a@192.0.2.1', proxy: 'sip:198.51.100.1:5062;transport=tcp' };
  const users = {
    isUser: (name: string) => name === 'alice' || name === 'away',
    contactsOf: (name: string) => (name === 'alice' ? [contact] : []),
  };

  it('rings its contacts by the way they registered', () => {
    const places = [{ to: contact.uri, proxy: contact.proxy }];
    expect(routeToUser(users, 'alice')).toEqual({ to: 'sip:alice@localhost', places });
    expect(routeToUser(users, 'sip:alice@localhost')?.places).toEqual(places);
  });

  it('is no matter of ours for other names and places', () => {
    for (const to of ['bob', 'sip:alice@example.com', 'sip:alice@localhost:5070']) {
      expect(routeToUser(users, to)).toBeUndefined();
    }
  });

  it('is refused when no phone is there', () => {
    expect(() => routeToUser(users, 'away')).toThrow(expect.objectContaining({ code: 'sip.no-contact' }));
  });
});
