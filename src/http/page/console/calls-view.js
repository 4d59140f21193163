/** Live calls and past calls, the newest first. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { wordsForCause } from '../causes.js';
import { getJson } from './agent-api.js';
import { html } from './html.js';
import { useShortcuts } from './shortcuts.js';
import { lengthOf, party, timeOfDay } from './words.js';

const PAGE = 50;

export function CallsView({ happened, onRefused }) {
  const [calls, setCalls] = useState();
  const [next, setNext] = useState();
  const [failure, setFailure] = useState();
  const [, tick] = useState(0);

  const load = useCallback(async () => {
    try {
      const page = await getJson(`v1/calls?limit=${PAGE}`);
      setCalls(page.calls);
      setNext(page.nextCursor);
      setFailure(undefined);
    } catch (error) {
      if (error.wantsToken) onRefused();
      else setFailure(error);
    }
  }, [onRefused]);
  const more = async () => {
    const page = await getJson(`v1/calls?limit=${PAGE}&cursor=${encodeURIComponent(next)}`).catch(setFailure);
    if (page === undefined) return;
    setCalls((before) => [...before, ...page.calls]);
    setNext(page.nextCursor);
  };

  useEffect(() => void load(), [load, happened.count]);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    document.title = 'Calls · Trunkline console';
  }, []);
  const move = (step) => () => {
    const rows = [...document.querySelectorAll('.calls tbody a')];
    const at = rows.indexOf(document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
  };
  useShortcuts({ j: { name: 'next call', run: move(1) }, k: { name: 'call before', run: move(-1) } });

  if (failure !== undefined && calls === undefined) return html`<${Failure} failure=${failure} />`;
  if (calls === undefined) return html`<p class="empty" role="status">Looking them up.</p>`;
  const live = calls.filter(({ state }) => state !== 'ended');
  const past = calls.filter(({ state }) => state === 'ended');
  return html`
    ${failure !== undefined && html`<${Failure} failure=${failure} />`}
    <section class="card" aria-labelledby="live-title">
      <div class="card-head"><h2 id="live-title">Live calls</h2><p class="summary">${live.length}</p></div>
      ${
        live.length === 0
          ? html`<p class="empty">Nobody is on the line.</p>`
          : html`<${CallTable} calls=${live} label="Live calls" />`
      }
    </section>
    <section class="card" aria-labelledby="past-title">
      <div class="card-head"><h2 id="past-title">Past calls</h2></div>
      ${
        past.length === 0
          ? html`<p class="empty">No calls yet. The first one will be listed here.</p>`
          : html`<${CallTable} calls=${past} label="Past calls" />`
      }
      ${next !== undefined && html`<button type="button" class="plain" onClick=${more}>Older calls</button>`}
    </section>`;
}

function CallTable({ calls, label }) {
  return html`<table class="calls" aria-label=${label}>
    <thead>
      <tr>
        <th scope="col">Number</th><th scope="col">From</th><th scope="col" class="wide">Began</th>
        <th scope="col">Length</th><th scope="col" class="wide">MOS</th><th scope="col">State</th>
      </tr>
    </thead>
    <tbody>
      ${calls.map(
        (call) => html`<tr key=${call.id}>
          <td><a href=${`#/calls/${encodeURIComponent(call.id)}`}>${party(call.to)}</a></td>
          <td>${party(call.from)}</td>
          <td class="wide">${timeOfDay(call.startedAt)}</td>
          <td class="number">${lengthOf(call)}</td>
          <td class="number wide">${call.quality?.mos?.toFixed(1) ?? '–'}</td>
          <td>${call.cause === undefined ? html`<span class="tag" data-state=${call.state}>${call.state}</span>` : wordsForCause(call.cause)}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

export function Failure({ failure }) {
  return html`<p class="notice" role="alert"><strong>${failure.message}</strong> ${failure.fix ?? ''}</p>`;
}
