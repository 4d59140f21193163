/** What the engine speaks before the first call: what the dialplan says word for word, by persona and by menu. */
import { type AgentAction, type MenuPrompt, reachableActions } from '../dialplan/dialplan';
import type { LoadedDialplan } from '../dialplan/load-dialplan';
import { announcementOf } from './queue/announcement';
import type { Rehearsal } from './rehearsal';

/** Of a line, whose announcements are at hand before anybody waits. */
const FIRST_POSITIONS = [1, 2, 3] as const;

export function greetingsOf({ notice, greeting }: AgentAction): string[] {
  return [notice, greeting].filter((text) => text !== undefined);
}

/** What each persona of the dialplan says word for word, by one way of finding it. */
export function rehearsals(dialplan: LoadedDialplan, textsOf: (action: AgentAction) => readonly string[]): Rehearsal[] {
  const agents = agentsOf(dialplan);
  return dialplan.personas.map((persona) => ({
    persona,
    texts: [...new Set(agents.filter((agent) => agent.persona.id === persona.id).flatMap(textsOf))],
  }));
}

export function agentsOf({ routes }: LoadedDialplan): AgentAction[] {
  return routes.flatMap(({ action }) => reachableActions(action)).filter((action) => action.type === 'agent');
}

export function menuPromptsOf(dialplan: LoadedDialplan): MenuPrompt[] {
  const actions = dialplan.routes.flatMap(({ action }) => reachableActions(action));
  return actions.flatMap((action) => {
    if (action.type === 'voicemail') return action.prompt === undefined ? [] : [action.prompt];
    if (action.type === 'queue') return FIRST_POSITIONS.flatMap((at) => announcementOf(action.announce, at, undefined));
    if (action.type !== 'menu') return [];
    return action.again === undefined ? [action.prompt] : [action.prompt, action.again];
  });
}
