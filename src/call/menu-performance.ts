/**
 * A menu: a prompt, keys that cut it short, and what they lead to. Secure input stays here: it is told to nobody but the
 * application that the dialplan names, and only as it is asked.
 */
import type { Clock, Timer } from '../core/clock';
import type { Action, MenuAction, MenuPrompt } from '../dialplan/dialplan';
import type { SessionMessage } from '../media/media-router';
import type { Performance, Stage } from './call';
import { type KeyRules, pressKey } from './key-input';
import type { Prompt } from './line-performance';

export interface MenuParts {
  readonly clock: Clock;
  readonly load: (prompt: MenuPrompt) => Promise<readonly Prompt[]>;
}

export function performMenu(action: MenuAction, stage: Stage, parts: MenuParts): Performance {
  const menu = new Menu(action, stage, parts);
  menu.begin();
  return {
    turnGapsMs: [],
    interruptions: 0,
    onMedia: (message) => menu.onMedia(message),
    onHold: (held) => menu.onHold(held),
    command: () => false,
    close: async () => menu.close(),
  };
}

class Menu {
  private readonly rules: KeyRules;
  private typed = '';
  private attempt = 0;
  private patience: Timer | undefined;
  private over = false;

  constructor(
    private readonly action: MenuAction,
    private readonly stage: Stage,
    private readonly parts: MenuParts,
  ) {
    const { options, webhook, maxDigits, endKey } = action;
    this.rules = { options: [...options.keys()], open: webhook !== undefined, maxDigits, endKey };
  }

  begin(): void {
    if (this.action.secure) this.stage.secure(true);
    this.stage.link.post({ type: 'source', source: { kind: 'playout' } });
    this.ask();
  }

  onMedia(message: SessionMessage): void {
    if (this.over) return;
    if (message.type === 'dtmf') this.press(message.digit);
    // The time to answer begins when the question has been heard.
    else if (message.type === 'playout' && message.turnId === this.attempt && message.state === 'finished') this.wait();
  }

  /** Nobody can press keys while the line is parked. */
  onHold(held: boolean): void {
    if (held) this.patience?.cancel();
    else if (!this.over) this.wait();
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    this.patience?.cancel();
    this.typed = '';
    this.stage.link.post({ type: 'flush', turnId: this.attempt });
    if (this.action.secure) this.stage.secure(false);
  }

  private ask(): void {
    this.attempt++;
    this.typed = '';
    const turnId = this.attempt;
    this.parts.load(this.action.prompt).then(
      (sounds) => {
        if (this.over || this.attempt !== turnId) return;
        for (const { pcm, sampleRate } of sounds) {
          this.stage.link.post({ type: 'play', turnId, pcm: pcm.slice(), sampleRate, words: [] });
        }
        this.stage.link.post({ type: 'play-end', turnId });
      },
      (error: unknown) => {
        // Who knows the menu can still choose.
        const message = error instanceof Error ? error.message : String(error);
        this.stage.emit('error', { code: 'prompt.unreadable', message });
        if (!this.over) this.wait();
      },
    );
  }

  private press(key: string): void {
    this.stage.link.post({ type: 'flush', turnId: this.attempt });
    const { typed, done } = pressKey(this.rules, this.typed, key);
    this.typed = typed;
    if (done) this.decide();
    else this.wait();
  }

  private wait(): void {
    this.patience?.cancel();
    this.patience = this.parts.clock.after(this.action.timeoutSeconds * 1_000, () => this.decide());
  }

  private decide(): void {
    this.patience?.cancel();
    const { options, webhook, attempts, otherwise } = this.action;
    const digits = this.typed;
    const chosen = options.get(digits);
    if (chosen !== undefined) this.leave(chosen);
    else if (webhook !== undefined && digits !== '') {
      const ask: Action = { type: 'webhook', ...webhook, fallback: { type: 'reject', status: 480, reason: undefined } };
      this.leave(ask, { digits, otherwise });
    } else if (this.attempt < attempts) this.ask();
    else if (otherwise !== undefined) this.leave(otherwise);
    else this.stage.end('finished');
  }

  private leave(
    action: Action,
    more: { readonly digits?: string; readonly otherwise?: Action | undefined } = {},
  ): void {
    this.close();
    this.stage.become(action, more);
  }
}
