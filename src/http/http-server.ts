/** The socket under the app: listens, with or without TLS, and closes in time. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Express } from 'express';
import { TrunklineError } from '../core/errors';
import { systemErrorCode } from '../core/system-error';

export interface HttpListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly maxConnections: number;
}

export interface HttpServer {
  readonly port: number;
  /** Idle connections at once, the others after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export async function listenHttp(app: Express, options: HttpListenOptions): Promise<HttpServer> {
  const server = options.tls === undefined ? createServer(app) : createTlsServer(readCertificate(options.tls), app);
  server.maxConnections = options.maxConnections;
  // A client that trickles its request holds a connection no longer than this.
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  await listen(server, options);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return { port, close: (graceMs) => closeServer(server, graceMs) };
}

function listen(server: Server, { host, port }: HttpListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const code = systemErrorCode(cause);
      const place = `${host}:${port}`;
      if (code === 'EADDRINUSE') {
        reject(
          new TrunklineError('http.port-taken', `The HTTP port ${place} is taken by another program.`, {
            fix: 'Stop that program, or choose another port with TRUNKLINE_HTTP_PORT.',
            cause,
          }),
        );
        return;
      }
      reject(
        new TrunklineError('http.cannot-listen', `HTTP cannot listen on ${place}.`, {
          fix: code === 'EACCES' ? 'Choose a port above 1023.' : 'Set http.host to an address of this machine.',
          cause,
        }),
      );
    });
    server.listen(port, host, () => resolve());
  });
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function readCertificate(tls: { readonly cert: string; readonly key: string }): { cert: Buffer; key: Buffer } {
  try {
    return { cert: readFileSync(tls.cert), key: readFileSync(tls.key) };
  } catch (cause) {
    throw new TrunklineError('http.bad-certificate', 'The certificate or key of http.tls cannot be read.', {
      fix: 'Check the paths, and that the agent may read them.',
      cause,
    });
  }
}
