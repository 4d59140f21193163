/** Structured logs, one JSON line per event, by pino. The field `content` (what callers say) is dropped unless asked for. */
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import type { LogFields, Logger } from './core/log';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogOptions {
  readonly level: LogLevel;
  /** True: what callers say is logged too. */
  readonly content: boolean;
  /** Standard error by default: standard output belongs to what a person reads. */
  readonly stream?: DestinationStream;
}

/** Wherever they stand in the fields, these never reach a line. */
const secretFields = ['token', 'password', 'secret', 'apiKey', 'authorization', 'credential'];

export function createLogger({ level, content, stream }: LogOptions): Logger {
  const hidden = content ? secretFields : [...secretFields, 'content'];
  const sink = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: hidden.flatMap((name) => [name, `*.${name}`]), remove: true },
    },
    stream ?? destination({ fd: 2, sync: false }),
  );
  return wrap(sink);
}

function wrap(sink: PinoLogger): Logger {
  return {
    debug: (message, fields) => sink.debug(fields ?? {}, message),
    info: (message, fields) => sink.info(fields ?? {}, message),
    warn: (message, fields) => sink.warn(fields ?? {}, message),
    error: (message, fields) => sink.error(fields ?? {}, message),
    child: (fields: LogFields) => wrap(sink.child(fields)),
  };
}
