/** Puts the embedded endpoint together: control server on loopback with a random secret, endpoint, transports. */
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { OverheardSip } from '../../core/call-trace';
import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/log';
import { ControlServer } from './control-server';
import { Endpoint } from './endpoint';
import { createResolver, type NameServer, systemNames } from './resolver';
import type { BaseTimers } from './sip-timers';
import type { Hop, SipTransport } from './transport';

export interface EmbeddedEndpointOptions {
  readonly transports: readonly SipTransport[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly advertised?: string;
  readonly timers?: BaseTimers;
  readonly admit?: (source: Hop) => boolean;
  readonly hear?: ((source: Hop) => boolean) | undefined;
  readonly shun?: ((userAgent: string | undefined) => boolean) | undefined;
  readonly overhear?: ((message: OverheardSip) => void) | undefined;
  /** The machine's own name servers if left out. */
  readonly names?: NameServer | undefined;
}

export interface EmbeddedEndpoint {
  /** What an application connects to. */
  readonly control: { readonly host: '127.0.0.1'; readonly port: number; readonly secret: string };
  readonly local: readonly Hop[];
  dump(): Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

export async function openEmbeddedEndpoint(options: EmbeddedEndpointOptions): Promise<EmbeddedEndpoint> {
  const { clock, log } = options;
  const secret = randomBytes(24).toString('hex');
  const control = new ControlServer({ secret, clock, log });
  const endpoint = new Endpoint(
    {
      ...options,
      resolve: createResolver({
        names: options.names ?? systemNames(),
        random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
        transports: options.transports.map(({ name }) => name),
      }),
      interfaces: networkInterfaces,
      random: (bytes) => randomBytes(bytes).toString('hex'),
    },
    control,
  );
  try {
    await endpoint.start();
    const port = await control.start(endpoint);
    return {
      control: { host: '127.0.0.1', port, secret },
      local: endpoint.local,
      dump: () => ({ ...endpoint.dump(), control: { ...control.counters } }),
      async stop() {
        await control.stop();
        await endpoint.stop();
      },
    };
  } catch (error) {
    await control.stop();
    await endpoint.stop();
    throw error;
  }
}
