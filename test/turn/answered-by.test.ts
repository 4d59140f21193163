/** Who answered: a person or a machine, by what is said, for how long, and what tones come. */
import fc from 'fast-check';
import { DEFAULT_ANSWER_RULES as rules } from '../../src/core/answer-rules';
import {
  type AnswerEvent,
  type AnswerVerdict,
  deadlineOf,
  initialAnswer,
  soundsLikeMailbox,
  stepAnswer,
} from '../../src/turn/answered-by';

const sample = (ms: number): number => ms * 16;
const speech = (fromMs: number, toMs: number): AnswerEvent[] => [
  { type: 'speech-started', sample: sample(fromMs) },
  { type: 'speech-ended', sample: sample(toMs) },
];
const tone = (endMs: number, frequencyHz = 1000, durationMs = 300): AnswerEvent => ({
  type: 'tone',
  state: durationMs > 1_100 ? 'lasting' : 'ended',
  frequencyHz,
  durationMs,
  endSample: sample(endMs),
});
const atOf = (event: AnswerEvent): number =>
  event.type === 'tone' ? event.endSample : 'sample' in event ? event.sample : 0;

/** The events in order of time, and time itself up to `untilMs`. */
function hear(events: readonly AnswerEvent[], untilMs: number): AnswerVerdict[] {
  const verdicts: AnswerVerdict[] = [];
  const waiting = [...events];
  let state = initialAnswer(0);
  const take = (event: AnswerEvent): void => {
    const step = stepAnswer(state, event, rules);
    state = step.state;
    verdicts.push(...step.verdicts);
  };
  for (let atMs = 0; atMs <= untilMs; atMs += 20) {
    while (waiting[0] !== undefined && atOf(waiting[0]) <= sample(atMs)) take(waiting.shift()!);
    const deadline = deadlineOf(state, rules);
    if (deadline !== undefined && deadline <= sample(atMs)) take({ type: 'time', sample: sample(atMs) });
  }
  return verdicts;
}

const said = (verdicts: readonly AnswerVerdict[]) =>
  verdicts.map((verdict) =>
    verdict.type === 'records'
      ? `records ${verdict.beepHz ?? 'in silence'}`
      : `${verdict.answeredBy} ${verdict.because}`,
  );

describe('a person', () => {
  it('says hello and waits', () => {
    expect(said(hear(speech(500, 900), 2_000))).toEqual(['human short-greeting']);
    expect(hear(speech(500, 900), 900 + rules.shortPauseMs - 40)).toEqual([]);
  });

  it('may say more, and is then given longer to go on', () => {
    const greeting = [...speech(500, 2_300), ...speech(3_000, 4_000)];
    expect(said(hear(greeting, 8_000))).toEqual(['human short-greeting']);
    expect(hear(greeting, 4_000 + rules.longPauseMs - 40)).toEqual([]);
  });

  it('is not a machine for talking with a tone in the voice', () => {
    const events = [speech(500, 2_000)[0]!, tone(1_500, 350, 150), speech(500, 2_000)[1]!];
    expect(said(hear(events, 9_000))).toEqual(['human short-greeting']);
  });

  it('is not a machine for talking on when it was answered', () => {
    const events = [...speech(500, 900), speech(3_000, 0)[0]!, tone(4_000, 420, 140), speech(0, 9_000)[1]!];
    expect(said(hear(events, 12_000))).toEqual(['human short-greeting']);
  });
});

describe('a machine', () => {
  it('talks on, and records after its beep', () => {
    const events = [...speech(400, 4_000), ...speech(4_400, 9_000), tone(10_000, 850)];
    expect(said(hear(events, 12_000))).toEqual(['machine long-greeting', 'records 850']);
  });

  it('records when it has fallen silent, where there is no beep', () => {
    expect(said(hear(speech(400, 9_000), 13_000))).toEqual(['machine long-greeting', 'records in silence']);
  });

  it('is found by its beep, whatever it said before', () => {
    expect(said(hear([...speech(400, 1_000), tone(1_500)], 3_000))).toEqual(['machine beep', 'records 1000']);
    const late = [...speech(400, 1_000), tone(4_000)];
    expect(said(hear(late, 6_000))).toEqual(['human short-greeting', 'machine beep', 'records 1000']);
    expect(said(hear([...speech(400, 1_000), tone(30_000)], 31_000))).toEqual(['human short-greeting']);
  });

  it('is found by a beep that the detector of speech took for a voice', () => {
    const events = [...speech(400, 2_000), speech(2_600, 0)[0]!, tone(2_900), speech(0, 2_900)[1]!];
    expect(said(hear(events, 4_000))).toEqual(['machine beep', 'records 1000']);
  });

  it('is found by its words, early or late', () => {
    const words: AnswerEvent = { type: 'words', text: 'Please leave a message after the tone.' };
    const state = stepAnswer(initialAnswer(0), speech(400, 0)[0]!, rules).state;
    expect(said(stepAnswer(state, words, rules).verdicts)).toEqual(['machine words']);
    const human = stepAnswer(
      stepAnswer(state, speech(0, 900)[1]!, rules).state,
      { type: 'time', sample: sample(2_000) },
      rules,
    );
    expect(said(human.verdicts)).toEqual(['human short-greeting']);
    expect(said(stepAnswer(human.state, words, rules).verdicts)).toEqual(['machine words']);
  });

  it('may be one tone and nothing else', () => {
    expect(said(hear([tone(1_500)], 3_000))).toEqual(['machine beep', 'records 1000']);
  });

  it('may be an exchange with its three tones, or a fax', () => {
    const tones = [tone(830, 950, 330), tone(1_160, 1_400, 330), tone(1_490, 1_800, 330)];
    expect(said(hear([...tones, ...speech(2_000, 6_000)], 9_000))).toEqual(['machine intercept']);
    expect(said(hear([tone(3_000, 2_100, 1_200)], 9_000))).toEqual(['machine fax']);
  });
});

describe('nobody', () => {
  it('is unknown after a silence, which begins anew when it rings on', () => {
    expect(said(hear([], rules.silenceMs + 100))).toEqual(['unknown silence']);
    const ringing = [tone(2_000, 425, 1_200), tone(6_000, 425, 1_200)];
    expect(hear(ringing, 9_000)).toEqual([]);
    expect(said(hear([...ringing, ...speech(8_000, 8_500)], 10_000))).toEqual(['human short-greeting']);
  });
});

describe('words', () => {
  it.each([
    'Hi, you have reached Bob, please leave a message after the beep.',
    'At the tone, please record your message.',
    "You've reached the voicemail of Jane.",
    'The number you have dialed is not in service.',
  ])('of a mailbox: %s', (text) => expect(soundsLikeMailbox(text)).toBe(true));

  it.each([
    'Hello?',
    "He's not available right now, who is calling?",
    'Can I take a message?',
    'Would you like to leave a message',
    'Do you want to leave your name?',
    'Good morning, Park Dental Clinic, how can I help you?',
    '',
  ])('of a person: %s', (text) => expect(soundsLikeMailbox(text)).toBe(false));
});

describe('whatever comes', () => {
  const ms = fc.integer({ min: 0, max: 70_000 });
  const event: fc.Arbitrary<AnswerEvent> = fc.oneof(
    ms.map((at): AnswerEvent => ({ type: 'speech-started', sample: sample(at) })),
    ms.map((at): AnswerEvent => ({ type: 'speech-ended', sample: sample(at) })),
    fc
      .tuple(ms, fc.integer({ min: 300, max: 2_200 }), fc.integer({ min: 80, max: 3_000 }))
      .map((made) => tone(...made)),
    fc.string().map((text): AnswerEvent => ({ type: 'words', text })),
  );

  it('a verdict comes in the end, a person is believed in once, and a machine stays one', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const found = said(
          hear(
            [...events].sort((one, other) => atOf(one) - atOf(other)),
            140_000,
          ),
        );
        const names = found.map((text) => text.split(' ')[0]);
        expect(names.join(' ')).toMatch(/^(unknown|human|(human )?machine( records)?)$/);
      }),
    );
  });
});
