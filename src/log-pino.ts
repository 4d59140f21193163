/** Structured logs, one JSON line per event, by pino. The field `content` (what callers say) is dropped unless asked for. */
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import { hiddenFields, hiddenText } from './core/hidden';
import type { LogFields, Logger } from './core/log';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogOptions {
  readonly level: LogLevel;
  /** True: what callers say is logged too. */
  readonly content: boolean;
  /** Values that never reach a line, wherever they stand. */
  readonly secrets?: readonly string[];
  /** Standard error by default: standard output belongs to what a person reads. */
  readonly stream?: DestinationStream;
}

export function createLogger({ level, content, secrets = [], stream }: LogOptions): Logger {
  const dropped = content ? [] : ['content'];
  const sink = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => hiddenFields(fields, secrets, dropped),
      },
      hooks: {
        logMethod(given, log) {
          const [fields, message] = given;
          log.apply(this, [fields, typeof message === 'string' ? hiddenText(message, secrets) : message]);
        },
      },
    },
    stream ?? destination({ fd: 2, sync: false }),
  );
  return wrap(sink, (fields) => hiddenFields(fields, secrets, dropped));
}

/** What a child is bound to does not pass the formatters. */
function wrap(sink: PinoLogger, hide: (fields: LogFields) => LogFields): Logger {
  return {
    debug: (message, fields) => sink.debug(fields ?? {}, message),
    info: (message, fields) => sink.info(fields ?? {}, message),
    warn: (message, fields) => sink.warn(fields ?? {}, message),
    error: (message, fields) => sink.error(fields ?? {}, message),
    child: (fields: LogFields) => wrap(sink.child(hide(fields)), hide),
  };
}
