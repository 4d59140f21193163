/**
 * A loaded ONNX model: opened from a file or from bytes, its input and output names, types and shapes checked before the
 * first use, run with buffers that the caller may own, closed by whoever opened it. The only importer of
 * onnxruntime-node.
 *
 * `run` blocks its thread for as long as the model computes, whatever the promise suggests: call it only where nothing
 * else is waiting (the engine process, the listener worker).
 */
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { TrunklineError } from '../core/errors';

export type ElementType = 'float32' | 'float16' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';

/** What one input or output must look like. `null` is a dimension that may have any size. */
export interface TensorShape {
  readonly type: ElementType;
  readonly dims: readonly (number | null)[];
}

export interface Signature {
  readonly inputs: Readonly<Record<string, TensorShape>>;
  /** Outputs that the caller will read; a model may have more. */
  readonly outputs: Readonly<Record<string, TensorShape>>;
}

export interface SessionOptions {
  /** Threads inside one operator, 1 if not given. */
  readonly threads?: number;
  readonly expect: Signature;
  /** Shown in errors, such as `whisper-base/encoder.onnx`. */
  readonly label?: string;
  /**
   * With more than one thread: let waiting threads spin. Faster by a little, but a spinning thread takes a whole core
   * from the media thread, so it is off.
   */
  readonly spin?: boolean;
  /** Further settings by their ONNX Runtime key, for example `session.use_device_allocator_for_initializers`. */
  readonly config?: Readonly<Record<string, string>>;
}

export type Tensors = Readonly<Record<string, Tensor>>;

export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * `fetches`: names of the outputs that are wanted, or tensors that the model fills in place (their shapes must be
   * exactly the outputs'). Nothing given: all outputs, newly allocated.
   */
  run(feeds: Tensors, fetches?: readonly string[] | Readonly<Record<string, Tensor | null>>): Promise<Tensors>;
  /** Frees the model. Idempotent. */
  close(): Promise<void>;
}

/** Where graphs may run instead of here. */
export interface GraphServer {
  /** Undefined: that graph is not there. `label`: as in `SessionOptions`. */
  open(label: string, expect: Signature): Promise<OnnxSession> | undefined;
}

let graphServer: GraphServer | undefined;

/** From now on every graph that `server` has is opened there; a process has one engine. Undefined: all are opened here. */
export function openGraphsAt(server: GraphServer | undefined): void {
  graphServer = server;
}

/** Opens `source` (a path, or the bytes of an .onnx file), or the same graph on a server, and holds it to `options.expect`. */
export async function openSession(source: string | Uint8Array, options: SessionOptions): Promise<OnnxSession> {
  const label = options.label ?? (typeof source === 'string' ? source : 'a model in memory');
  const elsewhere = graphServer?.open(label, options.expect);
  if (elsewhere !== undefined) return elsewhere;
  const settings: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.threads ?? 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    extra: nested({ 'session.intra_op.allow_spinning': options.spin === true ? '1' : '0', ...options.config }),
  };
  let session: InferenceSession;
  try {
    session = await create(source, settings);
  } catch (cause) {
    throw new TrunklineError('onnx.load-failed', `${label} could not be loaded: ${sentence(cause)}`, {
      cause,
      fix: 'Run `npx trunkline models verify`; a file that is intact but not loadable needs another onnxruntime-node.',
    });
  }
  try {
    const problems = signatureProblems(
      { inputs: session.inputMetadata, outputs: session.outputMetadata },
      options.expect,
    );
    if (problems.length > 0) {
      throw new TrunklineError(
        'onnx.unexpected-signature',
        `${label} is not the model expected: ${problems.join('; ')}.`,
        {
          fix: 'Weights and program belong to different versions: check out both from one commit.',
          details: { problems },
        },
      );
    }
  } catch (error) {
    await session.release();
    throw error;
  }
  return new LoadedSession(session, label);
}

/** The runtime's overloads take one kind of source each. */
function create(source: string | Uint8Array, settings: InferenceSession.SessionOptions): Promise<InferenceSession> {
  return typeof source === 'string'
    ? InferenceSession.create(source, settings)
    : InferenceSession.create(source, settings);
}

class LoadedSession implements OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  private session: InferenceSession | undefined;
  private running = 0;

  constructor(
    session: InferenceSession,
    private readonly label: string,
  ) {
    this.session = session;
    this.inputNames = session.inputNames;
    this.outputNames = session.outputNames;
  }

  async run(feeds: Tensors, fetches?: readonly string[] | Readonly<Record<string, Tensor | null>>): Promise<Tensors> {
    const session = this.session;
    if (session === undefined) {
      throw new TrunklineError('onnx.closed', `${this.label} was used after it was closed.`, {
        fix: 'This is a mistake in the program: finish or abort every run before closing the model.',
      });
    }
    this.running++;
    try {
      if (fetches === undefined) return await session.run(feeds);
      return await session.run(feeds, isNames(fetches) ? [...fetches] : fetches);
    } catch (cause) {
      throw new TrunklineError('onnx.run-failed', `${this.label} failed while running: ${sentence(cause)}`, {
        cause,
        fix: 'This is a mistake in the program or a lack of memory; the cause has the runtime’s own words.',
      });
    } finally {
      this.running--;
      if (this.session === undefined && this.running === 0) await session.release();
    }
  }

  async close(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    // A run in progress still needs the memory: then the last one to end releases it.
    if (session !== undefined && this.running === 0) await session.release();
  }
}

function isNames(fetches: readonly string[] | Readonly<Record<string, Tensor | null>>): fetches is readonly string[] {
  return Array.isArray(fetches);
}

type FoundTensor =
  | { readonly name: string; readonly isTensor: false }
  | {
      readonly name: string;
      readonly isTensor: boolean;
      readonly type: string;
      readonly shape: readonly (number | string)[];
    };

/** What keeps a model from being the one expected, as sentences without a point. */
export function signatureProblems(
  found: { readonly inputs: readonly FoundTensor[]; readonly outputs: readonly FoundTensor[] },
  expect: Signature,
): string[] {
  return [
    ...differences('input', found.inputs, expect.inputs),
    ...differences('output', found.outputs, expect.outputs),
  ];
}

/** Every input must be expected, since each has to be fed; further outputs may be left alone. */
function differences(
  side: 'input' | 'output',
  found: readonly FoundTensor[],
  expected: Readonly<Record<string, TensorShape>>,
): string[] {
  const problems: string[] = [];
  for (const [name, shape] of Object.entries(expected)) {
    const value = found.find((candidate) => candidate.name === name);
    if (value === undefined) problems.push(`${side} "${name}" is missing`);
    else if (!('type' in value)) problems.push(`${side} "${name}" is no tensor`);
    else if (value.type !== shape.type || !dimsFit(value.shape, shape.dims)) {
      const wanted = shape.dims.map((dim) => dim ?? '*').join(',');
      problems.push(`${side} "${name}" is ${value.type}[${value.shape.join(',')}], expected ${shape.type}[${wanted}]`);
    }
  }
  if (side === 'input') {
    for (const value of found) if (!(value.name in expected)) problems.push(`input "${value.name}" was not expected`);
  }
  return problems;
}

/** A fixed size in the model must be the one expected; a free one in the model fits any expectation. */
function dimsFit(found: readonly (number | string)[], expected: readonly (number | null)[]): boolean {
  if (found.length !== expected.length) return false;
  return found.every((dim, i) => {
    const wanted = expected[i];
    return wanted === null || typeof dim === 'string' || dim === wanted;
  });
}

/** The runtime takes its settings as nested objects: {'a.b': '1'} becomes {a: {b: '1'}}. */
function nested(flat: Readonly<Record<string, string>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(flat)) {
    const steps = key.split('.');
    const last = steps.pop();
    let node = root;
    for (const step of steps) {
      const next: Record<string, unknown> = isRecord(node[step]) ? node[step] : {};
      node[step] = next;
      node = next;
    }
    if (last !== undefined) node[last] = value;
  }
  return root;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function sentence(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
