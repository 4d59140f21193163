/** The engine host: sessions, turn order, cancellation and failure, over a scripted model with virtual time. */

import { ManualClock } from '../../src/core/clock';
import { TrunklineError } from '../../src/core/errors';
import { EngineHost } from '../../src/inference/engine-host';
import type { FromEngine, ToEngine } from '../../src/inference/protocol';
import type { AnswerEvent, AnswerInput, OmniModel, OmniSession, Pace } from '../../src/model/omni-model';

const persona = { id: 'p', name: 'P', instructions: '', facts: [] };

/** A model whose answer is one text event per word of the typed text, then a second of audio, then the end. */
class WordModel implements OmniModel {
  readonly name = 'words';
  readonly outputSampleRate = 8_000;
  readonly sessions: WordSession[] = [];
  warmSteps = 0;
  onWarmStep: () => void = () => {};
  warm?: OmniModel['warm'] = async function* (this: WordModel): AsyncGenerator<void> {
    for (; this.warmSteps < 3; this.warmSteps += 1) {
      this.onWarmStep();
      yield;
    }
  }.bind(this);
  async openSession(): Promise<OmniSession> {
    const session = new WordSession();
    this.sessions.push(session);
    return session;
  }
  async close(): Promise<void> {}
}

class WordSession implements OmniSession {
  commits: string[] = [];
  closed = false;
  attended = 0;
  attend?: OmniSession['attend'];
  pace?: Pace;
  hear(): void {}
  async *answer(input: AnswerInput, _signal: AbortSignal, pace?: Pace): AsyncGenerator<AnswerEvent> {
    this.pace = pace;
    if (input.kind === 'audio') throw new TrunklineError('ear.unheard', 'Nothing was heard.');
    for (const word of input.text.split(' ')) yield { type: 'text', delta: `${word} ` };
    yield { type: 'audio', pcm: new Int16Array(8_000), sampleRate: 8_000, words: [] };
    yield { type: 'end', stages: {} };
  }
  async listen(): Promise<{ text: string; speech: boolean }> {
    return { text: 'stop', speech: true };
  }
  commit(turn: { heardText: string }): void {
    this.commits.push(turn.heardText);
  }
  close(): void {
    this.closed = true;
  }
}

function rig(maxCalls = 4) {
  const sent: FromEngine[] = [];
  const model = new WordModel();
  const clock = new ManualClock();
  const host = new EngineHost({
    load: async () => model,
    send: (message) => sent.push(message),
    nowMs: () => clock.nowMs(),
    after: (delayMs, run) => clock.after(delayMs, run),
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
    maxCalls,
  });
  const breathe = async (turns = 60) => {
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const settle = async () => {
    for (let turn = 0; turn < 60; turn += 1) {
      await breathe(1);
      clock.advance(20);
    }
  };
  const start = async () => {
    host.receive({ type: 'load', config: { name: 'words', modelsDir: '', threads: 1 } });
    await settle();
    host.receive({ type: 'open', callId: 'a', persona });
    host.receive({ type: 'open', callId: 'b', persona });
    await settle();
  };
  return { sent, model, clock, host, breathe, settle, start };
}

const answer = (callId: string, turnId: number, text: string, speculative = false): ToEngine => ({
  type: 'answer',
  callId,
  turnId,
  input: { kind: 'text', text },
  speculative,
});

const textsOf = (sent: FromEngine[], callId: string) =>
  sent.flatMap((message) =>
    message.type === 'answer-event' && message.callId === callId && message.event.type === 'text'
      ? [message.event.delta.trim()]
      : [],
  );

describe('the engine host', () => {
  it('streams an answer to its end', async () => {
    const { sent, host, settle, start } = rig();
    await start();
    host.receive(answer('a', 1, 'one two three'));
    await settle();
    expect(textsOf(sent, 'a')).toEqual(['one', 'two', 'three']);
    expect(sent.at(-1)).toMatchObject({ type: 'answer-event', turnId: 1, event: { type: 'end' } });
  });

  it('stops a cancelled answer and says so once', async () => {
    const { sent, host, settle, start } = rig();
    await start();
    host.receive(answer('a', 1, 'one two three four five six seven eight'));
    await new Promise((resolve) => setImmediate(resolve));
    host.receive({ type: 'cancel', callId: 'a', turnId: 1 });
    host.receive({ type: 'cancel', callId: 'a', turnId: 1 });
    await settle();
    const cancelledAt = sent.findIndex((message) => message.type === 'cancelled');
    expect(sent.filter((message) => message.type === 'cancelled')).toHaveLength(1);
    expect(sent.slice(cancelledAt + 1)).toEqual([]);
  });

  it('lets a newer turn of the same call end the older one', async () => {
    const { sent, host, settle, start } = rig();
    await start();
    host.receive(answer('a', 1, 'old old old old old old old'));
    host.receive(answer('a', 2, 'new'));
    await settle();
    expect(sent.filter((message) => message.type === 'cancelled')).toEqual([
      { type: 'cancelled', callId: 'a', turnId: 1 },
    ]);
    expect(textsOf(sent, 'a').at(-1)).toBe('new');
  });

  it('serves a finished turn before a speculative one', async () => {
    const { sent, host, settle, start } = rig();
    await start();
    host.receive(answer('a', 1, 'guess guess guess', true));
    host.receive(answer('b', 1, 'real real real'));
    await settle();
    const order = sent.flatMap((message) =>
      message.type === 'answer-event' && message.event.type === 'text' ? [message.callId] : [],
    );
    expect(order.slice(0, 3)).toEqual(['b', 'b', 'b']);
  });

  it('serves the other call while the first one is ahead of its playout', async () => {
    const { sent, host, settle, start } = rig();
    await start();
    host.receive(answer('a', 1, 'x'));
    await settle();
    host.receive(answer('b', 1, 'y'));
    await settle();
    expect(textsOf(sent, 'b')).toEqual(['y']);
  });

  it('turns an exception of the model into a coded failure of that turn alone', async () => {
    const { sent, host, settle, start } = rig();
    await start();
    host.receive({
      type: 'answer',
      callId: 'a',
      turnId: 1,
      input: { kind: 'audio', fromSample: 0, toSample: 1 },
      speculative: false,
    });
    host.receive(answer('b', 1, 'fine'));
    await settle();
    expect(sent).toContainEqual(
      expect.objectContaining({ type: 'failed', callId: 'a', turnId: 1, code: 'ear.unheard' }),
    );
    expect(textsOf(sent, 'b')).toEqual(['fine']);
  });

  it('refuses a call beyond its limit and closes sessions of calls that end', async () => {
    const { sent, model, host, settle, start } = rig(2);
    await start();
    host.receive({ type: 'open', callId: 'c', persona });
    await settle();
    expect(sent).toContainEqual(expect.objectContaining({ type: 'failed', callId: 'c', code: 'engine.full' }));
    host.receive({ type: 'close', callId: 'a' });
    await settle();
    expect(model.sessions[0]?.closed).toBe(true);
  });

  it('keeps in order what arrives while a call is still opening', async () => {
    const { sent, model, host, settle } = rig();
    host.receive({ type: 'load', config: { name: 'words', modelsDir: '', threads: 1 } });
    await settle();
    host.receive({ type: 'open', callId: 'a', persona });
    host.receive({
      type: 'commit',
      callId: 'a',
      turnId: 0,
      userText: undefined,
      heardText: 'hello',
      interrupted: false,
    });
    host.receive(answer('a', 1, 'now'));
    await settle();
    expect(model.sessions[0]?.commits).toEqual(['hello']);
    expect(textsOf(sent, 'a')).toEqual(['now']);
  });
});

describe('making sound', () => {
  const pieces = async function* (): AsyncGenerator<AnswerEvent> {
    for (let piece = 0; piece < 40; piece += 1) {
      yield { type: 'audio', pcm: new Int16Array(800), sampleRate: 8_000, words: [] };
    }
    yield { type: 'end', stages: {} };
  };
  const madeMs = (sent: readonly FromEngine[]) =>
    100 * sent.filter((message) => message.type === 'answer-event' && message.event.type === 'audio').length;

  it('stays 400 ms ahead of what is heard, and a piece more at most', async () => {
    const { sent, model, clock, host, breathe, start } = rig();
    await start();
    model.sessions[0]!.answer = pieces;
    host.receive(answer('a', 1, 'x'));
    const startedMs = clock.nowMs();
    await breathe();
    for (let step = 0; step < 100; step += 1) {
      const playedMs = Math.min(4_000, clock.nowMs() - startedMs);
      expect(madeMs(sent) - playedMs).toBeLessThanOrEqual(500);
      expect(madeMs(sent)).toBeGreaterThanOrEqual(Math.min(4_000, playedMs + 400));
      clock.advance(50);
      await breathe();
    }
    expect(sent.at(-1)).toMatchObject({ event: { type: 'end', stages: {} } });
  });

  it('of a guess waits at 400 ms until the guess is true', async () => {
    const { sent, model, clock, host, breathe, start } = rig();
    await start();
    model.sessions[0]!.answer = pieces;
    host.receive(answer('a', 1, 'x', true));
    await breathe();
    clock.advance(3_000);
    await breathe();
    expect(madeMs(sent)).toBeLessThanOrEqual(500);
    host.receive({ type: 'promote', callId: 'a', turnId: 1 });
    clock.advance(1_000);
    await breathe();
    expect(madeMs(sent)).toBeGreaterThanOrEqual(1_400);
  });

  it('of a sentence that is spoken to be kept waits for nothing: nobody hears it yet', async () => {
    const { sent, model, host, breathe, start } = rig();
    await start();
    model.sessions[0]!.answer = pieces;
    host.receive({ type: 'answer', callId: 'a', turnId: 1, input: { kind: 'say', text: 'x' }, speculative: true });
    await breathe();
    expect(madeMs(sent)).toBe(4_000);
    expect(sent.at(-1)).toMatchObject({ event: { type: 'end' } });
  });

  it('tells the model how soon it is needed: at once, not while it is ahead, and never once it is cancelled', async () => {
    const { model, host, breathe, start } = rig();
    await start();
    host.receive(answer('a', 1, 'one', true));
    await breathe();
    const { pace } = model.sessions[0]!;
    // A second of sound that nobody hears yet.
    expect(pace!.dueInMs()).toBe(600);
    expect(pace!.urgency()).toBeLessThan(-900_000);
    host.receive({ type: 'promote', callId: 'a', turnId: 1 });
    expect(pace!.urgency()).toBe(-850);
    host.receive(answer('b', 1, 'one two three'));
    await breathe(3);
    const other = model.sessions[1]!.pace!;
    expect([other.dueInMs(), other.urgency()]).toEqual([-400, 0]);
    host.receive({ type: 'cancel', callId: 'b', turnId: 1 });
    expect(other.dueInMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('too late for its playout is counted in the stages of the turn', async () => {
    const { sent, model, clock, host, breathe, start } = rig();
    await start();
    model.sessions[0]!.answer = async function* () {
      for await (const event of pieces()) {
        clock.advance(300);
        yield event;
      }
    };
    host.receive(answer('a', 1, 'x'));
    await breathe(400);
    expect(sent.at(-1)).toMatchObject({ event: { type: 'end', stages: { late: 39 } } });
  });

  it('ends at once when cancelled while it waits, and leaves no job', async () => {
    const { sent, model, host, breathe, start } = rig();
    await start();
    model.sessions[0]!.answer = pieces;
    host.receive(answer('a', 1, 'x'));
    await breathe();
    const made = madeMs(sent);
    host.receive({ type: 'cancel', callId: 'a', turnId: 1 });
    await breathe();
    expect(madeMs(sent)).toBe(made);
    expect(sent.at(-1)).toMatchObject({ type: 'cancelled' });
  });
});

describe('listening ahead', () => {
  const hear = (host: { receive(message: ToEngine): void }, callId: string) =>
    host.receive({ type: 'hear', callId, startSample: 0, pcm: new Int16Array(160) });

  it('goes on step by step while nobody needs the model, and once more with new audio', async () => {
    const { model, host, breathe, start } = rig();
    await start();
    const session = model.sessions[0]!;
    session.attend = async () => {
      session.attended += 1;
      return session.attended % 3 !== 0;
    };
    hear(host, 'a');
    hear(host, 'a');
    await breathe();
    expect(session.attended).toBe(3);
    hear(host, 'a');
    await breathe();
    expect(session.attended).toBe(6);
  });

  it.each([
    ['another call', 'b', true],
    ['the answer of its own call, which wants the same', 'a', false],
  ])('is cut short by %s: %s %s', async (_, callId, cut) => {
    const { model, host, breathe, start } = rig();
    await start();
    let reason: unknown;
    let release = () => {};
    model.sessions[0]!.attend = async (signal) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      reason = signal.reason;
      signal.throwIfAborted();
      return false;
    };
    hear(host, 'a');
    await breathe(3);
    host.receive(answer(callId, 1, 'x'));
    release();
    await breathe();
    expect(reason !== undefined).toBe(cut);
    release();
  });
});

describe('warming a persona', () => {
  it('says when it is done, and makes no sound', async () => {
    const { sent, model, host, settle, start } = rig();
    await start();
    host.receive({ type: 'warm', persona });
    await settle();
    expect(model.warmSteps).toBe(3);
    expect(sent).toContainEqual({ type: 'warmed', personaId: 'p', tookMs: expect.any(Number) });
    expect(sent.some(({ type }) => type === 'answer-event')).toBe(false);
  });

  it('waits behind every answer, guesses included', async () => {
    const { sent, model, host, settle, start } = rig();
    await start();
    model.onWarmStep = () => sent.push({ type: 'warmed', personaId: 'a step', tookMs: 0 });
    host.receive({ type: 'warm', persona });
    host.receive(answer('a', 1, 'guess guess guess guess', true));
    host.receive(answer('b', 1, 'real real real real'));
    await settle();
    const firstStep = sent.findIndex((message) => message.type === 'warmed');
    const told = (type: string) => (message: FromEngine) =>
      message.type === 'answer-event' && message.event.type === type;
    expect(firstStep).toBeGreaterThan(sent.findLastIndex(told('text')));
    // Then both answers are ahead of their playout, and nobody needs the model.
    expect(firstStep).toBeLessThan(sent.findLastIndex(told('end')));
  });

  it('that fails is told as such, and no call is told that the engine failed', async () => {
    const { sent, model, host, settle, start } = rig();
    await start();
    model.onWarmStep = () => {
      throw new TrunklineError('trunk.too-many-contexts', 'All sequences are in use.');
    };
    host.receive({ type: 'warm', persona });
    await settle();
    expect(sent).toContainEqual({ type: 'warmed', personaId: 'p', tookMs: 0, failed: 'All sequences are in use.' });
    expect(sent.some(({ type }) => type === 'failed')).toBe(false);
  });

  it('is over at once when the model has nothing to prepare, and is refused before there is a model', async () => {
    const { sent, model, host, settle } = rig();
    host.receive({ type: 'warm', persona });
    expect(sent).toEqual([{ type: 'warmed', personaId: 'p', tookMs: 0, failed: 'the engine is not loaded' }]);
    model.warm = undefined;
    host.receive({ type: 'load', config: { name: 'words', modelsDir: '', threads: 1 } });
    await settle();
    host.receive({ type: 'warm', persona });
    expect(sent.at(-1)).toEqual({ type: 'warmed', personaId: 'p', tookMs: 0 });
  });
});
