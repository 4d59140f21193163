/**
 * What the control thread and the listener thread say to each other. The caller's audio reaches the listener straight
 * from a media thread (`ToListener` in media/protocol.ts), over a port that is handed in here.
 */
import type { MessagePort } from 'node:worker_threads';
import type { VadConfig, VadEvent } from '../turn/vad';

export type ListenerCommand =
  | { readonly type: 'load'; readonly modelsDir: string; readonly vad?: Partial<VadConfig> }
  /** One end of a channel whose other end a media thread got as `attach-listener`. */
  | { readonly type: 'attach-media'; readonly port: MessagePort }
  | { readonly type: 'dump'; readonly requestId: number }
  | { readonly type: 'shutdown' };

/**
 * Everything up to an event's `headSample` that belongs to speech has been posted as `heard` before the event: whoever
 * relays both in order never asks a model about audio that it has not got.
 */
export type ListenerReport =
  | ({ readonly sessionId: string } & VadEvent)
  /** 16 kHz mono: speech with 300 ms before its onset and 300 ms after its end. Gaps between chunks are silence. */
  | { readonly type: 'heard'; readonly sessionId: string; readonly startSample: number; readonly pcm: Int16Array };

export interface ListenerDump {
  readonly sessions: number;
  readonly windows: number;
  /** Windows that the energy gate let through to the network. */
  readonly windowsJudged: number;
  readonly windowsDropped: number;
}

export type FromListener =
  | ListenerReport
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly fix?: string }
  | { readonly type: 'dumped'; readonly requestId: number; readonly dump: ListenerDump };
