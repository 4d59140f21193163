/** The engine host: sessions, turn order, cancellation and failure, over a scripted model with virtual time. */

import { TrunklineError } from '../../src/core/errors';
import { EngineHost } from '../../src/inference/engine-host';
import type { FromEngine, ToEngine } from '../../src/inference/protocol';
import type { AnswerEvent, AnswerInput, OmniModel, OmniSession } from '../../src/model/omni-model';

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
  hear(): void {}
  async *answer(input: AnswerInput): AsyncGenerator<AnswerEvent> {
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
  const host = new EngineHost({
    load: async () => model,
    send: (message) => sent.push(message),
    nowMs: () => 0,
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
    maxCalls,
  });
  const settle = async () => {
    for (let turn = 0; turn < 60; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const start = async () => {
    host.receive({ type: 'load', config: { name: 'words', modelsDir: '', threads: 1 } });
    await settle();
    host.receive({ type: 'open', callId: 'a', persona });
    host.receive({ type: 'open', callId: 'b', persona });
    await settle();
  };
  return { sent, model, host, settle, start };
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

describe('warming a persona', () => {
  it('says when it is done, and makes no sound', async () => {
    const { sent, model, host, settle, start } = rig();
    await start();
    host.receive({ type: 'warm', persona });
    await settle();
    expect(model.warmSteps).toBe(3);
    expect(sent).toContainEqual({ type: 'warmed', personaId: 'p', tookMs: 0 });
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
    expect(firstStep).toBeGreaterThan(sent.findLastIndex((message) => message.type === 'answer-event'));
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
