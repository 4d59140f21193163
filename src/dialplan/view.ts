/** A dialplan in use, and its files as they lie there now, for people who look at them from outside. */
import type { DialplanCheck, DialplanView } from '../core/dialplan-view';
import { TrunklineError } from '../core/errors';
import { actionText } from './action-text';
import { type LoadedDialplan, loadDialplan } from './load-dialplan';
import { chooseRoute } from './matcher';

export function dialplanView(plan: LoadedDialplan): DialplanView {
  return {
    rules: () => ({
      rules: plan.routes.map(({ name, place, match, action }) => ({
        ...{ name, place, match: { ...match }, action: actionText(action) },
      })),
      warnings: [...plan.warnings],
    }),
    route: (call) => {
      const { route, action, passedOver } = chooseRoute(plan, call);
      return {
        ...(route === undefined ? {} : { rule: { name: route.name, place: route.place } }),
        action: actionText(action),
        actionType: action.type,
        passedOver: passedOver.map(({ route: { name, place }, because }) => ({ name, place, because })),
      };
    },
    check: () => checkFiles(plan.folder),
  };
}

function checkFiles(folder: string): DialplanCheck {
  try {
    const { routes, warnings } = loadDialplan(folder);
    return { right: true, rules: routes.length, warnings: [...warnings], faults: [] };
  } catch (error) {
    if (!(error instanceof TrunklineError)) throw error;
    const faults = error.message.split('\n').filter((line) => line.trim() !== '');
    return { right: false, rules: 0, warnings: [], faults };
  }
}
