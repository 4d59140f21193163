/** Echo, tone and prompts: what a media thread can do on a call without any model. */
import type { EchoAction, PlayAction, ToneAction } from '../dialplan/dialplan';
import type { SessionMessage } from '../media/media-router';
import type { CallCommand, Performance, Stage } from './call';

export interface Prompt {
  readonly pcm: Int16Array;
  readonly sampleRate: number;
}

const NOTHING = { turnGapsMs: [], interruptions: 0 } as const;

/** The caller hears themselves: tells a bad line from a bad agent. */
export function performEcho(_action: EchoAction, stage: Stage): Performance {
  stage.link.post({ type: 'source', source: { kind: 'echo' } });
  return { ...NOTHING, onMedia() {}, onHold() {}, command: () => false, close: async () => undefined };
}

export function performTone(action: ToneAction, stage: Stage): Performance {
  const { frequencyHz, levelDbm0 } = action;
  stage.link.post({ type: 'source', source: { kind: 'tone', frequencyHz, levelDbm0 } });
  return { ...NOTHING, onMedia() {}, onHold() {}, command: () => false, close: async () => undefined };
}

/** An application has the call ended. */
export function performHangup(stage: Stage): Performance {
  stage.end('hangup-requested');
  return { ...NOTHING, onMedia() {}, onHold() {}, command: () => false, close: async () => undefined };
}

/** Says a sentence and has ended; one that cannot be spoken is reported and left out. */
export function performSay(stage: Stage, load: () => Promise<readonly Prompt[]>): Performance {
  const turnId = 1;
  let closed = false;
  stage.link.post({ type: 'source', source: { kind: 'playout' } });
  load().then(
    (sounds) => {
      if (closed) return;
      for (const { pcm, sampleRate } of sounds) {
        stage.link.post({ type: 'play', turnId, pcm: pcm.slice(), sampleRate, words: [] });
      }
      stage.link.post({ type: 'play-end', turnId });
    },
    (error: unknown) => {
      stage.emit('error', {
        code: 'prompt.unreadable',
        message: error instanceof Error ? error.message : String(error),
      });
      stage.end('finished');
    },
  );
  const hush = (): void => stage.link.post({ type: 'flush', turnId });
  return {
    ...NOTHING,
    onMedia(message: SessionMessage): void {
      if (message.type === 'playout' && message.turnId === turnId && isOver(message.state)) stage.end('finished');
    },
    onHold() {},
    command(command: CallCommand): boolean {
      if (command.type === 'stop') hush();
      return command.type === 'stop';
    },
    async close(): Promise<void> {
      closed = true;
      hush();
    },
  };
}

function isOver(state: string): boolean {
  return state === 'finished' || state === 'flushed';
}

/** Plays a recording as often as the dialplan says, then hangs up. */
export function performPlay(
  action: PlayAction,
  stage: Stage,
  load: (action: PlayAction) => Promise<Prompt>,
): Performance {
  let turnId = 0;
  let closed = false;
  stage.link.post({ type: 'source', source: { kind: 'playout' } });
  const playOnce = (prompt: Prompt): void => {
    turnId += 1;
    const { pcm, sampleRate } = prompt;
    stage.link.post({ type: 'play', turnId, pcm, sampleRate, words: [] });
    stage.link.post({ type: 'play-end', turnId });
  };
  const loaded = load(action);
  loaded.then(playIfOpen, (error: unknown) => {
    stage.emit('error', { code: 'prompt.unreadable', message: error instanceof Error ? error.message : String(error) });
    stage.end('internal');
  });
  function playIfOpen(prompt: Prompt): void {
    if (!closed) playOnce(prompt);
  }
  return {
    ...NOTHING,
    onMedia(message: SessionMessage): void {
      if (message.type !== 'playout' || message.turnId !== turnId || closed) return;
      // Told to stop: there is nothing else to hear on this line.
      if (message.state === 'flushed') stage.end('finished');
      if (message.state !== 'finished') return;
      if (turnId < action.repeat) void loaded.then(playIfOpen);
      else stage.end('finished');
    },
    onHold() {},
    command(command: CallCommand): boolean {
      if (command.type !== 'stop') return false;
      stage.link.post({ type: 'flush', turnId });
      return true;
    },
    async close(): Promise<void> {
      closed = true;
      stage.link.post({ type: 'flush', turnId });
    },
  };
}
