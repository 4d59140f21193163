/** Keys that do something, and their list at the foot of the page: what is written there is what works. */
import { useEffect, useState } from 'preact/hooks';
import { html } from './html.js';

/** Key -> a stack: the view that came last has it. */
const known = new Map();
const watchers = new Set();

/** `keys`: by key in lower case, `{ name, run }`; one without a name works and is not listed. */
export function useShortcuts(keys) {
  useEffect(() => {
    for (const [key, shortcut] of Object.entries(keys)) known.set(key, [...(known.get(key) ?? []), shortcut]);
    for (const watch of watchers) watch();
    return () => {
      for (const [key, shortcut] of Object.entries(keys)) {
        const left = known.get(key).filter((one) => one !== shortcut);
        if (left.length > 0) known.set(key, left);
        else known.delete(key);
      }
      for (const watch of watchers) watch();
    };
  });
}

export function keyOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (/^(input|textarea|select)$/i.test(event.target.tagName)) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const shortcut = known.get(event.key.toLowerCase())?.at(-1);
  if (shortcut === undefined) return;
  event.preventDefault();
  shortcut.run();
}

const SHOWN = { arrowleft: '←', arrowright: '→' };

export function ShortcutList() {
  const [, look] = useState(0);
  useEffect(() => {
    const watch = () => look((count) => count + 1);
    watchers.add(watch);
    watch();
    return () => watchers.delete(watch);
  }, []);
  const listed = [...known].map(([key, stack]) => [key, stack.at(-1)]).filter(([, { name }]) => name !== undefined);
  return html`<p>${listed.map(([key, { name }]) => html`<span class="shortcut" key=${key}><kbd>${SHOWN[key] ?? key.toUpperCase()}</kbd> ${name} </span>`)}</p>`;
}
