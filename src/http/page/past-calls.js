/** The calls that the agent remembers, newest first; without a token, those that were placed from this tab. */
import { keepApiToken, pastCalls } from './api.js';
import { wordsForCause } from './causes.js';

const OWN_KEY = 'trunkline-own-calls';
const MAX_ROWS = 20;

export class PastCalls {
  #table;
  #note;
  #form;

  constructor(table, note, form) {
    this.#table = table;
    this.#note = note;
    this.#form = form;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      keepApiToken(new FormData(form).get('token').trim());
      form.reset();
      this.refresh();
    });
  }

  /** `call` as in the call record, as far as the page knows it. */
  rememberOwn(call) {
    sessionStorage.setItem(OWN_KEY, JSON.stringify([call, ...ownCalls()].slice(0, MAX_ROWS)));
  }

  async refresh() {
    const { calls, wantsToken } = await pastCalls();
    const shown = (calls ?? ownCalls()).slice(0, MAX_ROWS);
    this.#form.hidden = wantsToken !== true;
    this.#table.hidden = shown.length === 0;
    this.#note.hidden = calls !== undefined && shown.length > 0;
    if (calls !== undefined) this.#note.textContent = 'No calls yet. The first one will be listed here.';
    else if (wantsToken) this.#note.textContent = 'Calls of this tab. With an API token, all calls are listed.';
    else this.#note.textContent = 'The list of all calls is not available at the moment.';
    this.#table.tBodies[0].replaceChildren(...shown.map(rowOf));
  }
}

function ownCalls() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(OWN_KEY) ?? '[]');
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

function rowOf(call) {
  const row = document.createElement('tr');
  const began = new Date(call.startedAt ?? Number.NaN);
  const time = { dateStyle: 'medium', timeStyle: 'short' };
  const answered = Date.parse(call.answeredAt ?? '');
  const lengthMs = Date.parse(call.endedAt ?? '') - answered;
  cell(row, 'time', Number.isNaN(began.getTime()) ? '' : began.toLocaleString([], time));
  cell(row, 'number', call.direction === 'outbound' ? `to ${call.to ?? ''}` : (call.to ?? ''));
  cell(row, 'from', call.from ?? '');
  cell(row, 'length', Number.isFinite(lengthMs) ? clock(lengthMs) : '–');
  cell(row, 'gap', medianGap(call.quality?.turnGapsMs));
  cell(row, 'cause', call.cause === undefined ? (call.state ?? '') : wordsForCause(call.cause));
  return row;
}

function cell(row, name, text) {
  const data = row.insertCell();
  data.className = name;
  data.textContent = text;
}

function medianGap(gapsMs) {
  if (!Array.isArray(gapsMs) || gapsMs.length === 0) return '–';
  const sorted = gapsMs.toSorted((a, b) => a - b);
  return `${Math.round(sorted[Math.floor((sorted.length - 1) / 2)])} ms`;
}

export function clock(lengthMs) {
  const seconds = Math.max(0, Math.floor(lengthMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
