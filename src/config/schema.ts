/** Every key of trunkline.yaml with its default: the one place that says what may be configured. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { answerRulesSchema } from '../core/answer-rules';
import { turnSettingsSchema } from '../core/turn-settings';
import { timeWindowSchema } from '../dialplan/schema';
import { audioSchema, holdSchema } from './sound-schema';

const portNumber = z.int('Expected a port, 1 to 65535.').min(0).max(65_535);

/** Marks a value that `--print-config` and logs must not show. */
const secret = (): z.ZodString => z.string().min(1).meta({ secret: true });

/** `20000-29999`, both ends included. */
const portRange = (range: string) =>
  z
    .string()
    .regex(/^\d{1,5}-\d{1,5}$/, 'Expected a range like 20000-29999.')
    .refine(
      (text) => {
        const [from = 0, to = 0] = text.split('-').map(Number);
        return from >= 1024 && to <= 65_535 && to - from >= 3;
      },
      { error: 'Expected a range of at least four ports within 1024-65535, the smaller first.' },
    )
    .default(range);

const certificate = z.strictObject({
  cert: z.string().describe('Path of a PEM file with the certificate chain.'),
  key: z.string().describe('Path of a PEM file with the private key.'),
  ca: z
    .string()
    .optional()
    .describe('Path of a PEM file; when given, clients must show a certificate of this authority.'),
});

const sipCertificate = certificate.extend({
  trust: z
    .string()
    .optional()
    .describe('Path of a PEM file with authorities of servers we call, beside those that Node knows.'),
});
const srtpPolicy = z.enum(['require', 'prefer', 'off']);

const addressRange = z.string().refine(
  (text) => {
    const [address = '', bits, ...more] = text.split('/');
    const widest = isIP(address) === 6 ? 128 : 32;
    const whole = bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= widest);
    return isIP(address) !== 0 && whole && more.length === 0;
  },
  { error: 'Expected an address or a range like 192.0.2.0/24.' },
);

const sipCodecs = z
  .array(z.enum(['PCMU', 'PCMA', 'G722', 'opus']))
  .min(1)
  .describe('Offered and accepted there, in that order.');

const sip = z.strictObject({
  host: z.string().default('*').describe('Address to listen on; * is every IPv4 and IPv6 address.'),
  port: portNumber.default(5060),
  transports: z
    .array(z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']))
    .min(1)
    .default(['udp', 'tcp']),
  tls: sipCertificate.optional().describe('For tls and wss; read anew when the files change.'),
  tlsPort: portNumber.optional().describe('sip.port + 1 if left out.'),
  wsPort: portNumber.optional().describe('sip.port + 6 if left out.'),
  wssPort: portNumber.optional().describe('sip.port + 7 if left out.'),
  nameServers: z
    .array(z.string())
    .default([])
    .describe('Addresses of name servers for outgoing calls; those of the machine if left out.'),
  advertised: z.string().optional().describe('Address that peers can reach, behind NAT or in a container.'),
  srtp: srtpPolicy
    .default('prefer')
    .describe('require: no call without SRTP; prefer: with it where the far end can; off: plain RTP only.'),
  srtpKeying: z
    .enum(['sdes', 'dtls'])
    .default('sdes')
    .describe(
      'What our own offers use: keys in SDP (RFC 4568) or a DTLS handshake (RFC 5763). Answers take what is offered.',
    ),
  drachtio: z
    .string()
    .regex(/^[^:]+:\d+$/, 'Expected host:port.')
    .optional()
    .describe('A real drachtio-server in place of the embedded endpoint.'),
  drachtioSecret: secret().optional(),
  sessionTimer: z
    .strictObject({
      expiresSeconds: z.int().min(90).max(86_400).default(1800),
      minSeconds: z.int().min(90, 'Expected at least 90: RFC 4028 allows nothing shorter.').max(86_400).default(90),
    })
    .prefault({})
    .describe('How long a call may go without a sign of life in signalling, and the shortest that a far end may ask.'),
  digest: z
    .array(z.enum(['MD5', 'SHA-256']))
    .min(1)
    .default(['MD5'])
    .describe('How callers and softphones are asked for their password, the preferred way first; many know MD5 alone.'),
  scanners: z
    .array(z.string().min(3, 'Expected at least three characters.'))
    .default([
      'friendly-scanner',
      'friendly-request',
      'sipvicious',
      'sip-scan',
      'sundayddr',
      'sipcli',
      'VaxSIPUserAgent',
      'pplsip',
      'SIVuS',
    ])
    .describe('Whose User-Agent has one of these words gets no answer, in any case of letters.'),
  stir: z
    .strictObject({
      trust: z.string().optional().describe('Folder of PEM files: authorities, and certificates of callers.'),
      fetch: z.boolean().default(false).describe('Fetch certificates from where an Identity header says they are.'),
      allowPrivate: z.array(z.string()).default([]).describe('Host names of certificates that may be private.'),
      onInvalid: z.enum(['tell', 'refuse']).default('tell'),
      required: z.boolean().default(false),
      key: z.string().optional().describe('Path of a PEM file with a P-256 key that signs outgoing calls.'),
      certificateUrl: z.url({ protocol: /^https$/, error: 'Expected an https URL.' }).optional(),
      attestation: z.enum(['A', 'B', 'C']).default('C'),
    })
    .optional()
    .describe('STIR/SHAKEN: checking and signing who calls.'),
  registrations: z
    .array(
      z.strictObject({
        name: z.string(),
        registrar: z.string(),
        username: z.string(),
        password: secret(),
        domain: z.string().optional().describe('What stands behind the @; the host of the registrar if left out.'),
        expiresSeconds: z.int().min(30).default(600),
        callerId: z.string().optional().describe('The username if left out.'),
        codecs: sipCodecs.optional(),
      }),
    )
    .default([]),
  trunks: z
    .array(
      z.strictObject({
        name: z.string(),
        addresses: z.array(addressRange).default([]).describe('Addresses or CIDR ranges that calls may come from.'),
        proxy: z.string().optional().describe('Where outgoing calls of this trunk are sent.'),
        qualifySeconds: z
          .number()
          .min(1)
          .max(3600)
          .optional()
          .describe('How often its proxy is asked by OPTIONS whether it is there; never if left out.'),
        fallback: z.string().optional().describe('The trunk or registration that is taken when it takes no call.'),
        username: z.string().optional(),
        password: secret()
          .optional()
          .describe('For calls both ways: theirs are asked for it unless an address says who they are.'),
        srtp: srtpPolicy.optional().describe('For calls from and to this trunk, instead of sip.srtp.'),
        srtpKeying: z.enum(['sdes', 'dtls']).optional(),
        domain: z.string().optional().describe('Of the numbers in From; the host of the proxy if left out.'),
        callerId: z.string().optional().describe('Who we say we are: a number, or a whole From value.'),
        codecs: sipCodecs.optional(),
      }),
    )
    .default([]),
  users: z.array(z.strictObject({ username: z.string(), password: secret() })).default([]),
});

const scopes = ['read', 'control', 'admin'] as const;

const http = z.strictObject({
  host: z
    .string()
    .default('127.0.0.1')
    .describe('On any other address than loopback a token is required for calls from the page.'),
  port: portNumber.default(8080),
  tls: certificate
    .omit({ ca: true })
    .optional()
    .describe('Browsers give the microphone only to https and to localhost.'),
  tokens: z
    .array(
      z
        .strictObject({
          token: z.string().min(16, 'Expected at least 16 characters.').meta({ secret: true }).optional(),
          tokenFile: z
            .string()
            .optional()
            .describe('Path of a file with a token a line, read anew when it changes; several while rotating.'),
          name: z.string().optional(),
          scopes: z.array(z.enum(scopes)).min(1).default(['read']),
        })
        .refine(({ token, tokenFile }) => (token === undefined) !== (tokenFile === undefined), {
          error: 'Expected token or tokenFile.',
        }),
    )
    .default([]),
});

const webrtc = z.strictObject({
  iceServers: z
    .array(
      z
        .strictObject({
          urls: z
            .string()
            .regex(
              /^(?:stuns?|turns?):[^\s,<>"]+$/,
              'Expected one stun: or turn: URI, like turn:turn.example.net:3478.',
            ),
          username: z.string().optional(),
          credential: secret().optional(),
          secret: secret()
            .optional()
            .describe('What the TURN server and we share: every call gets an account of its own, for a while.'),
          accountSeconds: z
            .int()
            .min(60)
            .max(86_400)
            .optional()
            .describe('How long such an account may open allocations; 7200 if left out.'),
        })
        .refine(({ credential, secret: shared }) => credential === undefined || shared === undefined, {
          error: 'Expected credential or secret, not both.',
        }),
    )
    .default([])
    .describe('For both sides of a browser call; of several TURN servers our own side uses the first.'),
  advertised: z.array(z.string()).default([]),
  ports: portRange('30000-30999'),
});

const engine = z.strictObject({
  name: z
    .enum(['omni', 'cascade', 'mini-omni', 'llama-omni', 'remote'])
    .optional()
    .describe('The best that is installed.'),
  models: z.string().default('./models').describe('The folder of the installed weights.'),
  llm: z
    .strictObject({ baseUrl: z.url('Expected a URL.'), model: z.string(), apiKey: secret().optional() })
    .optional()
    .describe('An OpenAI-compatible endpoint that does the thinking.'),
  remote: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/, error: 'Expected an http or https URL.' })
        .describe('A server of the Open Inference Protocol (KServe V2), up to where /v2 begins.'),
      token: secret().optional(),
      models: z
        .record(
          z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+\.onnx$/, 'Expected a graph like whisper-base/encoder.onnx.'),
          z.string().regex(/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)?$/, 'Expected the name of a model, or name/version.'),
        )
        .optional()
        .describe(
          'Which graphs of models/ run there, and under which name; those of docs/remote-engine.md if left out.',
        ),
      timeoutMs: z.int().min(50).max(60_000).default(2_000).describe('For one request.'),
    })
    .optional()
    .describe('For engine.name: remote.'),
  threads: z.int().min(1).max(256).optional(),
  maxCalls: z
    .int()
    .min(1)
    .max(48, 'Expected at most 48: the model process has room for no more.')
    .default(48)
    .describe('Conversations with an agent at a time; more calls are refused with 503 and engine.full.'),
  silenceSeconds: z.number().min(1).max(30).default(4),
});

const webhookEndpoint = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'Expected an http or https URL.' }),
  secrets: z
    .array(secret())
    .min(1, 'Expected at least one secret.')
    .describe('Standard Webhooks: whsec_ and base64; several while rotating.'),
  events: z.array(z.string()).default(['*']).describe('Event types, or prefixes with a star: call.*'),
});

const webhooks = z.strictObject({
  endpoints: z.array(webhookEndpoint).default([]),
  allowPrivate: z.array(z.string()).default([]).describe('Host names that may resolve to private addresses.'),
});

const numberPrefix = z
  .string()
  .regex(/^(\+[0-9]*|[0-9*#]+)$/, 'Expected the beginning of a number, like "+4930" or "0900".');

const outboundCap = (calls: number, perDay: number) =>
  z.strictObject({ calls: z.int().min(0).default(calls), perDay: z.int().min(0).default(perDay) }).prefault({});

const limits = z.strictObject({
  callsPerSourcePerSecond: z
    .number()
    .positive()
    .default(5)
    .describe('New calls and other requests outside of a call, by SIP and by WHIP; four seconds of it at once.'),
  sipMessagesPerSourcePerSecond: z
    .number()
    .positive()
    .default(1_000)
    .describe('SIP messages of any kind; more are dropped unread.'),
  calls: z.int().min(1).default(200),
  callSeconds: z.int().min(1).default(3600),
  httpBodyBytes: z.int().min(1024).default(262_144),
  httpRequestsPerSourcePerSecond: z
    .number()
    .positive()
    .default(200)
    .describe('Requests of one token, or of one address without a token; four seconds of it at once.'),
  httpConnections: z.int().min(1).default(512),
});

export const configSchema = z.strictObject({
  sip: sip.prefault({}),
  rtp: z
    .strictObject({
      ports: portRange('20000-29999'),
      timeoutSeconds: z.number().positive().default(30),
      comfortNoise: z
        .boolean()
        .default(false)
        .describe('Agree that either side describes its silence instead of sending it (RFC 3389).'),
    })
    .prefault({}),
  http: http.prefault({}),
  webrtc: webrtc.prefault({}),
  engine: engine.prefault({}),
  turns: turnSettingsSchema.prefault({}),
  amd: answerRulesSchema.prefault({}),
  outbound: z
    .strictObject({
      hours: z.array(timeWindowSchema).default([]).describe('When we may call people; always, if left out.'),
      queue: z.int().min(1).max(100_000).default(1_000).describe('Calls that may wait for their hours or a retry.'),
      country: z
        .string()
        .regex(/^[1-9][0-9]{0,2}$/, 'Expected a country code of E.164, like "49".')
        .optional()
        .describe('Ours: other countries are closed. As the callerId of a trunk says, if left out.'),
      allow: z.array(numberPrefix).default([]).describe('Numbers that may be called though they would be closed.'),
      deny: z.array(numberPrefix).default([]).describe('Numbers that may not be called.'),
      caps: z
        .strictObject({
          all: outboundCap(100, 2_000),
          trunk: outboundCap(50, 1_000).describe('Of each trunk and registration.'),
          user: outboundCap(5, 200).describe('On calls of each softphone.'),
        })
        .prefault({})
        .describe('Calls by trunks or to telephone numbers: how many at a time and in a day of UTC.'),
    })
    .prefault({}),
  hold: holdSchema,
  audio: audioSchema,
  drain: z.strictObject({ seconds: z.number().min(0).default(60) }).prefault({}),
  dialplans: z.string().default('./dialplans'),
  data: z.string().default('./var'),
  database: z
    .strictObject({
      url: secret()
        .optional()
        .describe('PostgreSQL, in place of the embedded database: postgres://user:password@host/name.'),
      keepDays: z.int().min(1).default(7).describe('How long settled deliveries can be looked at and sent again.'),
    })
    .prefault({}),
  node: z
    .strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9._-]{1,64}$/, 'Expected letters, digits, points, - and _.')
        .optional()
        .describe('Of this agent among those that share `database.url`; host name and a kept id if left out.'),
      leaseSeconds: z
        .number()
        .min(1)
        .max(3600)
        .default(15)
        .describe('After how long without a sign of life the others take over what an agent had.'),
    })
    .prefault({}),
  recording: z
    .strictObject({
      enabled: z.boolean().default(false),
      format: z.enum(['wav', 'ogg']).default('wav').describe('ogg: Ogg Opus, made when the call has ended.'),
      retentionDays: z.int().min(1).default(30),
    })
    .prefault({}),
  retention: z
    .strictObject({
      recordDays: z.int().min(1).default(365).describe('How long records of calls are kept.'),
      transcriptDays: z.int().min(1).default(30).describe('How long what was said and typed is kept in them.'),
    })
    .prefault({}),
  trace: z
    .strictObject({
      sip: z.boolean().default(true).describe('Keep the SIP messages of calls for the console, secrets masked.'),
      rtpPackets: z
        .int()
        .min(0)
        .max(100_000)
        .default(3_000)
        .describe(
          'The newest RTP packets of each call that are kept: their headers, all of them where calls are recorded.',
        ),
      megabytes: z
        .int()
        .min(1)
        .max(4_096)
        .default(32)
        .describe('In memory, for all calls together; the oldest go first.'),
    })
    .prefault({}),
  /** A list is short for `{endpoints: […]}`. */
  webhooks: z.preprocess((value) => (Array.isArray(value) ? { endpoints: value } : value), webhooks.prefault({})),
  limits: limits.prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
      content: z.boolean().default(false).describe('Also log what callers say.'),
    })
    .prefault({}),
});

export type Config = z.output<typeof configSchema>;

/** Reads what `portRange` has checked. */
export function portBounds(range: string): readonly [number, number] {
  const [from = 0, to = 0] = range.split('-').map(Number);
  return [from, to];
}
