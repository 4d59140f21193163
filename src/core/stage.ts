/**
 * The one shape of a streaming step, after Kyutai's moshi: push something in, get zero or more things out, forget
 * everything on reset. Synchronous; asynchrony lives only at sockets, worker messages and HTTP.
 */
export interface Stage<In, Out> {
  push(input: In): Out[];
  reset(): void;
}
