/** A call as a polite caller makes it: hear the greeting out, speak, wait for the answer to end, speak again, hang up. */
import type { Phone } from './phone';
import type { Span } from './tape';

export interface Utterance {
  readonly label: string;
  readonly pcm: Int16Array;
  readonly sampleRate: number;
}

export interface ScriptOptions {
  readonly greetingWithinMs: number;
  readonly answerWithinMs: number;
  /** Longest answer that is heard out. */
  readonly answerMs: number;
  readonly digits?: string;
  /** Put the agent on hold for two seconds after the first answer. */
  readonly hold?: boolean;
}

export const POLITE: ScriptOptions = { greetingWithinMs: 4_000, answerWithinMs: 12_000, answerMs: 40_000 };

export interface SpokenUtterance {
  readonly label: string;
  /** Where it lies on the tape. */
  readonly span: Span;
  readonly answered: boolean;
}

export interface ScriptReport {
  readonly greeted: boolean;
  readonly utterances: readonly SpokenUtterance[];
  /** The agent hung up before the script was over. */
  readonly endedByAgent: boolean;
}

const HOLD_MS = 2_000;

export async function runScript(
  phone: Phone,
  utterances: readonly Utterance[],
  options: ScriptOptions = POLITE,
  onStep: (text: string) => void = () => undefined,
): Promise<ScriptReport> {
  const greeted = await phone.waitUntilTalking(options.greetingWithinMs);
  if (greeted) {
    onStep('the agent greets');
    await phone.waitUntilQuiet(options.answerMs);
  }
  if (options.digits !== undefined) {
    phone.press(options.digits);
    onStep(`pressed ${options.digits.length} keys`);
    if (await phone.waitUntilTalking(options.answerWithinMs)) await phone.waitUntilQuiet(options.answerMs);
  }
  const spoken: SpokenUtterance[] = [];
  for (const utterance of utterances) {
    if (phone.howItEnded !== undefined) break;
    onStep(`caller: ${utterance.label}`);
    const span = await phone.say(utterance.pcm, utterance.sampleRate);
    const answered = await phone.waitUntilTalking(options.answerWithinMs);
    onStep(answered ? 'the agent answers' : 'no answer');
    if (answered) await phone.waitUntilQuiet(options.answerMs);
    spoken.push({ label: utterance.label, span, answered });
    if (options.hold === true && spoken.length === 1) {
      await phone.hold(true);
      onStep('on hold');
      await new Promise((resolve) => setTimeout(resolve, HOLD_MS));
      await phone.hold(false);
      onStep('resumed');
    }
  }
  return { greeted, utterances: spoken, endedByAgent: phone.howItEnded?.by === 'remote' };
}
