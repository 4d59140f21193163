/** Numbers and times as people read them. */
import { clock } from '../past-calls.js';

export function lengthOf(call, nowMs = Date.now()) {
  const beganMs = Date.parse(call.answeredAt ?? '');
  const endedMs = call.state === 'ended' ? Date.parse(call.endedAt ?? '') : nowMs;
  return Number.isFinite(endedMs - beganMs) ? clock(endedMs - beganMs) : '–';
}

export function timeOfDay(iso) {
  const time = new Date(iso ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? '' : time.toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' });
}

/** `1.1 %`; what is lost in thousands is no zero. */
export function percent(share) {
  return `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;
}

/** Who calls, as short as it can be told: the user of a SIP URI, with its host where that is all there is. */
export function party(uri) {
  const match = /^<?sips?:(?:([^@>;]+)@)?([^>;?]+)/.exec(uri ?? '');
  if (match === null) return uri ?? '';
  return match[1] ?? match[2];
}
