/** The calls that the agent remembers, newest first. */
import { keepApiToken, pastCalls } from './api.js';

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

  async refresh() {
    const { calls, wantsToken } = await pastCalls();
    this.#form.hidden = wantsToken !== true;
    this.#table.hidden = calls === undefined || calls.length === 0;
    if (wantsToken) this.#note.textContent = 'The list of calls needs an API token.';
    else if (calls === undefined) this.#note.textContent = 'The list of calls is not available at the moment.';
    else this.#note.textContent = calls.length === 0 ? 'No calls yet. The first one will be listed here.' : '';
    if (calls === undefined) return;
    this.#table.tBodies[0].replaceChildren(...calls.slice(0, 20).map(rowOf));
  }
}

function rowOf(call) {
  const row = document.createElement('tr');
  const began = new Date(call.startedAt ?? call.createdAt ?? Number.NaN);
  const party = call.direction === 'outbound' ? `to ${call.to ?? ''}` : (call.to ?? '');
  cell(
    row,
    'Time',
    Number.isNaN(began.getTime()) ? '' : began.toLocaleString([], { dateStyle: 'short', timeStyle: 'medium' }),
  );
  cell(row, 'Number', party);
  cell(row, 'From', call.from ?? '');
  cell(row, 'Length', lengthOf(call));
  cell(row, 'Ended by', plain(call.cause ?? call.state ?? ''));
  return row;
}

function cell(row, label, text) {
  const data = row.insertCell();
  data.dataset.label = label;
  data.textContent = text;
}

function lengthOf(call) {
  const startedMs = Date.parse(call.answeredAt ?? call.startedAt ?? '');
  const endedMs = Date.parse(call.endedAt ?? '');
  const toldMs = call.durationMs ?? (call.durationSeconds === undefined ? undefined : call.durationSeconds * 1000);
  const lengthMs = toldMs ?? endedMs - startedMs;
  return Number.isFinite(lengthMs) ? clock(lengthMs) : '';
}

export function clock(lengthMs) {
  const seconds = Math.max(0, Math.floor(lengthMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function plain(word) {
  return String(word).replaceAll(/[-_]/g, ' ');
}
