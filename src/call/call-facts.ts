/** What is known of a call from outside, and what others are told while it lives. */
import type { MediaStats } from '../media/protocol';
import type { CallCause, CallState } from './call-state';

export interface CallFacts {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly transport: 'sip' | 'webrtc';
  readonly from: string;
  readonly to: string;
  /** What the dialplan is asked about. */
  readonly number: string;
  readonly trunk: string | undefined;
  readonly sipCallId: string | undefined;
  /** Chosen SIP headers: `X-…`, Diversion, P-Asserted-Identity, User-Agent. */
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly startedAt: Date;
}

export interface TranscriptLine {
  readonly role: 'user' | 'agent';
  readonly text: string;
  /** Agent: what the caller heard of it. */
  readonly heardText: string | undefined;
  readonly interrupted: boolean;
  readonly turnId: number;
  readonly at: Date;
}

export interface CallQuality {
  readonly media: MediaStats | undefined;
  readonly turnGapsMs: readonly number[];
  readonly interruptions: number;
}

export interface CallRecord {
  readonly facts: CallFacts;
  readonly state: CallState;
  readonly action: string | undefined;
  readonly answeredAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly cause: CallCause | undefined;
  readonly sipStatus: number | undefined;
  readonly sipReason: string | undefined;
  readonly transcript: readonly TranscriptLine[];
  readonly timeline: readonly TimelineEntry[];
  readonly quality: CallQuality;
}

/** One row of a call's timeline: a turn's waterfall, a digit, a hold. */
export interface TimelineEntry {
  readonly at: Date;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Told in order; must not throw and must not block. */
export interface CallObserver {
  started(record: CallRecord): void;
  ringing(record: CallRecord): void;
  answered(record: CallRecord): void;
  /** A line of the transcript is final. */
  line(record: CallRecord, line: TranscriptLine): void;
  interrupted(record: CallRecord, turnId: number, heardText: string): void;
  digit(record: CallRecord, digit: string, durationMs: number): void;
  failed(record: CallRecord, code: string, message: string): void;
  ended(record: CallRecord): void;
}
