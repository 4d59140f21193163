/**
 * A question that an application has the agent ask: it is said, the caller answers in words or by keys, and what that means is told.
 * Unanswered or not understood, it is asked again as often as wanted.
 *
 *   saying ──said, or the caller answers──▶ waiting ──words or keys that fit──▶ over
 *      ▲                                       │
 *      └──────nothing, or what does not fit────┘ (the last time: over)
 */
import type { AskAction } from '../core/call-action';
import type { CallEventData } from '../core/call-event';
import type { Clock, Timer } from '../core/clock';
import { type KeyRules, pressKey } from './key-input';
import { chooseSpoken, spokenDigits, yesOrNo } from './spoken-choice';

export type AskOutcome = CallEventData<'ask.answered'>;

export interface AskingParts {
  readonly clock: Clock;
  readonly say: (text: string) => void;
  /** The question is cut short. */
  readonly hush: () => void;
  /** False while a question that may not be interrupted is said. */
  readonly listen: (on: boolean) => void;
  readonly tell: (outcome: AskOutcome) => void;
}

const YES_KEY = '1';
const NO_KEY = '2';

export class Asking {
  private attempt = 0;
  private phase: 'saying' | 'waiting' | 'over' = 'saying';
  private question = '';
  private typed = '';
  private patience: Timer | undefined;
  private readonly rules: KeyRules;

  constructor(
    private readonly action: AskAction,
    private readonly parts: AskingParts,
  ) {
    const { expect, choices = [], maxDigits, endKey } = action;
    const options =
      expect === 'yes-no' ? [YES_KEY, NO_KEY] : choices.flatMap(({ key }) => (key === undefined ? [] : [key]));
    this.rules = { options, open: expect === 'digits' || expect === 'anything', maxDigits, endKey };
  }

  get over(): boolean {
    return this.phase === 'over';
  }

  begin(): void {
    this.attempt++;
    this.phase = 'saying';
    this.typed = '';
    const { text, again, bargeIn } = this.action;
    if (!bargeIn) this.parts.listen(false);
    this.question = this.attempt === 1 ? text : (again ?? `Sorry, I did not get that. ${text}`);
    this.parts.say(this.question);
  }

  /** The agent has said something, to its end or not. */
  spoke(text: string): void {
    if (text.trim() === this.question) this.said();
  }

  private said(): void {
    if (this.phase !== 'saying') return;
    this.phase = 'waiting';
    if (!this.action.bargeIn) this.parts.listen(true);
  }

  /** Whether the line is quiet on both sides: only then does the time to answer run. */
  quiet(isQuiet: boolean): void {
    this.patience?.cancel();
    if (isQuiet && this.phase === 'waiting') this.wait();
  }

  heard(text: string): void {
    if (this.over) return;
    this.said();
    this.patience?.cancel();
    const meant = this.meaningOf(text);
    if (meant === undefined) this.againOr('no-match', { text });
    else this.finish({ reason: 'speech', text, ...meant });
  }

  key(key: string): void {
    if (this.over || (this.phase === 'saying' && !this.action.bargeIn)) return;
    if (this.phase === 'saying') this.parts.hush();
    this.said();
    const { typed, done } = pressKey(this.rules, this.typed, key);
    this.typed = typed;
    if (done) this.decide();
    else this.wait();
  }

  /** The call goes another way, or ends. */
  close(): void {
    if (!this.over) this.finish({ reason: 'call-ended' });
  }

  private meaningOf(text: string): Pick<AskOutcome, 'digits' | 'choice'> | undefined {
    const { expect, choices = [], minDigits, maxDigits } = this.action;
    switch (expect) {
      case 'anything':
        return text.trim() === '' ? undefined : {};
      case 'yes-no': {
        const choice = yesOrNo(text);
        return choice && { choice };
      }
      case 'choice': {
        const choice = chooseSpoken(
          text,
          choices.map(({ value, phrases }) => ({ value, phrases: [value, ...phrases] })),
        );
        return choice === undefined ? undefined : { choice };
      }
      case 'digits': {
        const digits = spokenDigits(text);
        return digits.length >= minDigits && digits.length <= maxDigits ? { digits } : undefined;
      }
    }
  }

  private decide(): void {
    this.patience?.cancel();
    const { expect, choices = [], minDigits } = this.action;
    const digits = this.typed;
    this.typed = '';
    const choice =
      expect === 'yes-no'
        ? ({ [YES_KEY]: 'yes', [NO_KEY]: 'no' } as const)[digits]
        : choices.find(({ key }) => key === digits)?.value;
    if (digits === '') this.againOr('no-input', {});
    else if (this.rules.open ? digits.length >= (expect === 'digits' ? minDigits : 1) : choice !== undefined) {
      this.finish({ reason: 'digits', digits, ...(choice === undefined ? {} : { choice }) });
    } else this.againOr('no-match', { digits });
  }

  private wait(): void {
    this.patience?.cancel();
    this.patience = this.parts.clock.after(this.action.timeoutSeconds * 1_000, () => this.decide());
  }

  private againOr(reason: 'no-input' | 'no-match', told: Pick<AskOutcome, 'text' | 'digits'>): void {
    if (this.attempt < this.action.attempts) this.begin();
    else this.finish({ reason, ...told });
  }

  private finish(outcome: Pick<AskOutcome, 'reason' | 'text' | 'digits' | 'choice'>): void {
    this.patience?.cancel();
    if (this.phase === 'saying' && !this.action.bargeIn) this.parts.listen(true);
    this.phase = 'over';
    this.parts.tell({ askId: this.action.askId, attempts: this.attempt, ...outcome });
  }
}
