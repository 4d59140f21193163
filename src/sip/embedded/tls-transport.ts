/**
 * SIP over TLS, 1.2 and later (RFC 3261 §26.2, RFC 5922): our certificate to whoever connects, theirs checked against the
 * authorities we trust and the name we looked up when we connect.
 */
import { isIP, type Server, type Socket } from 'node:net';
import { checkServerIdentity, connect, createServer, type PeerCertificate } from 'node:tls';
import { TrunklineError } from '../../core/errors';
import type { Logger } from '../../core/log';
import { type ListenAt, StreamTransport } from './stream-transport';
import type { TlsCredentials, TlsMaterial } from './tls-credentials';
import { type Hop, hopKey } from './transport';

const handshakeWithinMs = 10_000;

export class TlsTransport extends StreamTransport {
  readonly name = 'tls';
  protected readonly connectedEvent = 'secureConnect';
  private readonly handshakes = { refusedIn: 0, refusedOut: 0 };

  constructor(
    listenAt: ListenAt,
    private readonly credentials: TlsCredentials,
    private readonly log: Logger,
  ) {
    super(listenAt);
  }

  protected createServer(accept: (socket: Socket) => void): Server {
    const server = createServer(
      { ...serverOptions(this.credentials.material), handshakeTimeout: handshakeWithinMs },
      accept,
    );
    this.credentials.onChange((material) => server.setSecureContext(serverOptions(material)));
    server.on('tlsClientError', (error, socket) => {
      this.handshakes.refusedIn++;
      const { remoteAddress } = socket;
      this.log.debug('a TLS handshake failed', { code: 'sip.tls-handshake', remoteAddress, error: error.message });
    });
    return server;
  }

  protected connect(to: Hop): Socket {
    const { cert, key, trust } = this.credentials.material;
    const named = to.host !== undefined && isIP(to.host) === 0 ? to.host : undefined;
    return connect({
      host: to.address,
      port: to.port,
      ...(named === undefined ? {} : { servername: named }),
      // Asked for by trunks that know us by our certificate.
      cert,
      key,
      ...(trust === undefined ? {} : { ca: [...trust] }),
      minVersion: 'TLSv1.2',
      checkServerIdentity: (_host, certificate) => identityFault(named ?? to.address, certificate),
    });
  }

  /** A certificate that was good for one name says nothing about another. */
  protected override keyOf(to: Hop): string {
    return to.host === undefined ? hopKey(to) : `${hopKey(to)}|${to.host.toLowerCase()}`;
  }

  protected override explain(error: Error, to: Hop): Error {
    const because = untrusted(error);
    if (because === undefined) return error;
    this.handshakes.refusedOut++;
    const place = to.host ?? to.address;
    const explained = new TrunklineError(
      'sip.tls-untrusted',
      `The certificate of ${place} is not trusted: ${because}.`,
      {
        fix: 'Name its authority in sip.tls.trust, or call the server by the name in its certificate.',
        cause: error,
        details: { address: to.address, port: to.port },
      },
    );
    this.log.warn('a TLS server is not trusted', { code: explained.code, place, because });
    return explained;
  }

  override dump(): Readonly<Record<string, number>> {
    return { ...super.dump(), ...this.handshakes, ...this.credentials.counters };
  }
}

/** What `createServer` and `setSecureContext` take. */
export function serverOptions({ cert, key, ca }: TlsMaterial) {
  const mutual = ca !== undefined;
  return { cert, key, ca, requestCert: mutual, rejectUnauthorized: mutual, minVersion: 'TLSv1.2' as const };
}

/** RFC 5922 §7.1: a SIP URI among the names of a certificate counts as much as a DNS name. */
function identityFault(name: string, certificate: PeerCertificate): Error | undefined {
  const fault = checkServerIdentity(name, certificate);
  const uris = (certificate.subjectaltname ?? '').split(', ').filter((one) => one.startsWith('URI:'));
  return uris.some((one) => one.toLowerCase() === `uri:sip:${name.toLowerCase()}`) ? undefined : fault;
}

/** In words, if the certificate is why. */
function untrusted(error: Error): string | undefined {
  const code = 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'it is made out to another name';
    case 'CERT_HAS_EXPIRED':
      return 'it has expired';
    case 'CERT_NOT_YET_VALID':
      return 'it is not valid yet';
    case 'CERT_REVOKED':
      return 'it has been revoked';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'no authority that we know has signed it';
    case 'INVALID_PURPOSE':
      return 'it is not meant for a server';
    default:
      return undefined;
  }
}
