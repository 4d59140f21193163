/**
 * Everything that the control thread and the model process say to each other. One process serves all calls; every
 * message about an answer carries `callId` and `turnId`, and whoever receives one that is not current drops it.
 */
import type { OverlapHeard } from '../core/overlap-heard';
import type { FoundPassage } from '../core/passage';
import type { StartStage } from '../core/start-trace';
import type { AnswerEvent, AnswerInput, Persona } from '../model/omni-model';

export interface EngineConfig {
  readonly name: string;
  readonly modelsDir: string;
  /** ONNX Runtime threads per model step. */
  readonly threads: number;
  readonly llm?: { readonly baseUrl: string; readonly model: string; readonly apiKey?: string };
  /** For the engine `remote`: where some of its graphs run. */
  readonly remote?: {
    readonly url: string;
    readonly token?: string;
    readonly models?: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
  };
}

export type ToEngine =
  | { readonly type: 'load'; readonly config: EngineConfig }
  /** Prepare a persona while nobody needs the engine; answered by `warmed`. */
  | { readonly type: 'warm'; readonly persona: Persona }
  | { readonly type: 'open'; readonly callId: string; readonly persona: Persona }
  | { readonly type: 'hear'; readonly callId: string; readonly startSample: number; readonly pcm: Int16Array }
  | {
      readonly type: 'answer';
      readonly callId: string;
      readonly turnId: number;
      readonly input: AnswerInput;
      /** Begun before the turn was over; served after turns that are. */
      readonly speculative: boolean;
    }
  /** A speculative turn has become the real one. */
  | { readonly type: 'promote'; readonly callId: string; readonly turnId: number }
  | {
      readonly type: 'listen';
      readonly callId: string;
      readonly requestId: number;
      readonly fromSample: number;
      readonly toSample: number;
    }
  | { readonly type: 'cancel'; readonly callId: string; readonly turnId: number }
  | {
      readonly type: 'commit';
      readonly callId: string;
      readonly turnId: number;
      readonly userText: string | undefined;
      readonly heardText: string;
      readonly interrupted: boolean;
    }
  | { readonly type: 'close'; readonly callId: string }
  /** The answer to `search`; best first. */
  | { readonly type: 'found'; readonly requestId: number; readonly passages: readonly FoundPassage[] }
  | { readonly type: 'shutdown' };

export type FromEngine =
  | {
      readonly type: 'ready';
      readonly name: string;
      readonly outputSampleRate: number;
      readonly loadMs: number;
      /** Where the time went, counted from the start of the process. */
      readonly stages: readonly StartStage[];
    }
  /** `failed`: why not; its calls prepare it themselves. */
  | { readonly type: 'warmed'; readonly personaId: string; readonly tookMs: number; readonly failed?: string }
  | { readonly type: 'opened'; readonly callId: string }
  /** A brain looks something up in the documents of `knowledge`. */
  | { readonly type: 'search'; readonly requestId: number; readonly knowledge: string; readonly question: string }
  | { readonly type: 'answer-event'; readonly callId: string; readonly turnId: number; readonly event: AnswerEvent }
  | { readonly type: 'cancelled'; readonly callId: string; readonly turnId: number }
  | ({ readonly type: 'listened'; readonly callId: string; readonly requestId: number } & OverlapHeard)
  | {
      readonly type: 'failed';
      readonly callId: string | undefined;
      readonly turnId: number | undefined;
      readonly code: string;
      readonly message: string;
      readonly fix?: string;
    };
