import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getText } from '../../src/webhooks/get-text';
import { makeCertificate } from '../support/certificates';

const authority = makeCertificate({ name: 'Test authority', authority: true });
const identity = makeCertificate({ name: 'localhost', issuer: authority, dnsNames: ['localhost'] });
const policy = { allowPrivate: ['localhost'] };
let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer({ cert: identity.certificate, key: identity.key }, (request, response) => {
    if (request.url === '/good') response.end('a certificate');
    else if (request.url === '/large') response.end('x'.repeat(70_000));
    else if (request.url === '/silent') return;
    else response.writeHead(302, { location: '/good' }).end();
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  base = `https://localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const get = (path: string, timeoutMs = 2_000) => getText(`${base}${path}`, policy, timeoutMs, authority.certificate);

describe('a text that strangers name', () => {
  it('is read', async () => {
    expect(await get('/good')).toBe('a certificate');
  });

  it.each(['/elsewhere', '/large'])('is not read from %s: no redirect, nothing large', async (path) => {
    await expect(get(path)).rejects.toMatchObject({ code: 'webhook.unreachable' });
  });

  it('is not waited for', async () => {
    await expect(get('/silent', 200)).rejects.toThrow();
  });

  it('is not read where it would reach into our own network, or without a trusted certificate', async () => {
    for (const url of [
      base,
      'https://127.0.0.1/',
      'https://169.254.169.254/',
      'https://[::1]/',
      'https://[::ffff:10.0.0.1]/',
    ]) {
      await expect(getText(url, { allowPrivate: [] }, 2_000)).rejects.toMatchObject({ code: 'webhook.private-target' });
    }
    for (const url of ['http://localhost/', 'https://user@localhost/', 'file:///etc/passwd']) {
      await expect(getText(url, policy, 2_000)).rejects.toMatchObject({ code: 'webhook.unreachable' });
    }
    await expect(getText(`${base}/good`, policy, 2_000)).rejects.toThrow();
  });
});
