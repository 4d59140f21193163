/** What a media thread and its DTLS thread say to each other. An association belongs to one call. */
import type { DtlsKeys } from './line-protection';
import type { DtlsIdentity, DtlsRole } from './protocol';

export type ToDtls =
  | {
      readonly type: 'open';
      readonly id: number;
      readonly role: DtlsRole;
      readonly fingerprints: readonly string[];
      readonly identity: DtlsIdentity;
    }
  | { readonly type: 'datagram'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: 'close'; readonly id: number };

export type FromDtls =
  | { readonly type: 'send'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: 'keys'; readonly id: number; readonly keys: DtlsKeys }
  | { readonly type: 'failed'; readonly id: number; readonly code: string; readonly message: string };
