/** Targets that would reach into our own network (SSRF), and answers that would fill our memory or our time. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { getText } from '../../src/webhooks/get-text';
import { postJson, type TargetPolicy } from '../../src/webhooks/post-json';

const strict: TargetPolicy = {
  allowPrivate: [],
  resolve: async (host) => [{ address: inside[host] ?? '192.0.3.1', family: 4 }],
};
/** Names that lead inside, as an attacker's name server would have them. */
const inside: Readonly<Record<string, string>> = {
  localhost: '127.0.0.1',
  'metadata.google.internal': '169.254.169.254',
  'evil.example': '10.0.0.5',
};
const post = (url: string, policy: TargetPolicy, timeoutMs = 2_000) =>
  postJson({ url, messageId: 'm', body: '{}', secrets: [], timeoutMs, now: new Date(0) }, policy);

describe('a target inside our own network', () => {
  it.each([
    '127.0.0.1',
    '127.1',
    '127.255.255.254',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '0',
    '169.254.169.254',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[fd00::1]',
    '[fe80::1]',
    '①②⑦.⓪.⓪.①',
    'localhost',
    'localhost.',
    'metadata.google.internal',
    'evil.example',
    'public.example@127.0.0.1',
    'public.example:80@127.0.0.1:80',
    '127.0.0.1#@public.example',
    '127.0.0.1\\@public.example',
  ])('is not called as %s', async (host) => {
    const known = {
      ...strict,
      resolve: async (name: string) => [{ address: inside[name.replace(/\.$/, '')] ?? '192.0.3.1', family: 4 }],
    };
    await expect(post(`http://${host}/`, known)).rejects.toMatchObject({ code: 'webhook.private-target' });
    // A user before the @ is refused there as such.
    await expect(getText(`https://${host}/`, known, 2_000)).rejects.toMatchObject({
      code: host.includes('example@') || host.includes(':80@') ? 'webhook.unreachable' : 'webhook.private-target',
    });
  });

  it.each(['file:///etc/passwd', 'gopher://127.0.0.1:25/', 'ftp://x.example/', 'data:text/plain,x', '//x.example/'])(
    'is not called by %s',
    async (url) => {
      await expect(post(url, strict)).rejects.toMatchObject({ code: 'webhook.bad-url' });
    },
  );
});

describe('an answer', () => {
  let server: Server;
  let url: string;
  let answer: (response: ServerResponse) => void;
  const here: TargetPolicy = { allowPrivate: ['127.0.0.1'] };

  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume();
      request.on('end', () => answer(response));
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('that is packed is not unpacked: a bomb stays as small as it came', async () => {
    const bomb = gzipSync(Buffer.alloc(30_000_000, 0x20));
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(bomb);
    };
    expect(bomb.length).toBeLessThan(65_536);
    expect(await post(url, here)).toMatchObject({ status: 200, json: undefined });
  });

  it('that never ends is cut off at 64 KiB, whatever length it states', async () => {
    let sent = 0;
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384, 0x20))) sent += 16_384;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    await expect(post(url, here)).rejects.toMatchObject({ code: 'webhook.answer-too-large' });
    expect(sent).toBeLessThan(100_000_000);
  });

  it('that trickles is given up when its time is over, head and body together', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    };
    await expect(post(url, here, 300)).rejects.toMatchObject({ code: 'webhook.timeout' });
  });

  it('that leads elsewhere is not followed', async () => {
    let asked = 0;
    answer = (response) => {
      asked += 1;
      response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data' }).end();
    };
    expect(await post(url, here)).toMatchObject({ status: 307 });
    expect(asked).toBe(1);
  });
});
