/**
 * A line of callers and the people who serve it, as states and one pure transition function: whoever picks up gets the
 * caller who has waited longest, whatever phone rang first.
 */

/**
 * | phase | ring | answered, somebody waits | answered, nobody waits | not reached | stopped | hung up | rested | engaged | released |
 * |---|---|---|---|---|---|---|---|---|---|
 * | free | ringing | | | | | | | elsewhere | |
 * | ringing | | talking | free | resting | free | | | | |
 * | talking | | | | | | resting | | | |
 * | resting | | | | | | | free | | |
 * | elsewhere | | | | | | | | | free |
 *
 * Elsewhere: another line rings them, has them talking, or lets them rest.
 */
export type MemberPhase = 'free' | 'ringing' | 'talking' | 'resting' | 'elsewhere';

export interface LineMember {
  readonly id: string;
  readonly phase: MemberPhase;
}

export interface LineState {
  /** Call ids; the first has waited longest. */
  readonly waiting: readonly string[];
  /** In the order in which they are rung. */
  readonly members: readonly LineMember[];
}

export type LineEvent =
  | { readonly type: 'joined' | 'left'; readonly callId: string }
  | { readonly type: 'answered' | 'not-reached' | 'hung-up' | 'rested'; readonly member: string }
  /** Another line has begun, or ceased, to need them. */
  | { readonly type: 'engaged' | 'released'; readonly member: string }
  /** Who serves the line from now on, and whom of them another line needs just now; who talks goes on talking. */
  | { readonly type: 'members'; readonly ids: readonly string[]; readonly elsewhere: readonly string[] };

export type LineEffect =
  | { readonly type: 'ring' | 'stop-ringing' | 'dismiss'; readonly member: string }
  | { readonly type: 'connect'; readonly member: string; readonly callId: string }
  | { readonly type: 'rest'; readonly member: string; readonly after: 'no-answer' | 'call' };

export type RingOrder = 'one-by-one' | 'all';

export interface LineStep {
  readonly state: LineState;
  readonly effects: readonly LineEffect[];
}

export const EMPTY_LINE: LineState = { waiting: [], members: [] };

/** What does not fit the present phase, because it crossed with something else, changes nothing. */
export function nextLine(state: LineState, event: LineEvent, ring: RingOrder): LineStep {
  const taken = take(state, event);
  const settled = settle(taken.state, ring);
  return { state: settled.state, effects: [...taken.effects, ...settled.effects] };
}

function take(state: LineState, event: LineEvent): LineStep {
  const { waiting, members } = state;
  switch (event.type) {
    case 'joined':
      return unchanged(waiting.includes(event.callId) ? state : { members, waiting: [...waiting, event.callId] });
    case 'left':
      return unchanged({ members, waiting: waiting.filter((callId) => callId !== event.callId) });
    case 'members':
      return enrolled(state, event.ids, event.elsewhere);
    case 'engaged':
      return unchanged(phaseOf(state, event.member) === 'free' ? moved(state, event.member, 'elsewhere') : state);
    case 'released':
      return unchanged(phaseOf(state, event.member) === 'elsewhere' ? moved(state, event.member, 'free') : state);
    case 'answered': {
      const { member } = event;
      if (phaseOf(state, member) !== 'ringing') return unchanged(state);
      const [callId, ...others] = waiting;
      if (callId === undefined) return { state: moved(state, member, 'free'), effects: [{ type: 'dismiss', member }] };
      const next = moved({ members, waiting: others }, member, 'talking');
      return { state: next, effects: [{ type: 'connect', member, callId }] };
    }
    case 'not-reached':
      return rest(state, event.member, 'ringing', 'no-answer');
    case 'hung-up':
      return rest(state, event.member, 'talking', 'call');
    case 'rested':
      return unchanged(phaseOf(state, event.member) === 'resting' ? moved(state, event.member, 'free') : state);
  }
}

/** As many phones ring as there are callers, or all that are free; none for nobody. */
function settle(state: LineState, ring: RingOrder): LineStep {
  const idsIn = (phase: MemberPhase) => state.members.filter((one) => one.phase === phase).map(({ id }) => id);
  const ringing = idsIn('ringing');
  const wanted = ring === 'all' && state.waiting.length > 0 ? state.members.length : state.waiting.length;
  const more = idsIn('free').slice(0, Math.max(0, wanted - ringing.length));
  const fewer = ringing.slice(wanted);
  const rung = more.reduce((next, id) => moved(next, id, 'ringing'), state);
  return {
    state: fewer.reduce((next, id) => moved(next, id, 'free'), rung),
    effects: [
      ...fewer.map((member) => ({ type: 'stop-ringing' as const, member })),
      ...more.map((member) => ({ type: 'ring' as const, member })),
    ],
  };
}

function enrolled({ waiting, members }: LineState, ids: readonly string[], elsewhere: readonly string[]): LineStep {
  const gone = members.filter(({ id }) => !ids.includes(id));
  const fresh = (id: string): LineMember => ({ id, phase: elsewhere.includes(id) ? 'elsewhere' : 'free' });
  const kept = ids.map((id) => members.find((one) => one.id === id) ?? fresh(id));
  const silenced = gone.filter(({ phase }) => phase === 'ringing');
  return {
    state: { waiting, members: kept },
    effects: silenced.map(({ id }) => ({ type: 'stop-ringing', member: id })),
  };
}

/** Those whom the line itself needs: no other line may ring them. */
export function engagedBy({ members }: LineState): readonly string[] {
  return members.filter(({ phase }) => phase !== 'free' && phase !== 'elsewhere').map(({ id }) => id);
}

function rest(state: LineState, member: string, from: MemberPhase, after: 'no-answer' | 'call'): LineStep {
  if (phaseOf(state, member) !== from) return unchanged(state);
  return { state: moved(state, member, 'resting'), effects: [{ type: 'rest', member, after }] };
}

function phaseOf({ members }: LineState, id: string): MemberPhase | undefined {
  return members.find((one) => one.id === id)?.phase;
}

function moved({ waiting, members }: LineState, id: string, phase: MemberPhase): LineState {
  return { waiting, members: members.map((one) => (one.id === id ? { id, phase } : one)) };
}

function unchanged(state: LineState): LineStep {
  return { state, effects: [] };
}
