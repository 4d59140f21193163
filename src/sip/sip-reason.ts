/** The Reason header: why a request was sent, as SIP status or Q.850 cause (RFC 3326 §2). */
import { parseParams, splitValues } from './header-values';

export interface SipReason {
  readonly protocol: string;
  readonly cause: number | undefined;
  readonly text: string | undefined;
}

const maxReasons = 8;

/** Every value that can be read; an unreadable one is left out. */
export function parseReasons(header: string | undefined): SipReason[] {
  const reasons: SipReason[] = [];
  for (const value of (splitValues(header ?? '') ?? []).slice(0, maxReasons)) {
    const semicolon = value.indexOf(';');
    const protocol = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
    const params = semicolon < 0 ? new Map<string, string>() : parseParams(value.slice(semicolon));
    if (protocol === '' || params === undefined) continue;
    const cause = params.get('cause') ?? '';
    reasons.push({
      protocol,
      cause: /^[0-9]{1,3}$/.test(cause) ? Number(cause) : undefined,
      text: params.get('text') || undefined,
    });
  }
  return reasons;
}

/** The Q.850 cause (1 to 127) if one was sent: 16 is normal clearing, 17 busy, 19 no answer. */
export function q850Cause(header: string | undefined): number | undefined {
  const cause = parseReasons(header).find((one) => one.protocol.toUpperCase() === 'Q.850')?.cause;
  return cause !== undefined && cause >= 1 && cause <= 127 ? cause : undefined;
}
