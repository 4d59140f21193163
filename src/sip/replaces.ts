/** The Replaces header: which call a new INVITE takes the place of (RFC 3891 §6.1). */
import { parseParams } from './header-values';

export interface Replaces {
  readonly callId: string;
  /** The tag of whoever receives the header. */
  readonly toTag: string;
  readonly fromTag: string;
  /** Only if that call has not been answered. */
  readonly earlyOnly: boolean;
}

/** A dialog as its two ends know it. */
export interface DialogName {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

export function parseReplaces(value: string | undefined): Replaces | undefined {
  const text = (value ?? '').trim();
  const semicolon = text.indexOf(';');
  if (semicolon <= 0 || text.length > 1024) return undefined;
  const params = parseParams(text.slice(semicolon));
  const toTag = params?.get('to-tag') ?? '';
  const fromTag = params?.get('from-tag') ?? '';
  const callId = text.slice(0, semicolon).trim();
  if (params === undefined || toTag === '' || fromTag === '' || /\s/.test(callId)) return undefined;
  return { callId, toTag, fromTag, earlyOnly: params.has('early-only') };
}

/** What a third party has to send to the far end of that dialog, to take our place in it. */
export function replacesUs({ callId, localTag, remoteTag }: DialogName): string {
  return `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
}

export function isReplaced({ callId, localTag, remoteTag }: DialogName, replaces: Replaces): boolean {
  return callId === replaces.callId && localTag === replaces.toTag && remoteTag === replaces.fromTag;
}
