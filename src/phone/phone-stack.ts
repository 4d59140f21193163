/** Everything that phones of one process share: a SIP user agent, a media thread, and the port on which audio comes in. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Clock } from '../core/clock';
import type { Logger } from '../core/log';
import { MediaRouter } from '../media/media-router';
import { MediaThread } from '../media/media-thread';
import type { ToListener } from '../media/protocol';
import type { CodecName } from '../sip/offer-answer';
import { SdpSession } from '../sip/sdp-session';
import { SrfUserAgent } from '../sip/srf-user-agent';
import { type DialOptions, Phone } from './phone';

export interface PhoneStackOptions {
  readonly mediaEntry: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the phone listens; port 0: any. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly codecs: readonly CodecName[];
  /** A PEM file with authorities of TLS servers, beside those that Node knows. */
  readonly trust?: string | undefined;
}

export class PhoneStack {
  private readonly phones = new Map<string, Phone>();
  private next = 1;

  private constructor(
    private readonly options: PhoneStackOptions,
    private readonly userAgent: SrfUserAgent,
    private readonly thread: MediaThread,
    private readonly router: MediaRouter,
    private readonly audio: MessagePort,
  ) {
    audio.on('message', (message: ToListener) => {
      if (message.type === 'audio') this.phones.get(message.sessionId)?.hear(message.pcm, message.startSample);
    });
  }

  static async open(options: PhoneStackOptions): Promise<PhoneStack> {
    const { clock, log, listen, trust } = options;
    const protocols = ['udp', 'tcp', 'tls'] as const;
    const userAgent = new SrfUserAgent({
      listen,
      protocols,
      tls: { trust },
      clock,
      log,
      userAgentName: 'Trunkline phone',
    });
    await userAgent.start();
    let router: MediaRouter | undefined;
    const thread = MediaThread.start({
      name: 'phone-media',
      entry: options.mediaEntry,
      onMessage: (message) => router?.receive(message),
      onDied: (error) => router?.failAll('media.thread-died', error.message),
    });
    router = new MediaRouter(thread);
    const { port1, port2 } = new MessageChannel();
    thread.post({ type: 'attach-listener', port: port1 }, [port1]);
    return new PhoneStack(options, userAgent, thread, router, port2);
  }

  async dial(options: DialOptions): Promise<Phone> {
    const sessionId = `phone-${this.next}`;
    this.next += 1;
    const { clock, codecs } = this.options;
    const negotiation = new SdpSession({ sessionId: String(this.next), address: options.bindAddress, codecs });
    const link = this.router.open(sessionId);
    const phone = await Phone.dial({ userAgent: this.userAgent, link, negotiation, clock }, options);
    this.phones.set(sessionId, phone);
    return phone;
  }

  async close(): Promise<void> {
    this.audio.close();
    await this.userAgent.stop();
    await this.thread.close();
  }
}
