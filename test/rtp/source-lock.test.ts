import { SourceLock } from '../../src/rtp/source-lock';

const phone = { address: '192.0.2.1', port: 4000 };
const natted = { address: '198.51.100.7', port: 61_000 };
const attacker = { address: '203.0.113.66', port: 4000 };
const packet = (sequenceNumber: number, ssrc = 1) => ({ ssrc, sequenceNumber });

describe('the source lock', () => {
  it('believes the address of the SDP at once', () => {
    const lock = new SourceLock();
    lock.expect(phone);
    expect(lock.judge(phone, packet(5), 0)).toBe('locked');
    expect(lock.judge(phone, packet(6), 20)).toBe('accepted');
    expect(lock.locked).toEqual(phone);
  });

  it('believes another address of a host that signalling knows after three packets in sequence, across the wrap', () => {
    const lock = new SourceLock();
    lock.expect(phone, natted.address);
    expect(lock.judge(natted, packet(65_534), 0)).toBe('foreign');
    expect(lock.judge(natted, packet(65_535), 20)).toBe('foreign');
    expect(lock.judge(natted, packet(0), 40)).toBe('locked');
    expect(lock.destination).toEqual(natted);
  });

  it('believes a host of which nobody spoke after ten, and only if the far end is not there first', () => {
    const lock = new SourceLock();
    lock.expect(phone);
    for (let i = 0; i < 9; i++) expect(lock.judge(attacker, packet(i), i * 20)).toBe('foreign');
    expect(lock.judge(phone, packet(77), 190)).toBe('locked');
    for (let i = 9; i < 100; i++) {
      lock.judge(phone, packet(77 + i), i * 20);
      expect(lock.judge(attacker, packet(i), i * 20)).toBe('foreign');
    }
    const alone = new SourceLock();
    alone.expect(phone);
    for (let i = 0; i < 9; i++) alone.judge(natted, packet(i), i * 20);
    expect(alone.judge(natted, packet(9), 180)).toBe('locked');
  });

  it('gives the lock back to the address of the SDP when a stranger was quicker', () => {
    const lock = new SourceLock();
    lock.expect(phone);
    for (let i = 0; i < 10; i++) lock.judge(attacker, packet(i), i);
    expect(lock.locked).toEqual(attacker);
    const decisions = [1, 2, 3].map((number) => lock.judge(phone, packet(number), 300));
    expect(decisions).toEqual(['foreign', 'foreign', 'locked']);
    for (let i = 10; i < 500; i++) {
      lock.judge(phone, packet(i), i * 20);
      expect(lock.judge(attacker, packet(i), i * 20)).toBe('foreign');
    }
  });

  it('learns a phone behind a NAT although strangers spray in between', () => {
    const lock = new SourceLock();
    lock.expect(phone, natted.address);
    for (let i = 0; i < 2; i++) {
      lock.judge(natted, packet(i), i * 20);
      for (let k = 0; k < 8; k++) expect(lock.judge(attacker, packet(k), i * 20 + k)).toBe('foreign');
    }
    expect(lock.judge(natted, packet(2), 40)).toBe('locked');
  });

  it('does not believe a sprayer who never counts on', () => {
    const lock = new SourceLock();
    lock.expect(phone);
    for (let i = 0; i < 100; i++) expect(lock.judge(attacker, packet((i * 977) & 0xffff), i)).toBe('foreign');
    for (let i = 0; i < 100; i++) expect(lock.judge(attacker, packet(i, i), i)).toBe('foreign');
    expect(lock.judge(phone, packet(1), 200)).toBe('locked');
  });

  it('hears nobody else while the locked source speaks', () => {
    const lock = new SourceLock();
    lock.expect(phone);
    lock.judge(phone, packet(1), 0);
    for (let i = 0; i < 500; i++) {
      lock.judge(phone, packet(i + 2), i * 20);
      expect(lock.judge(attacker, packet(i), i * 20)).toBe('foreign');
    }
    expect(lock.destination).toEqual(phone);
  });

  it('opens to nobody unknown when the locked source falls silent, as on hold', () => {
    const lock = new SourceLock();
    lock.expect(phone, natted.address);
    lock.judge(phone, packet(1), 0);
    for (let i = 0; i < 1000; i++) expect(lock.judge(attacker, packet(i), 6000 + i * 20)).toBe('foreign');
    expect(lock.destination).toEqual(phone);
  });

  it('follows a known host to another port when the locked source has been silent for five seconds', () => {
    const lock = new SourceLock();
    lock.expect(phone, natted.address);
    lock.judge(phone, packet(1), 0);
    expect(lock.judge(natted, packet(1), 4000)).toBe('foreign');
    expect([5001, 5021, 5041].map((ms, i) => lock.judge(natted, packet(2 + i), ms))).toEqual([
      'foreign',
      'foreign',
      'locked',
    ]);
  });

  it('opens for a new SDP, and stays shut for the same one again', () => {
    const lock = new SourceLock();
    lock.expect(phone, natted.address);
    for (let i = 0; i < 3; i++) lock.judge(natted, packet(i), i);
    lock.expect({ ...phone });
    expect(lock.locked).toEqual(natted);
    const moved = { address: '192.0.2.1', port: 5000 };
    lock.expect(moved);
    expect(lock.locked).toBeUndefined();
    expect(lock.destination).toEqual(moved);
    expect(lock.judge(natted, packet(9), 100)).toBe('foreign');
    expect(lock.judge(moved, packet(9), 100)).toBe('locked');
  });
});
