import { ManualClock } from '../../src/core/clock';
import { silentLogger } from '../../src/core/log';
import { type RegisterOutcome, Registration, type SentRegister } from '../../src/sip/registration';

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const challenge = (nonce: string, more = ''): Reply => ({
  status: 401,
  headers: { 'www-authenticate': `Digest realm="r", nonce="${nonce}", qop="auth", algorithm=SHA-256${more}` },
});

class Trunk {
  readonly clock = new ManualClock();
  readonly heard: SentRegister[] = [];
  /** What it answers next; the last one for ever. */
  replies: (Reply | 'silent')[] = [{ status: 200 }];
  readonly registration: Registration;

  constructor(random = 0) {
    this.registration = new Registration({
      account: {
        name: 't',
        registrar: 'sip:reg.example;transport=tcp',
        username: 'me',
        password: 'p',
        expiresSeconds: 600,
      },
      send: async (request) => this.answer(request),
      localPort: () => 5070,
      clock: this.clock,
      now: () => new Date(0),
      log: silentLogger,
      random: () => random,
      cnonce: () => 'c',
      line: 'feed',
    });
  }

  header(index: number, name: string): string | undefined {
    return this.heard.at(index)?.headers[name];
  }

  private answer(request: SentRegister): RegisterOutcome {
    this.heard.push(request);
    const reply = this.replies.length > 1 ? this.replies.shift()! : this.replies[0]!;
    if (reply === 'silent') throw Object.assign(new Error('silent'), { code: 'sip.unreachable' });
    return {
      status: reply.status,
      address: '192.0.2.5',
      sent: (name) => ({ 'call-id': 'abc', from: '<sip:me@reg.example>;tag=1' })[name],
      header: (name) => reply.headers?.[name],
    };
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

async function started(replies: Trunk['replies'], random = 0): Promise<Trunk> {
  const trunk = new Trunk(random);
  trunk.replies = replies;
  trunk.registration.start();
  await settle();
  return trunk;
}

describe('a registration at a trunk', () => {
  it('says who and where we are, marked so that calls to it are known', async () => {
    const trunk = await started([{ status: 200 }]);
    expect(trunk.heard[0]).toMatchObject({ uri: 'sip:reg.example', proxy: 'sip:reg.example;transport=tcp' });
    expect(trunk.header(0, 'Contact')).toBe('<sip:me@localhost:5070;transport=tcp;line=feed>;expires=600');
    expect(trunk.header(0, 'To')).toBe('<sip:me@reg.example>');
    expect(trunk.registration.status).toMatchObject({ state: 'registered', expiresAt: '1970-01-01T00:10:00.000Z' });
    expect([...trunk.registration.addresses]).toEqual(['192.0.2.5']);
  });

  it.each([
    [0, 0.5],
    [0.9999, 0.85],
  ])('is refreshed between half and 85 percent of what was granted (drawn %s)', async (random, share) => {
    const contact = '<sip:other@x>;expires=7, <sip:me@192.0.2.1:5070;transport=tcp;line=feed>;expires=100';
    const trunk = await started([{ status: 200, headers: { contact } }], random);
    trunk.clock.advance(share * 100_000 - 100);
    await settle();
    expect(trunk.heard).toHaveLength(1);
    trunk.clock.advance(200);
    await settle();
    expect(trunk.heard).toHaveLength(2);
    expect(trunk.header(1, 'CSeq')).toBe('2 REGISTER');
    expect(trunk.header(1, 'Call-ID')).toBe('abc');
    expect(trunk.header(1, 'From')).toBe('<sip:me@reg.example>;tag=1');
  });

  it('answers a challenge, answers the next REGISTER ahead of it, and takes a newer nonce when that one is stale', async () => {
    const trunk = await started([challenge('n1'), { status: 200 }, challenge('n2', ', stale=true'), { status: 200 }]);
    expect(trunk.header(0, 'Authorization')).toBeUndefined();
    expect(trunk.header(1, 'Authorization')).toMatch(/nonce="n1".*nc=00000001/);
    trunk.clock.advance(300_000);
    await settle();
    expect(trunk.header(2, 'Authorization')).toMatch(/nonce="n1".*nc=00000002/);
    expect(trunk.header(3, 'Authorization')).toMatch(/nonce="n2".*nc=00000001/);
    expect(trunk.registration.status).toMatchObject({ state: 'registered', failures: 0 });
  });

  it('asks for the shortest time the registrar takes (423)', async () => {
    const trunk = await started([{ status: 423, headers: { 'min-expires': '1800' } }, { status: 200 }]);
    expect(trunk.header(1, 'Expires')).toBe('1800');
    expect(trunk.registration.status.expiresAt).toBe('1970-01-01T00:30:00.000Z');
  });

  it('gives a wrong password up at the second challenge and waits longer each time, up to ten minutes', async () => {
    const trunk = await started([challenge('n')], 0.9999);
    expect(trunk.heard).toHaveLength(2);
    expect(trunk.registration.status).toMatchObject({ state: 'waiting', lastError: 'sip.registration-refused' });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      const before = trunk.heard.length;
      let seconds = 0;
      while (trunk.heard.length === before && seconds < 2000) {
        trunk.clock.advance(1000);
        seconds++;
        await settle();
      }
      waits.push(seconds);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
  });

  it('waits as long as Retry-After says', async () => {
    const trunk = await started([{ status: 503, headers: { 'retry-after': '120' } }, { status: 200 }]);
    trunk.clock.advance(119_000);
    await settle();
    expect(trunk.heard).toHaveLength(1);
    trunk.clock.advance(1_000);
    await settle();
    expect(trunk.registration.status.state).toBe('registered');
  });

  it('goes on when the registrar does not answer at all', async () => {
    const trunk = await started(['silent', { status: 200 }]);
    expect(trunk.registration.status).toMatchObject({ state: 'waiting', lastError: 'sip.unreachable', failures: 1 });
    trunk.clock.advance(5_000);
    await settle();
    expect(trunk.registration.status).toMatchObject({ state: 'registered', lastError: undefined });
  });

  it('is taken back at the end, and asks for nothing more', async () => {
    const trunk = await started([challenge('n'), { status: 200 }]);
    await trunk.registration.close();
    expect(trunk.header(-1, 'Contact')).toMatch(/;expires=0$/);
    expect(trunk.header(-1, 'Authorization')).toMatch(/nc=00000002/);
    const { length } = trunk.heard;
    trunk.clock.advance(10_000_000);
    await settle();
    expect(trunk.heard).toHaveLength(length);
    expect(trunk.registration.status.state).toBe('closed');
  });

  it('ends in time when nobody answers the removal', async () => {
    const trunk = await started([{ status: 200 }]);
    trunk.replies = ['silent'];
    await trunk.registration.close();
    expect(trunk.registration.status.state).toBe('closed');
  });
});
