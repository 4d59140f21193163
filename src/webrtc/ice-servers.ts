/**
 * The STUN and TURN servers of one call, with an account that is good for a while only where the server knows our secret
 * ("A REST API for access to TURN services", draft-uberti-behave-turn-rest-00, which coturn calls `use-auth-secret`).
 */
import { createHmac } from 'node:crypto';

/** As `webrtc.iceServers` has it. */
export interface IceServerConfig {
  /** One URI of RFC 7064 or RFC 7065: `stun:host:port`, `turn:host:port?transport=udp`. */
  readonly urls: string;
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
  /** What the TURN server and we share; then every call has an account of its own. */
  readonly secret?: string | undefined;
  /** How long such an account may open allocations. */
  readonly accountSeconds?: number | undefined;
}

/** As a browser's RTCPeerConnection takes it; nothing in it is worth more than one call where there is a `secret`. */
export interface IceServer {
  readonly urls: string;
  readonly username?: string;
  readonly credential?: string;
}

/** Longer than any call by default: a restart of ICE opens an allocation anew. */
export const defaultAccountSeconds = 7_200;

/** `name` ends up in the server's log, and tells the two sides of a call apart there. */
export function iceServersFor(configured: readonly IceServerConfig[], name: string, nowMs: number): IceServer[] {
  return configured.map(({ urls, username, credential, secret, accountSeconds = defaultAccountSeconds }) => {
    if (secret === undefined) {
      return {
        urls,
        ...(username === undefined ? {} : { username }),
        ...(credential === undefined ? {} : { credential }),
      };
    }
    const account = `${Math.floor(nowMs / 1000) + accountSeconds}:${username ?? name}`;
    return { urls, username: account, credential: createHmac('sha1', secret).update(account).digest('base64') };
  });
}
