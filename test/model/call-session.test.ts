/** What every engine's session does ahead of being asked: hears at pauses, reads what is certain, never answers for it. */
import type { AnswerAction } from '../../src/core/tool';
import type { AnswerManner, BrainConversation, BrainEvent } from '../../src/model/brain/conversation-brain';
import type { Understood } from '../../src/model/call-hearing';
import { CallSession } from '../../src/model/call-session';
import type { AnswerEvent, OmniSession } from '../../src/model/omni-model';
import type { Recognition } from '../../src/model/parts';

const RATE = 16_000;
const never = new AbortController().signal;
const persona = { id: 'p', name: 'Desk', instructions: 'Be short.', facts: [] };

function talk(seconds: number): Int16Array {
  return Int16Array.from({ length: seconds * RATE }, (_, i) => Math.round(9_000 * Math.sin(i / 12)));
}
const silence = (seconds: number) => new Int16Array(seconds * RATE);

/** Counts what it is asked; understands as many words as there are loud tenths of a second. */
function rig() {
  const counts = { heard: 0, asked: 0, reads: 0, returned: 0 };
  const lengths: number[] = [];
  const earlier: (string | undefined)[] = [];
  const manners: AnswerManner[] = [];
  const how: Understood['how'][] = [];
  /** What the ear gives beside the words, and what the next answer decides. */
  const vectors: Float32Array[] = [];
  const actions: AnswerAction[] = [];
  const recognise = async (pcm: Float32Array): Promise<Recognition> => {
    const words = Math.round(pcm.filter((sample) => Math.abs(sample) > 0.05).length / 1_000);
    return { text: `${words} words`, speech: words > 0, meanLogProbability: 0, doneProbability: 0.9 };
  };
  const ear = {
    maxSeconds: 30,
    recognise,
    hear: async (pcm: Float32Array, signal: AbortSignal, before?: Understood) => {
      signal.throwIfAborted();
      counts.heard += 1;
      lengths.push(pcm.length);
      earlier.push(before?.recognition.text);
      return { recognition: await recognise(pcm), vectors, ...(how[0] === undefined ? {} : { how: how[0] }) };
    },
    close: async () => undefined,
  };
  const conversation: BrainConversation = {
    async *answer(userText, signal, manner = {}): AsyncGenerator<BrainEvent> {
      counts.asked += 1;
      manners.push(manner);
      try {
        for (let part = 0; part < 2; part += 1) {
          signal.throwIfAborted();
          counts.reads += 1;
          yield { type: 'reading' };
        }
        signal.throwIfAborted();
        yield { type: 'delta', text: `You said ${userText}.` };
        const action = actions.shift();
        if (action !== undefined) yield { type: 'action', action };
      } finally {
        counts.returned += 1;
      }
    },
    commit: () => undefined,
    close: () => undefined,
  };
  const said: string[] = [];
  const voice = {
    sampleRate: 8_000,
    async *synthesise() {
      yield { pcm: new Float32Array(800), words: [] };
    },
    close: async () => undefined,
  };
  const session: OmniSession = new CallSession(
    {
      ear,
      brain: { warm: async function* () {}, openConversation: async () => conversation, close: async () => undefined },
      voice,
      beginSpeech: () => {
        let ended = false;
        return {
          push: (text: string) => said.push(text),
          end: () => {
            ended = true;
          },
          next: async () => {
            if (!ended || said.length === 0) return undefined;
            said.length = 0;
            return { pcm: new Float32Array(800), words: [] };
          },
        };
      },
      tokensPerChunk: 1,
      nowMs: () => 0,
    },
    persona,
  );
  const attend = async () => {
    let steps = 1;
    while (await session.attend!(never)) steps += 1;
    return steps;
  };
  const ask = async (
    fromSample: number,
    toSample: number,
    signal = never,
    wordless?: { readonly wordless: true },
  ): Promise<AnswerEvent[]> => {
    const events: AnswerEvent[] = [];
    for await (const event of session.answer({ kind: 'audio', fromSample, toSample, ...wordless }, signal)) {
      if (event.type !== 'working') events.push(event);
    }
    return events;
  };
  /** 0.3 s of silence, `seconds` of talk, `pause` of silence. */
  const hear = (fromSample: number, seconds: number, pause: number) => {
    session.hear(silence(0.3), fromSample);
    session.hear(talk(seconds), fromSample + 0.3 * RATE);
    session.hear(silence(pause), fromSample + (0.3 + seconds) * RATE);
  };
  return { session, counts, lengths, earlier, manners, how, vectors, actions, attend, ask, hear };
}

describe('a session', () => {
  it('tells of a tool call, and asks the question again with its result, as it was heard', async () => {
    const { session, manners, vectors, actions, ask, hear } = rig();
    vectors.push(new Float32Array([1, 2]));
    actions.push({ type: 'tool', name: 'order_status' });
    hear(0, 1, 0.3);
    const first = await ask(0, 1.6 * RATE);
    const question = first.flatMap((event) => (event.type === 'transcript' ? [event.text] : [])).join('');
    expect(first.at(-1)).toMatchObject({ type: 'end', action: { type: 'tool', name: 'order_status' } });
    session.commit({ userText: question, heardText: 'One moment.', interrupted: false });
    const second: AnswerEvent[] = [];
    for await (const event of session.answer({ kind: 'tool-result', question, text: 'On Friday.' }, never)) {
      if (event.type !== 'working') second.push(event);
    }
    expect(second.map((event) => event.type)).toEqual(['transcript', 'text', 'audio', 'end']);
    expect(second.at(-1)).not.toHaveProperty('action', expect.anything());
    expect(manners.at(-1)).toMatchObject({ toolResult: 'On Friday.', heard: vectors });
    // Of a question that is not the last one, the words are left.
    for await (const _ of session.answer({ kind: 'tool-result', question: 'An older one?', text: 'Yes.' }, never));
    expect(manners.at(-1)).not.toHaveProperty('heard');
  });

  it('has understood and read the question when the caller has been silent for a tenth of a second', async () => {
    const { session, counts, attend, ask, hear } = rig();
    hear(0, 1, 0.15);
    await attend();
    expect(counts).toMatchObject({ heard: 1, asked: 1, reads: 2 });
    // The turn is over later, and its span begins a little earlier.
    session.hear(silence(0.2), 1.45 * RATE);
    const events = await ask(0, 1.6 * RATE);
    expect(counts).toMatchObject({ heard: 1, asked: 1, reads: 2 });
    expect(events[0]).toMatchObject({ type: 'transcript', text: '14 words', doneProbability: 0.9 });
    expect(events.map((event) => event.type)).toEqual(['transcript', 'text', 'audio', 'end']);
  });

  it('shows the ear as much silence behind the words as there will be when it is asked', async () => {
    const { lengths, attend, hear } = rig();
    hear(0, 1, 0.1);
    await attend();
    expect(Math.abs(lengths[0]! - 1.5 * RATE)).toBeLessThanOrEqual(320);
  });

  it('looks once at a pause, however often it is asked to', async () => {
    const { counts, attend, hear } = rig();
    hear(0, 1, 0.15);
    for (let look = 0; look < 5; look += 1) await attend();
    expect(counts).toMatchObject({ heard: 1, asked: 1 });
  });

  it('hears anew when the caller went on, and only checks what it knew', async () => {
    const { session, counts, earlier, attend, ask, hear } = rig();
    hear(0, 1, 0.15);
    await attend();
    session.hear(talk(1), 1.45 * RATE);
    const events = await ask(0, 2.45 * RATE);
    expect(events[0]).toMatchObject({ text: '28 words' });
    expect(earlier).toEqual([undefined, '14 words']);
    // What was thought of the half is given up.
    expect(counts).toMatchObject({ heard: 2, asked: 2, returned: 2 });
  });

  it('tells how a sound was, and replies to it only when it is told to, from what it heard of it', async () => {
    const { session, ask, how, manners, counts } = rig();
    const vectors = [new Float32Array(4)];
    how.push({ said: { sound: 'cough' }, vectors });
    session.hear(silence(1), 0);
    expect(await ask(0, RATE)).toMatchObject([
      { type: 'transcript', text: '', speech: false, how: { sound: 'cough' } },
      { type: 'end' },
    ]);
    expect(counts.asked).toBe(0);
    const reply = await ask(0, RATE, never, { wordless: true });
    expect(reply.map(({ type }) => type)).toEqual(['transcript', 'text', 'audio', 'end']);
    expect(manners).toMatchObject([{ heard: vectors, wordless: { sound: 'cough' } }]);
    // It is the same sound: it is not heard anew.
    expect(counts.heard).toBe(1);
  });

  it('tells how words were said, and answers the words', async () => {
    const { hear, ask, how, manners } = rig();
    how.push({ said: { sound: 'speech', manner: 'hurried' }, vectors: [new Float32Array(4)] });
    hear(0, 1, 0.5);
    const events = await ask(0, 1.8 * RATE);
    expect(events[0]).toMatchObject({ type: 'transcript', speech: true, how: { sound: 'speech', manner: 'hurried' } });
    expect(manners[0]?.wordless).toBeUndefined();
    expect(manners[0]?.heard).toBeUndefined();
  });

  it('has nothing to say to a sound when nobody told how it was', async () => {
    const { session, ask, counts } = rig();
    session.hear(silence(1), 0);
    const events = await ask(0, RATE, never, { wordless: true });
    expect(events.map(({ type }) => type)).toEqual(['transcript', 'end']);
    expect(counts.asked).toBe(0);
  });

  it('does not look at half a word, nor at sounds that hold no words', async () => {
    const { session, counts, attend } = rig();
    session.hear(talk(0.1), 0);
    session.hear(silence(0.3), 0.1 * RATE);
    await attend();
    session.hear(silence(2), 10 * RATE);
    await attend();
    expect(counts).toMatchObject({ heard: 0, asked: 0 });
  });

  it('looks now and then while somebody speaks without a pause', async () => {
    const { session, counts, attend } = rig();
    session.hear(silence(0.3), 0);
    for (let tenth = 0; tenth < 60; tenth += 1) {
      session.hear(talk(0.1), (0.3 + tenth / 10) * RATE);
      await attend();
    }
    expect(counts.heard).toBeGreaterThanOrEqual(6);
    expect(counts.heard).toBeLessThanOrEqual(8);
    expect(counts.asked).toBe(0);
  });

  it('thinks anew when the history changed under what it had begun', async () => {
    const { session, counts, attend, ask, hear } = rig();
    hear(0, 1, 0.15);
    await attend();
    session.commit({ userText: undefined, heardText: 'Hello.', interrupted: false });
    await ask(0, 1.45 * RATE);
    expect(counts).toMatchObject({ heard: 1, asked: 2 });
  });

  it('cut short in looking ahead goes on later', async () => {
    const { session, counts, attend, hear } = rig();
    hear(0, 1, 0.15);
    expect(await session.attend!(never)).toBe(true);
    expect(await session.attend!(never)).toBe(true);
    const abort = new AbortController();
    abort.abort(new Error('more urgent'));
    await expect(session.attend!(abort.signal)).rejects.toThrow('more urgent');
    await attend();
    expect(counts.heard).toBe(1);
  });

  it('aborted while it speaks what was begun ahead stops there', async () => {
    const { session, attend, hear } = rig();
    hear(0, 1, 0.15);
    await attend();
    const abort = new AbortController();
    const answer = session.answer({ kind: 'audio', fromSample: 0, toSample: 1.45 * RATE }, abort.signal);
    const events = answer[Symbol.asyncIterator]();
    await events.next();
    abort.abort(new Error('barge-in'));
    await expect(events.next()).rejects.toThrow('barge-in');
  });
});
