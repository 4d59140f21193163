import { ManualClock } from '../../src/core/clock';
import { authorization, parseChallenge } from '../../src/sip/digest';
import { DigestGuard } from '../../src/sip/digest-guard';
import { type RegisterAnswer, Registrar } from '../../src/sip/registrar';

let clock: ManualClock;
let guard: DigestGuard;
let registrar: Registrar;
let sequence = 0;

beforeEach(() => {
  clock = new ManualClock();
  guard = new DigestGuard({
    realm: 'trunkline',
    algorithms: ['MD5'],
    passwords: new Map([
      ['alice', ['secret']],
      ['trunk', ['hush']],
    ]),
    clock,
    random: (bytes) => String(++sequence).padStart(bytes * 2, '0'),
  });
  registrar = new Registrar({ users: ['alice', 'bob'], guard, clock, now: () => new Date(0) });
});

interface Given {
  readonly contact?: string;
  readonly expires?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly to?: string;
  readonly as?: string;
  readonly password?: string;
  readonly source?: { transport: 'udp' | 'ws'; address: string; port: number };
}

function register(given: Given = {}): RegisterAnswer {
  const { as = 'alice', password = 'secret', source = { transport: 'udp', address: '192.0.2.1', port: 5062 } } = given;
  const challenge = parseChallenge(guard.challenge(source.address))!;
  const headers: Record<string, string | undefined> = {
    authorization: authorization(challenge, { username: as, password }, { method: 'REGISTER', uri: 'sip:host' }, 'c'),
    to: given.to ?? '<sip:alice@host>',
    contact: given.contact,
    expires: given.expires,
    'call-id': given.callId ?? 'one',
    cseq: `${given.cseq ?? ++sequence} REGISTER`,
  };
  return registrar.register({ uri: 'sip:host', source, header: (name) => headers[name] });
}

const phone = '<sip:alice@192.0.2.1:5062>';

describe('the registrar', () => {
  it('remembers a contact with the way it came, says for how long, and forgets it then', () => {
    expect(register({ contact: phone, expires: '120' }).headers['Contact']).toBe(`${phone};expires=120`);
    expect(registrar.contactsOf('alice')).toEqual([
      { uri: 'sip:alice@192.0.2.1:5062', proxy: 'sip:192.0.2.1:5062;transport=udp', expiresInSeconds: 120 },
    ]);
    clock.advance(119_000);
    expect(registrar.contactsOf('alice')).toHaveLength(1);
    clock.advance(1_001);
    expect(registrar.contactsOf('alice')).toEqual([]);
  });

  it('answers everybody else with the same 401, whether the name is known or not', () => {
    const answers = [
      register({ password: 'guess', contact: phone }),
      register({ as: 'nobody', contact: phone }),
      // A trunk is no softphone.
      register({ as: 'trunk', password: 'hush', contact: phone }),
    ];
    for (const { status, headers } of answers) {
      expect(status).toBe(401);
      expect(Object.keys(headers)).toEqual(['WWW-Authenticate']);
    }
    expect(registrar.contactsOf('alice')).toEqual([]);
  });

  it('lets nobody register for another', () => {
    expect(register({ to: '<sip:bob@host>', contact: phone }).status).toBe(403);
  });

  it('keeps several phones, newest first, and takes one or all of them out', () => {
    register({ contact: phone, callId: 'one' });
    register({ contact: '<sip:alice@192.0.2.2>', callId: 'two' });
    expect(registrar.contactsOf('alice').map(({ uri }) => uri)).toEqual([
      'sip:alice@192.0.2.2',
      'sip:alice@192.0.2.1:5062',
    ]);
    register({ contact: `${phone};expires=0`, callId: 'one' });
    expect(registrar.contactsOf('alice')).toHaveLength(1);
    expect(register({ contact: '*' }).status).toBe(400);
    expect(register({ contact: '*', expires: '0' })).toMatchObject({ status: 200 });
    expect(registrar.contactsOf('alice')).toEqual([]);
  });

  it('lists them for a REGISTER without Contact', () => {
    register({ contact: `${phone};expires=90` });
    expect(register().headers['Contact']).toBe(`${phone};expires=90`);
  });

  it('replaces the contact of the same instance: a browser has a new one after every reload (RFC 5626)', () => {
    const source = { transport: 'ws', address: '192.0.2.9', port: 4444 } as const;
    const instance = ';+sip.instance="<urn:uuid:00000000-0000-0000-0000-000000000001>";reg-id=1';
    register({ contact: `<sip:a@x.invalid;transport=ws>${instance}`, callId: 'one', source });
    register({ contact: `<sip:b@y.invalid;transport=ws>${instance}`, callId: 'two', source });
    expect(registrar.contactsOf('alice')).toMatchObject([
      { uri: 'sip:b@y.invalid;transport=ws', proxy: 'sip:192.0.2.9:4444;transport=ws' },
    ]);
  });

  it('refuses less than a minute with 423, and grants no more than two hours', () => {
    expect(register({ contact: `${phone};expires=30` })).toEqual({ status: 423, headers: { 'Min-Expires': '60' } });
    expect(register({ contact: `${phone};expires=999999` }).headers['Contact']).toBe(`${phone};expires=7200`);
  });

  it('does not let a late request undo a newer one', () => {
    register({ contact: phone, callId: 'one', cseq: 5 });
    expect(register({ contact: `${phone};expires=0`, callId: 'one', cseq: 4 }).status).toBe(500);
    expect(registrar.contactsOf('alice')).toHaveLength(1);
  });

  it('has a limit to phones, and refuses contacts that are no SIP URI', () => {
    for (let index = 0; index < 10; index++) register({ contact: `<sip:alice@192.0.2.${index}>`, callId: `${index}` });
    expect(register({ contact: '<sip:alice@192.0.2.99>' }).status).toBe(403);
    expect(register({ contact: '<tel:+49301234>' }).status).toBe(400);
    expect(registrar.contactsOf('alice')).toHaveLength(10);
  });
});
