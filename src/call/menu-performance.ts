/**
 * A menu: a prompt, keys or words that cut it short, and what they lead to. Secure input stays here: it is told to nobody but the
 * application that the dialplan names, and only as it is asked.
 */
import type { Clock, Timer } from '../core/clock';
import type { Action, MenuAction, MenuPrompt } from '../dialplan/dialplan';
import type { ListenerReport } from '../listener/protocol';
import type { SessionMessage } from '../media/media-router';
import type { Performance, Stage } from './call';
import type { EnginePort } from './engine-port';
import { type KeyRules, pressKey } from './key-input';
import type { Prompt } from './line-performance';
import { chooseSpoken } from './spoken-choice';
import { SpokenInput } from './spoken-input';

export interface MenuParts {
  readonly clock: Clock;
  readonly load: (prompt: MenuPrompt) => Promise<readonly Prompt[]>;
  /** The listener's reports about the call, until the returned function is called. */
  readonly subscribe: (sessionId: string, take: (report: ListenerReport) => void) => () => void;
  /** Whose recogniser tells what is said; only asked for where words may choose. */
  readonly openEngine: (callId: string) => EnginePort;
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
  private speech: SpokenInput | undefined;

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
    if (this.action.spoken.size > 0) this.listen();
    this.ask();
  }

  private listen(): void {
    const { clock, subscribe, openEngine } = this.parts;
    const { callId, link } = this.stage;
    this.speech = new SpokenInput({
      clock,
      subscribe: (take) => subscribe(link.sessionId, take),
      openEngine: () => openEngine(callId),
      onSpeech: () => {
        this.patience?.cancel();
        link.post({ type: 'flush', turnId: this.attempt });
      },
      onWords: (text) => this.hear(text),
    });
  }

  private hear(text: string): void {
    if (this.over) return;
    // A cough is no answer, and what keys have begun they end.
    if (text.trim() === '' || this.typed !== '') {
      this.wait();
      return;
    }
    this.stage.emit('turn.user', { turn: this.attempt, text: text.trim() });
    const options = [...this.action.spoken].map(([value, phrases]) => ({ value, phrases }));
    const chosen = this.action.options.get(chooseSpoken(text, options) ?? '');
    if (chosen !== undefined) this.leave(chosen);
    else this.again();
  }

  onMedia(message: SessionMessage): void {
    if (this.over) return;
    if (message.type === 'dtmf') this.press(message.digit);
    // The time to answer begins when the question has been heard.
    else if (message.type === 'playout' && message.turnId === this.attempt && message.state === 'finished') this.wait();
  }

  /** Nobody can press keys while the line is parked. */
  onHold(held: boolean): void {
    this.speech?.forget();
    if (held) this.patience?.cancel();
    else if (!this.over) this.wait();
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    this.patience?.cancel();
    this.typed = '';
    this.speech?.close();
    this.stage.link.post({ type: 'flush', turnId: this.attempt });
    if (this.action.secure) this.stage.secure(false);
  }

  private ask(): void {
    this.attempt++;
    this.typed = '';
    const turnId = this.attempt;
    const { prompt, again } = this.action;
    this.parts.load(turnId === 1 ? prompt : (again ?? prompt)).then(
      (sounds) => {
        if (this.over || this.attempt !== turnId) return;
        // Who knows the menu speaks before it does.
        if (this.speech?.busy === true) return;
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
    this.speech?.forget();
    this.stage.link.post({ type: 'flush', turnId: this.attempt });
    const { typed, done } = pressKey(this.rules, this.typed, key);
    this.typed = typed;
    if (done) this.decide();
    else this.wait();
  }

  private wait(): void {
    this.patience?.cancel();
    if (this.speech?.busy === true) return;
    this.patience = this.parts.clock.after(this.action.timeoutSeconds * 1_000, () => this.decide());
  }

  private decide(): void {
    this.patience?.cancel();
    const { options, webhook, otherwise } = this.action;
    const digits = this.typed;
    const chosen = options.get(digits);
    if (chosen !== undefined) this.leave(chosen);
    else if (webhook !== undefined && digits !== '') {
      const ask: Action = { type: 'webhook', ...webhook, fallback: { type: 'reject', status: 480, reason: undefined } };
      this.leave(ask, { digits, otherwise });
    } else this.again();
  }

  private again(): void {
    const { attempts, otherwise } = this.action;
    if (this.attempt < attempts) this.ask();
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
