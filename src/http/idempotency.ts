/** `Idempotency-Key`: a write that is repeated with the same key and body is done once and answered twice. */
import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { TrunklineError } from '../core/errors';

const lifeMs = 24 * 3_600_000;
/** The oldest gives way. */
const mostKeys = 4096;

export interface WriteAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly location?: string;
}

interface Remembered {
  readonly bodyDigest: string;
  readonly untilMs: number;
  readonly answer: Promise<WriteAnswer>;
}

export class Idempotency {
  private readonly remembered = new Map<string, Remembered>();

  constructor(private readonly nowMs: () => number) {}

  /** Failures are not remembered: trying again is what the key is for. */
  async once(request: Request, tokenName: string, write: () => Promise<WriteAnswer>): Promise<WriteAnswer> {
    const given = request.get('Idempotency-Key');
    if (given === undefined) return write();
    if (!/^[\x21-\x7e]{1,255}$/.test(given)) {
      throw new TrunklineError('http.bad-request', 'The Idempotency-Key is empty, too long or not plain ASCII.', {
        fix: 'Send a random UUID.',
        details: { httpStatus: 400 },
      });
    }
    this.forgetOld();
    const key = `${tokenName}\n${request.method} ${request.originalUrl}\n${given}`;
    const bodyDigest = createHash('sha256')
      .update(JSON.stringify(request.body ?? null))
      .digest('base64');
    const before = this.remembered.get(key);
    if (before !== undefined) {
      if (before.bodyDigest === bodyDigest) return before.answer;
      throw new TrunklineError('http.idempotency-mismatch', 'This Idempotency-Key came before with another body.', {
        fix: 'Use a new key for a new request.',
      });
    }
    const answer = write();
    this.remembered.set(key, { bodyDigest, untilMs: this.nowMs() + lifeMs, answer });
    answer.catch(() => this.remembered.delete(key));
    return answer;
  }

  private forgetOld(): void {
    const now = this.nowMs();
    for (const [key, { untilMs }] of this.remembered) {
      if (untilMs > now && this.remembered.size < mostKeys) break;
      this.remembered.delete(key);
    }
  }
}
