/** What a route does, in a line: for people who ask which rule a call would take. */
import type { Action } from './dialplan';

export function actionText(action: Action): string {
  switch (action.type) {
    case 'agent':
      return `agent ${action.persona.name} (${action.persona.facts.length} facts)`;
    case 'play':
      return `play ${action.path}${action.repeat > 1 ? `, ${action.repeat} times` : ''}`;
    case 'echo':
      return 'echo';
    case 'tone':
      return `tone of ${action.frequencyHz} Hz at ${action.levelDbm0} dBm0`;
    case 'reject':
      return `reject with ${action.status}${action.reason === undefined ? '' : ` ${action.reason}`}`;
    case 'menu':
      return `menu ${[...action.options.keys()].join(', ')}${action.secure ? ', secure' : ''}`;
    case 'transfer':
      return `transfer to ${action.to}${action.trunk === undefined ? '' : ` by ${action.trunk}`} (${action.mode})`;
    case 'dial':
      return `dial ${action.to}${action.trunk === undefined ? '' : ` by ${action.trunk}`}`;
    case 'voicemail':
      return `voicemail${action.mailbox === undefined ? '' : ` of ${action.mailbox}`}, up to ${action.maxSeconds} s`;
    case 'queue':
      return `queue ${action.name}, ${action.members.length} phones rung ${action.ring}, up to ${action.maxWaitSeconds} s`;
    case 'verbs':
      return action.steps.map(({ verb }) => verb.type).join(', ');
    case 'webhook':
      return `webhook ${shownUrl(action.url)}, within ${action.timeoutMs} ms, else ${actionText(action.fallback)}`;
  }
}

/** Without what may be a secret in it: account and query. */
function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
