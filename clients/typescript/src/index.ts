/** A client of Trunkline's REST interface: paths, bodies and answers as the OpenAPI document types them (openapi-fetch). */
import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './schema';

export type { components, paths };

export type Call = components['schemas']['Call'];
export type CallAction = components['schemas']['Action'];
export type CallEvent = components['schemas']['Event'];
export type Dial = components['schemas']['Dial'];
export type Turn = components['schemas']['Turn'];
export type Problem = components['schemas']['Problem'];
export type TrunklineClient = Client<paths>;

export interface TrunklineOptions {
  /** `http://localhost:8080`. */
  readonly url: string;
  /** An API token: that of `var/token`, or one of `http.tokens`. */
  readonly token: string;
}

/**
 * Each call resolves with `data`, or with `error`: a problem document whose `code` stays. Rejects only when there was no answer.
 *
 *   const { data, error } = await trunkline.POST('/v1/calls', { body: { to: 'sip:100@192.0.2.7', agent: 'demo' } });
 */
export function createTrunkline({ url, token }: TrunklineOptions): TrunklineClient {
  return createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });
}
