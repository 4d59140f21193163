/** A question on a call without an agent: the verb `ask`. Spoken by the engine, answered in words or by keys. */
import type { Clock } from '../core/clock';
import type { AskVerb } from '../dialplan/dialplan';
import type { ListenerReport } from '../listener/protocol';
import type { SessionMessage } from '../media/media-router';
import { Asking } from './asking';
import type { Performance, Stage } from './call';
import type { EnginePort } from './engine-port';
import type { Prompt } from './line-performance';
import { SpokenInput } from './spoken-input';

export interface AskParts {
  readonly clock: Clock;
  readonly speak: (text: string, voice: string | undefined) => Promise<readonly Prompt[]>;
  /** The listener's reports about the call, until the returned function is called. */
  readonly subscribe: (sessionId: string, take: (report: ListenerReport) => void) => () => void;
  /** Whose recogniser tells what is said. */
  readonly openEngine: (callId: string) => EnginePort;
}

export function performAsk({ ask, voice }: AskVerb, stage: Stage, parts: AskParts): Performance {
  const { link } = stage;
  let question = '';
  let turnId = 0;
  let turn = 0;
  /** The question of this number is not to be heard any more. */
  let hushed = 0;
  let closed = false;

  const hush = (): void => {
    hushed = turnId;
    link.post({ type: 'flush', turnId });
  };
  /** From here the time to answer runs. */
  const asked = (): void => {
    asking.spoke(question);
    asking.quiet(!speech.busy);
  };
  const say = (text: string): void => {
    question = text.trim();
    turnId += 1;
    const mine = turnId;
    parts.speak(text, voice).then(
      (sounds) => {
        if (closed || mine !== turnId || hushed === mine) return;
        for (const { pcm, sampleRate } of sounds) {
          link.post({ type: 'play', turnId, pcm: pcm.slice(), sampleRate, words: [] });
        }
        link.post({ type: 'play-end', turnId });
      },
      (error: unknown) => {
        // Whoever knows the question can still answer.
        const message = error instanceof Error ? error.message : String(error);
        stage.emit('error', { code: 'prompt.unreadable', message });
        if (!closed && mine === turnId) asked();
      },
    );
  };
  const asking = new Asking(ask, {
    clock: parts.clock,
    say,
    hush,
    listen: (on) => link.post({ type: 'mute', on: !on }),
    tell: (outcome) => {
      stage.emit('ask.answered', outcome);
      if (outcome.reason !== 'call-ended') stage.end('finished');
    },
  });
  const speech = new SpokenInput({
    clock: parts.clock,
    subscribe: (take) => parts.subscribe(link.sessionId, take),
    openEngine: () => parts.openEngine(stage.callId),
    onSpeech: () => {
      asking.quiet(false);
      hush();
    },
    onWords: (text) => {
      if (closed || asking.over) return;
      // A cough is no answer.
      if (text.trim() === '') asked();
      else {
        turn += 1;
        stage.emit('turn.user', { turn, text: text.trim() });
        asking.heard(text.trim());
      }
    },
  });

  link.post({ type: 'source', source: { kind: 'playout' } });
  asking.begin();
  return {
    turnGapsMs: [],
    interruptions: 0,
    onMedia(message: SessionMessage): void {
      if (closed || asking.over) return;
      if (message.type === 'dtmf') {
        speech.forget();
        asking.key(message.digit);
      } else if (message.type === 'playout' && message.turnId === turnId && message.state === 'finished') asked();
    },
    /** Nobody can answer while the line is parked. */
    onHold(held: boolean): void {
      speech.forget();
      asking.quiet(!held);
    },
    command: () => false,
    async close(): Promise<void> {
      if (closed) return;
      closed = true;
      speech.close();
      asking.close();
      link.post({ type: 'flush', turnId });
    },
  };
}
