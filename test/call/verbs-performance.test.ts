/** Verbs in order: what ends one, what leads to the next, and what the application is told. */
import type { Performance, Stage, Succession } from '../../src/call/call';
import { MAX_VERBS_OF_A_CALL, performVerbs, VerbCounts } from '../../src/call/verbs-performance';
import type { CallEventData, CallEventType } from '../../src/core/call-event';
import type { Action, VerbStep, WebhookAction } from '../../src/dialplan/dialplan';
import type { MediaLink } from '../../src/media/media-router';

const next: WebhookAction = {
  type: 'webhook',
  url: 'https://app.example/next',
  timeoutMs: 1_000,
  secret: undefined,
  fallback: { type: 'reject', status: 480, reason: undefined },
};
const say = (text: string): VerbStep => ({ verb: { type: 'say', text, voice: undefined }, next: undefined });
const dial = (followed = false): VerbStep => ({
  verb: { type: 'dial', to: '100', trunk: undefined, from: undefined, ringSeconds: 30, otherwise: undefined },
  next: followed ? next : undefined,
});
const agent = (handOver?: { readonly action: Action }): VerbStep => ({
  verb: {
    type: 'agent',
    persona: { id: 'p', name: 'P', instructions: '', facts: [] },
    greeting: undefined,
    turns: {},
    handOver,
  },
  next,
});

/** A call that does what it is told, and performances that are played by hand. */
function rig(steps: readonly VerbStep[], counts = new VerbCounts(), link = {} as MediaLink) {
  const told: string[] = [];
  const asked: (Succession & { readonly action: Action })[] = [];
  const verbs: VerbStep['verb'][] = [];
  let current: Stage | undefined;
  const performance = {} as Performance;
  const perform = (verb: VerbStep['verb'], stage: Stage): Performance => {
    verbs.push(verb);
    current = stage;
    return performance;
  };
  const stage: Stage = {
    callId: 'c',
    transport: 'sip',
    link,
    log: {} as Stage['log'],
    emit: (type, data) => void told.push(`${type} ${'code' in data ? data.code : ''}`.trim()),
    end: (cause) => void told.push(`end ${cause}`),
    become: (action, more) => void asked.push({ ...more, action }),
    take: async (name, make) => {
      told.push(`take ${name}`);
      make(stage);
      return true;
    },
    secure() {},
  };
  performVerbs({ type: 'verbs', steps }, stage, { perform, counts });
  const emit = <T extends CallEventType>(type: T, data: CallEventData<T>) => current?.emit(type, data);
  return {
    told,
    asked,
    verbs,
    emit,
    end: (cause: Parameters<Stage['end']>[0]) => current?.end(cause),
    now: () => current!,
  };
}

describe('an application’s verbs', () => {
  it('are done one after the other, and the call ends with the last', () => {
    const { told, verbs, end } = rig([say('One.'), dial(), say('Three.')]);
    end('finished');
    end('no-answer');
    end('finished');
    expect(verbs.map(({ type }) => type)).toEqual(['say', 'dial', 'say']);
    expect(told).toEqual(['take dial', 'take say', 'end finished']);
  });

  it.each(['caller-hangup', 'transferred', 'engine-failed', 'time-limit', 'idle'] as const)(
    'end when the call does: %s',
    (cause) => {
      const { told, end } = rig([say('One.'), say('Two.')]);
      end(cause);
      expect(told).toEqual([`end ${cause}`]);
    },
  );

  it('tell the URL that they name what became of them, in place of what stands behind', () => {
    const { asked, emit, end, verbs } = rig([dial(true), say('Never.')]);
    emit('transfer.failed', { to: '100', sipStatus: 486, cause: 'busy' });
    end('busy');
    expect(asked).toEqual([{ action: next, result: { verb: 'dial', to: '100', sipStatus: 486, cause: 'busy' } }]);
    expect(verbs).toHaveLength(1);
  });

  it('are over when whom the caller was connected with has hung up', async () => {
    const { asked, now, emit } = rig([dial(true)]);
    emit('transfer.completed', { to: '100', way: 'bridge', confirmed: true, peerCallId: 'p' });
    let bridge: Stage | undefined;
    await now().take('bridge', (stage) => {
      bridge = stage;
      return {} as Performance;
    });
    expect(asked).toEqual([]);
    bridge?.end('finished');
    expect(asked[0]?.result).toMatchObject({ verb: 'dial', way: 'bridge', peerCallId: 'p', cause: 'finished' });
  });

  it('ask the application when the agent wants somebody else, unless the dialplan knows whom', () => {
    const open = rig([agent()]);
    open.emit('agent.handover', {});
    expect(open.asked[0]?.result).toEqual({ verb: 'agent', cause: 'handover' });
    const known = rig([agent({ action: { type: 'echo' } })]);
    known.emit('agent.handover', {});
    expect(known.asked).toEqual([]);
    expect(known.told).toEqual(['agent.handover']);
  });

  it('tell the application what was typed into its menu', () => {
    const menu = { type: 'menu' } as unknown as VerbStep['verb'];
    const { now, asked } = rig([{ verb: menu, next }]);
    now().become({ ...next, fallback: { type: 'echo' } }, { digits: '12' });
    expect(asked).toEqual([{ action: next, digits: '12', result: { verb: 'menu', cause: 'finished', digits: '12' } }]);
    now().become({ type: 'echo' });
    expect(asked[1]).toEqual({ action: { type: 'echo' } });
  });

  it('are counted, and a call that an application leads in a circle is ended', () => {
    const counts = new VerbCounts();
    const link = {} as MediaLink;
    for (let at = 0; at < MAX_VERBS_OF_A_CALL; at++) expect(rig([say('Again.')], counts, link).told).toEqual([]);
    expect(rig([say('Again.')], counts, link).told).toEqual(['error webhook.too-many-verbs', 'end finished']);
    expect(rig([say('Another call.')], counts).told).toEqual([]);
    expect(counts).toMatchObject({ performed: MAX_VERBS_OF_A_CALL + 1, refused: 1 });
  });
});
