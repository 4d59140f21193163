/**
 * The private leg of a warm hand-over: a colleague who was rung hears the briefing while the caller hears music, and decides by key.
 * A mailbox or an empty chair presses none: after the third briefing the caller is taken back.
 */
import type { CallEndCause } from '../core/call-record';
import type { Clock, Timer } from '../core/clock';
import type { SessionMessage } from '../media/media-router';
import { KEYS } from './briefing';
import type { Performance, Stage } from './call';
import type { Prompt } from './line-performance';

export interface ConsultationParts {
  readonly clock: Clock;
  /** May still be on its way: it is spoken while the telephone rings. */
  readonly briefing: Promise<readonly Prompt[]>;
  /** The colleague takes the call: what is performed from then on. */
  readonly taken: (stage: Stage) => Performance;
}

export type ConsultationState =
  | { readonly name: 'telling' | 'deciding'; readonly times: number }
  | { readonly name: 'taken' | 'declined' | 'nobody' };

export type ConsultationEvent = 'told' | 'take' | 'decline' | 'again' | 'out-of-time';

const maxTimes = 3;
/** From the end of a briefing, and from its beginning in case the end is never told. */
const decideMs = 8_000;
const tellMs = 90_000;

export const FIRST: ConsultationState = { name: 'telling', times: 1 };

export function nextConsultation(state: ConsultationState, event: ConsultationEvent): ConsultationState {
  if (!('times' in state)) return state;
  const { times } = state;
  switch (event) {
    case 'take':
      return { name: 'taken' };
    case 'decline':
      return { name: 'declined' };
    case 'told':
      return { name: 'deciding', times };
    case 'again':
    case 'out-of-time':
      return times < maxTimes ? { name: 'telling', times: times + 1 } : { name: 'nobody' };
  }
}

/** What the record of the colleague's call, and through it that of the transfer, says. */
const causes: Readonly<Record<'declined' | 'nobody', CallEndCause>> = { declined: 'rejected', nobody: 'no-answer' };

export function consult(stage: Stage, parts: ConsultationParts): Performance {
  let state = FIRST;
  let turnId = 0;
  let timer: Timer | undefined;
  let closed = false;

  const happen = (event: ConsultationEvent): void => {
    const before = state;
    state = nextConsultation(state, event);
    if (closed || state === before) return;
    timer?.cancel();
    if (event !== 'told') stage.link.post({ type: 'flush', turnId });
    switch (state.name) {
      case 'telling':
        tell();
        return;
      case 'deciding':
        timer = parts.clock.after(decideMs, () => happen('out-of-time'));
        return;
      case 'taken':
        stage.take('bridge', parts.taken);
        return;
      case 'declined':
      case 'nobody':
        stage.end(causes[state.name]);
    }
  };

  const tell = (): void => {
    turnId++;
    const mine = turnId;
    timer = parts.clock.after(tellMs, () => happen('out-of-time'));
    parts.briefing.then(
      (sounds) => {
        if (closed || turnId !== mine || state.name !== 'telling') return;
        for (const { pcm, sampleRate } of sounds) {
          stage.link.post({ type: 'play', turnId, pcm: pcm.slice(), sampleRate, words: [] });
        }
        stage.link.post({ type: 'play-end', turnId });
      },
      (error: unknown) => {
        // Who was told that a caller comes can still press a key.
        if (closed || turnId !== mine) return;
        const message = error instanceof Error ? error.message : String(error);
        stage.emit('error', { code: 'call.no-briefing', message });
        happen('told');
      },
    );
  };

  stage.link.post({ type: 'source', source: { kind: 'playout' } });
  tell();
  return {
    turnGapsMs: [],
    interruptions: 0,
    onMedia(message: SessionMessage): void {
      if (message.type === 'dtmf') {
        if (message.digit === KEYS.take) happen('take');
        else if (message.digit === KEYS.decline) happen('decline');
        else if (message.digit === KEYS.again) happen('again');
      } else if (message.type === 'playout' && message.turnId === turnId && message.state === 'finished')
        happen('told');
    },
    onHold() {},
    command: () => false,
    async close(): Promise<void> {
      closed = true;
      timer?.cancel();
      stage.link.post({ type: 'flush', turnId });
    },
  };
}
