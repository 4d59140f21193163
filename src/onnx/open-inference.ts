/**
 * Models that run on a server, by the Open Inference Protocol (KServe V2, REST, with its binary tensor extension): Triton, MLServer
 * and others speak it. A model there is a session like one that is loaded here: its signature is checked before the first use, and
 * every request is bounded in time and size.
 */
import { z } from 'zod';
import { TrunklineError } from '../core/errors';
import { decodeAnswer, encodeRequest, HEADER_LENGTH, type NamedTensor, typeOf } from './inference-messages';
import {
  type ElementType,
  type GraphServer,
  type OnnxSession,
  type SessionOptions,
  signatureProblems,
  type Tensors,
} from './session';
import { Tensor } from './tensors';

export interface InferenceServer {
  /** Up to where `/v2` begins. */
  readonly url: string;
  readonly token?: string | undefined;
  /** By the graph's label, `whisper-base/encoder.onnx`: the model's name there, or `name/version`. */
  readonly models: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** What a graph's longest answer takes, many times over. */
const mostAnswerBytes = 64 * 1_048_576;

const serverSchema = z.object({ name: z.string(), extensions: z.array(z.string()).nullish() });
const metadataTensor = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()) });
const metadataSchema = z.object({
  name: z.string(),
  versions: z.array(z.string()).nullish(),
  inputs: z.array(metadataTensor).nullish(),
  outputs: z.array(metadataTensor).nullish(),
});

export class OpenInference implements GraphServer {
  private binary: Promise<boolean> | undefined;

  constructor(private readonly server: InferenceServer) {}

  /** Undefined: that graph is not on the server. */
  open(label: string, expect: SessionOptions['expect']): Promise<OnnxSession> | undefined {
    const placed = this.server.models[label];
    if (placed === undefined) return undefined;
    const [model = '', version] = placed.split('/');
    return this.openModel(label, model, version, expect);
  }

  /** Whether tensors may travel as bytes; as JSON they are ten times as long. */
  private async knowsBinary(label: string): Promise<boolean> {
    const { body } = await this.ask(label, '/v2', { method: 'GET' });
    const told = serverSchema.safeParse(parsed(body));
    if (!told.success) throw badAnswer(label, 'its description of itself cannot be read');
    return told.data.extensions?.includes('binary_tensor_data') === true;
  }

  private async openModel(
    label: string,
    model: string,
    version: string | undefined,
    expect: SessionOptions['expect'],
  ): Promise<OnnxSession> {
    const name = encodeURIComponent(model);
    const path = `/v2/models/${name}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}`;
    this.binary ??= this.knowsBinary(label);
    const binary = await this.binary;
    const { body } = await this.ask(label, path, { method: 'GET' });
    const metadata = metadataSchema.safeParse(parsed(body));
    if (!metadata.success) throw badAnswer(label, 'its description of the model cannot be read');
    const { inputs, outputs, versions } = metadata.data;
    if (version !== undefined && versions?.length && !versions.includes(version)) {
      throw unexpected(label, [`there is no version ${version}, but ${versions.join(', ')}`]);
    }
    const problems = signatureProblems(
      { inputs: (inputs ?? []).map(metadataOf), outputs: (outputs ?? []).map(metadataOf) },
      expect,
    );
    if (problems.length > 0) throw unexpected(label, problems);
    return new RemoteSession(
      (inputs ?? []).map((tensor) => tensor.name),
      (outputs ?? []).map((tensor) => tensor.name),
      async (feeds, wanted) => {
        const { body: request, headerBytes } = encodeRequest(feeds, wanted, binary);
        const answer = await this.ask(label, `${path}/infer`, {
          method: 'POST',
          headers:
            headerBytes === undefined
              ? { 'content-type': 'application/json' }
              : { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(headerBytes) },
          body: request,
        });
        return decodeAnswer(answer.body, answer.headerBytes, (what) => badAnswer(label, what));
      },
      label,
    );
  }

  /** One request, its whole answer; whatever goes wrong is a coded error. */
  private async ask(
    label: string,
    path: string,
    init: RequestInit,
  ): Promise<{ body: Uint8Array; headerBytes?: number }> {
    const { url, token, timeoutMs } = this.server;
    const headers = { ...init.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${url.replace(/\/+$/, '')}${path}`, {
        ...init,
        headers,
        signal,
        redirect: 'error',
      });
      const body = await bounded(response, label);
      if (!response.ok) throw refused(label, response.status, body);
      const headerBytes = response.headers.get(HEADER_LENGTH);
      return { body, ...(headerBytes === null ? {} : { headerBytes: Number(headerBytes) }) };
    } catch (cause) {
      if (cause instanceof TrunklineError) throw cause;
      if (signal.aborted) {
        throw new TrunklineError(
          'remote.timeout',
          `The inference server did not answer for ${label} in ${timeoutMs} ms.`,
          {
            fix: 'Give it more capacity, bring it nearer, or raise engine.remote.timeoutMs.',
            cause,
          },
        );
      }
      throw new TrunklineError('remote.unreachable', `The inference server cannot be reached for ${label}.`, {
        fix: 'Check engine.remote.url and that the server runs.',
        cause,
      });
    }
  }
}

type Run = (feeds: Tensors, outputs: readonly string[]) => Promise<readonly NamedTensor[]>;

class RemoteSession implements OnnxSession {
  private closed = false;

  constructor(
    readonly inputNames: readonly string[],
    readonly outputNames: readonly string[],
    private readonly infer: Run,
    private readonly label: string,
  ) {}

  async run(feeds: Tensors, fetches?: readonly string[] | Readonly<Record<string, Tensor | null>>): Promise<Tensors> {
    if (this.closed) {
      throw new TrunklineError('onnx.closed', `${this.label} was used after it was closed.`, {
        fix: 'This is a mistake in the program: finish or abort every run before closing the model.',
      });
    }
    const wanted = fetches === undefined ? this.outputNames : isNames(fetches) ? fetches : Object.keys(fetches);
    const answer = new Map((await this.infer(feeds, wanted)).map((tensor) => [tensor.name, tensor]));
    const given = fetches === undefined || isNames(fetches) ? undefined : fetches;
    return Object.fromEntries(
      wanted.map((name) => {
        const tensor = answer.get(name);
        if (tensor === undefined) throw badAnswer(this.label, `the output "${name}" is missing`);
        return [name, this.placed(tensor, given?.[name] ?? undefined)];
      }),
    );
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** Into the caller's own tensor, if it gave one. */
  private placed({ name, type, dims, data }: NamedTensor, into: Tensor | undefined): Tensor {
    if (into === undefined) return new Tensor(type, data, dims);
    const target = into.data;
    const fits = into.type === type && target.length === data.length;
    if (!fits || !(target instanceof Float32Array) || !(data instanceof Float32Array)) {
      throw badAnswer(
        this.label,
        `the output "${name}" is ${type}[${dims.join(',')}], not ${into.type}[${into.dims.join(',')}]`,
      );
    }
    target.set(data);
    return into;
  }
}

function isNames(fetches: readonly string[] | Readonly<Record<string, Tensor | null>>): fetches is readonly string[] {
  return Array.isArray(fetches);
}

/** A free dimension is -1 there, a name in ONNX. */
function metadataOf({ name, datatype, shape }: z.output<typeof metadataTensor>) {
  const type: ElementType | undefined = typeOf(datatype);
  return { name, isTensor: true, type: type ?? datatype, shape: shape.map((dim) => (dim < 0 ? '*' : dim)) };
}

async function bounded(response: Response, label: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > mostAnswerBytes) throw badAnswer(label, 'it is larger than 64 MiB');
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

const errorSchema = z.object({ error: z.string() });

function refused(label: string, status: number, body: Uint8Array): TrunklineError {
  const said = errorSchema.safeParse(parsed(body));
  const why = said.success ? `: ${said.data.error.slice(0, 300)}` : '';
  return new TrunklineError('remote.refused', `The inference server answered ${status} for ${label}${why}.`, {
    fix: 'Check that it has the model of engine.remote.models loaded, and engine.remote.token.',
    details: { status },
  });
}

function badAnswer(label: string, what: string): TrunklineError {
  return new TrunklineError('remote.bad-answer', `The inference server's answer for ${label} is wrong: ${what}.`, {
    fix: 'Check that engine.remote.url names a server of the Open Inference Protocol (KServe V2) and that the model there is the one shipped.',
  });
}

function unexpected(label: string, problems: readonly string[]): TrunklineError {
  return new TrunklineError(
    'remote.unexpected-model',
    `The inference server's model for ${label} is not the one expected: ${problems.join('; ')}.`,
    {
      fix: 'Give the server the files of models/ of this version (docs/remote-engine.md).',
      details: { problems },
    },
  );
}
