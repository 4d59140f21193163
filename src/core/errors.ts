/**
 * The one error class of the project: a stable code that programs compare, a plain sentence that people read, and the
 * fix. Codes are `area.what-happened`; docs/errors.md has a row for each, held by test/architecture.test.ts.
 */
export type ErrorCode = `${string}.${string}`;

export interface ErrorOptions {
  /** What to do about it, one sentence. */
  readonly fix?: string;
  readonly cause?: unknown;
  /** Facts a program may want; never caller content or secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class TrunklineError extends Error {
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, sentence: string, options: ErrorOptions = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TrunklineError';
    this.code = code;
    this.fix = options.fix;
    this.details = options.details ?? {};
  }
}

/** True when `error` is ours and has that code. Message texts are never compared. */
export function hasCode(error: unknown, code: ErrorCode): error is TrunklineError {
  return error instanceof TrunklineError && error.code === code;
}
