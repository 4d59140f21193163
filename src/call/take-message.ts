/** Voicemail: a greeting, a beep, and what the caller says until a silence, a key, or the end of the call, kept as a file. */
import { Tone } from '../audio/tone';
import type { CallEndCause } from '../core/call-record';
import type { Clock, Timer } from '../core/clock';
import type { MenuPrompt, VoicemailAction } from '../dialplan/dialplan';
import type { ListenerReport } from '../listener/protocol';
import type { SessionMessage } from '../media/media-router';
import type { Performance, Stage } from './call';
import type { Prompt } from './line-performance';

export interface VoicemailParts {
  readonly clock: Clock;
  readonly load: (prompt: MenuPrompt) => Promise<readonly Prompt[]>;
  readonly subscribe: (sessionId: string, take: (report: ListenerReport) => void) => () => void;
  /** Where the message goes, as which of the call's it is fetched, and how to be rid of one in which nobody spoke. */
  readonly path: string;
  readonly number: number;
  readonly discard: () => Promise<void>;
}

const BEEP_HZ = 1_000;
const BEEP_MS = 400;
const BEEP_DBM0 = -12;
const BEEP_RATE = 8_000;
/** Whoever has not begun by then will not. */
const BEGINS_WITHIN_MS = 8_000;

export function performVoicemail(action: VoicemailAction, stage: Stage, parts: VoicemailParts): Performance {
  const voicemail = new Voicemail(action, stage, parts);
  voicemail.begin();
  return voicemail;
}

/** `closing`: the file is being made whole. */
type Phase = 'greeting' | 'recording' | 'closing' | 'over';

class Voicemail implements Performance {
  readonly turnGapsMs: readonly number[] = [];
  readonly interruptions = 0;
  private phase: Phase = 'greeting';
  private turnId = 0;
  private spoken = false;
  private silence: Timer | undefined;
  private limit: Timer | undefined;
  private stopHearing: () => void = () => undefined;
  private whole: (() => void) | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly action: VoicemailAction,
    private readonly stage: Stage,
    private readonly parts: VoicemailParts,
  ) {}

  begin(): void {
    this.stage.link.post({ type: 'source', source: { kind: 'playout' } });
    this.turnId = 1;
    const { prompt } = this.action;
    if (prompt === undefined) {
      this.beepAfter(1, []);
      return;
    }
    this.parts.load(prompt).then(
      (sounds) => this.beepAfter(1, sounds),
      (error: unknown) => {
        // Who hears the beep knows what to do.
        const message = error instanceof Error ? error.message : String(error);
        this.stage.emit('error', { code: 'prompt.unreadable', message });
        this.beepAfter(1, []);
      },
    );
  }

  onMedia(message: SessionMessage): void {
    if (message.type === 'dtmf') this.press(message.digit);
    else if (message.type === 'message-recorded') this.kept(message.durationMs);
    else if (message.type === 'failed') this.whole?.();
    else if (message.type === 'playout' && message.turnId === this.turnId && message.state === 'finished')
      this.record();
  }

  /** Music of the far end is no message. */
  onHold(held: boolean): void {
    if (held && this.phase === 'recording') void this.finish('finished');
  }

  command(): boolean {
    return false;
  }

  async close(): Promise<void> {
    this.stage.link.post({ type: 'flush', turnId: this.turnId });
    if (this.phase === 'greeting') this.phase = 'over';
    else await this.finish(undefined);
  }

  /** The key that ends a message also cuts the greeting short. */
  private press(digit: string): void {
    if (digit !== this.action.endKey) return;
    if (this.phase === 'recording') void this.finish('finished');
    else if (this.phase === 'greeting' && this.turnId === 1) {
      this.stage.link.post({ type: 'flush', turnId: 1 });
      this.turnId = 2;
      this.beepAfter(2, []);
    }
  }

  private beepAfter(turnId: number, sounds: readonly Prompt[]): void {
    if (this.phase !== 'greeting' || turnId !== this.turnId) return;
    const { link } = this.stage;
    for (const { pcm, sampleRate } of sounds) {
      link.post({ type: 'play', turnId, pcm: pcm.slice(), sampleRate, words: [] });
    }
    const beep = new Int16Array((BEEP_RATE * BEEP_MS) / 1_000);
    new Tone([BEEP_HZ], BEEP_DBM0, BEEP_RATE).fill(beep);
    link.post({ type: 'play', turnId, pcm: beep, sampleRate: BEEP_RATE, words: [] });
    link.post({ type: 'play-end', turnId });
  }

  private record(): void {
    if (this.phase !== 'greeting') return;
    this.phase = 'recording';
    const { clock, path, subscribe } = this.parts;
    const { link } = this.stage;
    link.post({ type: 'record-message', path });
    this.stopHearing = subscribe(link.sessionId, (report) => this.onReport(report));
    this.limit = clock.after(this.action.maxSeconds * 1_000, () => void this.finish('finished'));
    this.wait(BEGINS_WITHIN_MS);
  }

  private onReport(report: ListenerReport): void {
    if (report.type === 'speech-started') {
      this.spoken = true;
      this.silence?.cancel();
    } else if (report.type === 'speech-ended') this.wait(this.action.silenceSeconds * 1_000);
  }

  private wait(ms: number): void {
    this.silence?.cancel();
    this.silence = this.parts.clock.after(ms, () => void this.finish('finished'));
  }

  /** `cause` undefined: the call ends without us. */
  private finish(cause: CallEndCause | undefined): Promise<void> {
    if (this.phase !== 'recording') return this.closing ?? Promise.resolve();
    this.phase = 'closing';
    this.silence?.cancel();
    this.limit?.cancel();
    this.stopHearing();
    this.closing = new Promise<void>((resolve) => {
      this.whole = resolve;
    }).then(() => {
      this.phase = 'over';
      if (cause !== undefined) this.stage.end(cause);
    });
    this.stage.link.post({ type: 'record-message' });
    return this.closing;
  }

  private kept(durationMs: number): void {
    if (this.phase !== 'closing') return;
    if (this.spoken) {
      const { number } = this.parts;
      const path = `/v1/calls/${this.stage.callId}/voicemail${number === 1 ? '' : `?number=${number}`}`;
      this.stage.emit('voicemail.received', { durationMs: Math.round(durationMs), path, mailbox: this.action.mailbox });
      this.whole?.();
    } else void this.parts.discard().finally(() => this.whole?.());
  }
}
