/** A caller who waits in a line: music, announcements now and then, and what becomes of it. */
import type { QueueLeftReason } from '../../core/call-event';
import type { CallEndCause } from '../../core/call-record';
import type { Clock, Timer } from '../../core/clock';
import type { MenuPrompt, QueueAction } from '../../dialplan/dialplan';
import type { SessionMessage } from '../../media/media-router';
import { type BridgeSide, bridgedWith } from '../bridge';
import type { Performance, Sound, Stage } from '../call';
import type { Prompt } from '../line-performance';
import { announcementOf } from './announcement';
import type { WaitingLine } from './waiting-line';

export interface QueueParts {
  readonly clock: Clock;
  readonly line: WaitingLine;
  /** Whether this caller may make us call others. */
  readonly mayDial: boolean;
  readonly load: (prompt: MenuPrompt) => Promise<readonly Prompt[]>;
  /** What is heard between announcements; undefined: a quiet line. */
  readonly music: Promise<Sound | undefined>;
}

/** What the record says where the dialplan has nothing else for them. */
const causes = { timeout: 'no-answer', full: 'busy', 'not-allowed': 'rejected' } as const satisfies Readonly<
  Partial<Record<QueueLeftReason, CallEndCause>>
>;

export function performQueue(action: QueueAction, stage: Stage, parts: QueueParts): Performance {
  const caller = new QueueCaller(action, stage, parts);
  caller.begin();
  return caller;
}

class QueueCaller implements Performance {
  readonly turnGapsMs: readonly number[] = [];
  readonly interruptions = 0;
  private readonly fromMs: number;
  private joined = false;
  private over = false;
  private turnId = 0;
  private limit: Timer | undefined;
  private next: Timer | undefined;

  constructor(
    private readonly action: QueueAction,
    private readonly stage: Stage,
    private readonly parts: QueueParts,
  ) {
    this.fromMs = parts.clock.nowMs();
  }

  begin(): void {
    const { action, stage, parts } = this;
    stage.link.post({ type: 'source', source: { kind: 'playout' } });
    const refused = !parts.mayDial ? 'not-allowed' : parts.line.waiting >= action.maxLength ? 'full' : undefined;
    if (refused !== undefined) this.giveUp(refused);
    else {
      this.limit = parts.clock.after(action.maxWaitSeconds * 1_000, () => this.giveUp('timeout'));
      const position = parts.line.join({ callId: stage.callId, serve: (peer) => this.serve(peer) });
      this.joined = true;
      stage.emit('queue.joined', { queue: action.name, position, waiting: parts.line.waiting });
      void parts.music.then(
        (sound) => this.play(sound),
        (error: unknown) => this.tellUnreadable(error),
      );
      this.announce();
    }
  }

  onMedia(message: SessionMessage): void {
    if (message.type !== 'playout' || message.turnId !== this.turnId || message.state !== 'finished') return;
    this.announceLater();
  }

  onHold(): void {
    // Whoever waits with us on hold keeps the place.
  }

  command(): boolean {
    return false;
  }

  async close(cause: CallEndCause): Promise<void> {
    this.leave(cause === 'finished' ? 'redirected' : 'hangup');
  }

  private play(sound: Sound | undefined): void {
    if (this.over || sound === undefined) return;
    const { pcm, sampleRate } = sound;
    this.stage.link.post({ type: 'music', sound: { pcm: pcm.slice(), sampleRate }, yields: true });
  }

  private announce(): void {
    const { line, load } = this.parts;
    const position = line.positionOf(this.stage.callId);
    const prompts = announcementOf(this.action.announce, position, line.expectedWaitMs(position));
    if (prompts.length === 0) return;
    this.turnId++;
    const turnId = this.turnId;
    Promise.all(prompts.map(load)).then(
      (sounds) => {
        if (this.over) return;
        const { link } = this.stage;
        for (const { pcm, sampleRate } of sounds.flat()) {
          link.post({ type: 'play', turnId, pcm: pcm.slice(), sampleRate, words: [] });
        }
        link.post({ type: 'play-end', turnId });
      },
      (error: unknown) => {
        // Who waits is served all the same.
        this.tellUnreadable(error);
        this.announceLater();
      },
    );
  }

  private announceLater(): void {
    if (this.over) return;
    this.next?.cancel();
    this.next = this.parts.clock.after(this.action.announce.everySeconds * 1_000, () => this.announce());
  }

  private tellUnreadable(error: unknown): void {
    if (this.over) return;
    const message = error instanceof Error ? error.message : String(error);
    this.stage.emit('error', { code: 'prompt.unreadable', message });
  }

  private serve(peer: BridgeSide): void {
    if (this.over) {
      peer.leave();
      return;
    }
    this.leave('bridged', peer.callId);
    void this.stage
      .take('bridge', (next) => bridgedWith(peer, next))
      .then((taken) => {
        if (!taken) peer.leave();
      });
  }

  private giveUp(reason: keyof typeof causes): void {
    if (this.over) return;
    this.leave(reason);
    const { otherwise } = this.action;
    if (otherwise === undefined) this.stage.end(causes[reason]);
    else this.stage.become(otherwise);
  }

  private leave(reason: QueueLeftReason, peerCallId?: string): void {
    if (this.over) return;
    this.over = true;
    this.limit?.cancel();
    this.next?.cancel();
    const { line, clock } = this.parts;
    const { callId, link } = this.stage;
    // Whoever is served stands in the line no longer, and was its first.
    const position = !this.joined ? undefined : reason === 'bridged' ? 1 : line.positionOf(callId);
    line.leave(callId);
    link.post({ type: 'music' });
    link.post({ type: 'flush', turnId: this.turnId });
    const waitMs = Math.round(clock.nowMs() - this.fromMs);
    this.stage.emit('queue.left', { queue: this.action.name, reason, waitMs, position, peerCallId });
  }
}
