/** The socket under the app. */
import express from 'express';
import { listenHttp } from '../../src/http/http-server';
import { isLoopbackAddress, isLoopbackHost } from '../../src/http/loopback';

describe('listenHttp', () => {
  const options = { host: '127.0.0.1', port: 0, maxConnections: 10 };

  it('says that a port is taken, and how to get another', async () => {
    const server = await listenHttp(express(), options);
    await expect(listenHttp(express(), { ...options, port: server.port })).rejects.toMatchObject({
      code: 'http.port-taken',
      fix: expect.stringContaining('TRUNKLINE_HTTP_PORT'),
    });
    await server.close(0);
  });

  it('says what is wrong with an address or a certificate', async () => {
    await expect(listenHttp(express(), { ...options, host: '192.0.2.250' })).rejects.toMatchObject({
      code: 'http.cannot-listen',
    });
    const tls = { cert: '/nowhere.pem', key: '/nowhere.pem' };
    await expect(listenHttp(express(), { ...options, tls })).rejects.toMatchObject({ code: 'http.bad-certificate' });
  });

  it('closes although a client never ends its request', async () => {
    const app = express();
    app.get('/', () => {});
    const server = await listenHttp(app, options);
    const request = fetch(`http://127.0.0.1:${server.port}/`).catch(() => 'cut');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close(50);
    expect(await request).toBe('cut');
  });
});

describe('loopback', () => {
  it.each(['localhost', 'localhost:8080', '127.0.0.1:80', '127.1.2.3', '[::1]:8080', '::1', 'LOCALHOST'])(
    '%s is this machine',
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );

  it.each(['', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1', '[::2]', '0.0.0.0', '*'])(
    '%s is not',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );

  it('knows an IPv4 address in IPv6 clothes', () => {
    expect(isLoopbackAddress('::ffff:127.0.0.1')).toBe(true);
    expect(isLoopbackAddress('::ffff:10.0.0.1')).toBe(false);
    expect(isLoopbackAddress(undefined)).toBe(false);
  });
});
