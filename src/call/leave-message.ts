/** A message for an answering machine: said once as a whole, from the beginning again if the beep comes only then. */
import type { MenuPrompt } from '../dialplan/dialplan';
import type { SessionMessage } from '../media/media-router';
import type { Performance, Stage } from './call';
import type { Prompt } from './line-performance';

export interface LeaveMessageParts {
  readonly load: (prompt: MenuPrompt) => Promise<readonly Prompt[]>;
}

/** Machines open their recording a little after the beep. */
const LEAD_MS = 300;
/** A tone that comes this late is not the beep: the machine ends its recording, or plays it back. */
const BEEP_WITHIN_MS = 8_000;
const SHORTEST_BEEP_MS = 120;

export function performMessage(prompt: MenuPrompt, stage: Stage, parts: LeaveMessageParts): Performance {
  let turnId = 0;
  let playedMs = 0;
  let over = false;
  stage.link.post({ type: 'source', source: { kind: 'playout' } });
  stage.link.post({ type: 'watch-tones', on: true });
  const loaded = parts.load(prompt);
  const say = (): void => {
    turnId += 1;
    playedMs = 0;
    const mine = turnId;
    loaded.then(
      (sounds) => {
        if (over || turnId !== mine) return;
        const { sampleRate = 8_000 } = sounds[0] ?? {};
        const lead = new Int16Array((sampleRate * LEAD_MS) / 1_000);
        stage.link.post({ type: 'play', turnId, pcm: lead, sampleRate, words: [] });
        for (const { pcm, sampleRate } of sounds) {
          stage.link.post({ type: 'play', turnId, pcm: pcm.slice(), sampleRate, words: [] });
        }
        stage.link.post({ type: 'play-end', turnId });
      },
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        stage.emit('error', { code: 'prompt.unreadable', message });
        stage.end('internal');
      },
    );
  };
  say();
  return {
    turnGapsMs: [],
    interruptions: 0,
    onMedia(message: SessionMessage): void {
      if (over) return;
      if (message.type === 'tone' && message.durationMs >= SHORTEST_BEEP_MS && playedMs < BEEP_WITHIN_MS) {
        // What was said before it is on no tape.
        stage.link.post({ type: 'flush', turnId });
        say();
      } else if (message.type === 'playout' && message.turnId === turnId) {
        playedMs = message.playedMs;
        if (message.state !== 'finished') return;
        stage.emit('voicemail.left', { durationMs: Math.max(0, Math.round(playedMs - LEAD_MS)) });
        stage.end('finished');
      }
    },
    onHold() {},
    command: () => false,
    async close() {
      if (over) return;
      over = true;
      stage.link.post({ type: 'flush', turnId });
      stage.link.post({ type: 'watch-tones', on: false });
    },
  };
}
