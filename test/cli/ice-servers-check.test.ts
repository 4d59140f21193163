import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import { checkIceServers, placeOf } from '../../src/cli/ice-servers-check';
import { freePort } from '../support/sipp';
import { startTurnServer, turnServerInstalled } from '../support/turn-server';

describe('the check of ICE servers', () => {
  it.each([
    ['stun:stun.example.net', { host: 'stun.example.net', port: 3478, transport: 'udp' }],
    ['turn:[2001:db8::1]:3479?transport=udp', { host: '2001:db8::1', port: 3479, transport: 'udp' }],
    ['turn:turn.example.net?transport=tcp', { host: 'turn.example.net', port: 3478, transport: 'tcp' }],
    ['turns:turn.example.net', { host: 'turn.example.net', port: 5349, transport: 'tcp' }],
  ])('knows where %s is', (uri, place) => {
    expect(placeOf(uri)).toEqual(place);
  });

  it('makes a place of anything, or none', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        for (const uri of [text, `turn:${text}`]) {
          const place = placeOf(uri);
          if (place !== undefined) expect(place.host).not.toBe('');
        }
      }),
    );
  });

  it('says which server does not answer, and does not take junk for an answer', async () => {
    const junk = createSocket('udp4');
    await new Promise<void>((resolve) => junk.bind(0, '127.0.0.1', resolve));
    junk.on('message', (bytes, from) => {
      for (const answer of [Buffer.alloc(0), Buffer.from('junk'), bytes]) junk.send(answer, from.port, from.address);
    });
    const found = await checkIceServers([
      { urls: `stun:127.0.0.1:${junk.address().port}` },
      { urls: `turn:127.0.0.1:${await freePort()}?transport=tcp` },
    ]);
    junk.close();
    expect(found.map(({ state }) => state)).toEqual(['problem', 'problem']);
    expect(found[0]?.fix).toMatch(/webrtc\.iceServers/);
  });

  (turnServerInstalled() ? it : it.skip)('finds coturn, over UDP and over TCP', async () => {
    const server = await startTurnServer();
    const at = `127.0.0.1:${server.port}`;
    const found = await checkIceServers([
      { urls: `stun:${at}` },
      { urls: `turn:${at}?transport=udp` },
      { urls: `turn:${at}?transport=tcp` },
    ]);
    await server.close();
    expect(found.map(({ state }) => state)).toEqual(['fine', 'fine', 'fine']);
  });
});
