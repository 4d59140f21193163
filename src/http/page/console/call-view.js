/** One call: who, what became of it, and everything that is kept of it. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { wordsForCause } from '../causes.js';
import { Waterfall } from '../waterfall.js';
import { download, getJson } from './agent-api.js';
import { Failure } from './calls-view.js';
import { html } from './html.js';
import { Ladder } from './ladder.js';
import { ListenIn } from './listen-in.js';
import { Quality } from './quality.js';
import { Conversation } from './recording.js';
import { lengthOf, party, percent, timeOfDay } from './words.js';

/** Of a live call: its messages and its quality change without an event. */
const LOOK_AGAIN_MS = 3000;

export function CallView({ id, happened, onRefused }) {
  const [call, setCall] = useState();
  const [failure, setFailure] = useState();
  const path = `v1/calls/${encodeURIComponent(id)}`;

  const load = useCallback(async () => {
    try {
      const parts = ['', '/timeline', '/sip', '/quality'].map((part) => getJson(path + part));
      const [record, { events }, sip, quality] = await Promise.all(parts);
      setCall({ record, events, sip, quality });
      setFailure(undefined);
    } catch (error) {
      if (error.wantsToken) onRefused();
      else setFailure(error);
    }
  }, [path, onRefused]);

  const concerned = happened.callIds.some((one) => one === id || one === '*') ? happened.count : 0;
  useEffect(() => void load(), [load, concerned]);
  const live = call !== undefined && call.record.state !== 'ended';
  useEffect(() => {
    if (!live) return undefined;
    const timer = setInterval(load, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [live, load]);
  useEffect(() => {
    if (call !== undefined) document.title = `${party(call.record.to)} · Trunkline console`;
  }, [call]);

  if (call === undefined) {
    return failure === undefined
      ? html`<p class="empty" role="status">Looking it up.</p>`
      : html`<${Failure} failure=${failure} />`;
  }
  const { record, events, sip, quality } = call;
  return html`
    <p class="back"><a href="#/">All calls</a></p>
    ${failure !== undefined && html`<${Failure} failure=${failure} />`}
    <${Head} record=${record} path=${path} hasWire=${sip.messages.length > 0 || quality.samples.length > 0} />
    <${Conversation} record=${record} events=${events} path=${path} />
    <div class="columns">
      <${Answers} events=${events} />
      <${Quality} quality=${quality} record=${record} />
    </div>
    <${Ladder} sip=${sip} record=${record} />
    <${Events} events=${events} />`;
}

function Head({ record, path, hasWire }) {
  const [failure, setFailure] = useState();
  const save = () => download(`${path}/pcap`, `${record.id}.pcap`).then(() => setFailure(undefined), setFailure);
  const { quality } = record;
  const facts = [
    ['From', record.from],
    ['To', record.to],
    ['Began', timeOfDay(record.startedAt)],
    ['Length', lengthOf(record)],
    ['Way', [record.direction, record.transport === 'sip' ? 'SIP' : 'WebRTC', record.trunk].filter(Boolean).join(', ')],
    ['Action', record.action],
    ['Codec', quality?.codec && `${quality.codec}${quality.protection === 'none' ? '' : `, ${quality.protection}`}`],
    ['Loss', quality?.lostShare !== undefined && percent(quality.lostShare)],
    ['MOS', quality?.mos?.toFixed(2)],
    ['SIP Call-ID', record.sipCallId],
  ].filter(([, value]) => value);
  return html`<section class="card call-head" aria-labelledby="call-title">
    <div class="card-head">
      <h2 id="call-title">${party(record.from)} → ${party(record.to)}</h2>
      <span class="tag" data-state=${record.state}>${record.cause === undefined ? record.state : wordsForCause(record.cause)}</span>
    </div>
    <dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    ${record.state === 'answered' && record.action !== 'listen' && html`<${ListenIn} id=${record.id} />`}
    <div class="buttons">
      <button type="button" class="plain" onClick=${save} disabled=${!hasWire}>Capture file (pcap)</button>
    </div>
    ${failure !== undefined && html`<${Failure} failure=${failure} />`}
  </section>`;
}

/** The softphone's own picture, from the events of the call. */
function Answers({ events }) {
  const list = useRef();
  const summary = useRef();
  const answers = events.filter(({ type, data }) => type === 'turn.agent' && data.stages?.firstPacketMs !== undefined);
  useEffect(() => {
    const waterfall = new Waterfall(list.current, summary.current);
    waterfall.clear();
    for (const { data } of answers) waterfall.show({ turnId: data.turn, stages: { speechEndMs: 0, ...data.stages } });
  }, [answers.length]);
  return html`<section class="card" aria-labelledby="answers-title">
    <div class="card-head"><h2 id="answers-title">Where the time went</h2><p class="summary" ref=${summary}></p></div>
    ${answers.length === 0 && html`<p class="empty">No answer was timed in this call.</p>`}
    <ol id="turns" aria-label="Answers, newest first" ref=${list}></ol>
  </section>`;
}

function Events({ events }) {
  return html`<section class="card" aria-labelledby="events-title">
    <details>
      <summary><h2 id="events-title">Events</h2> <span class="summary">${events.length}</span></summary>
      <ol class="events">
        ${events.map(
          ({ id, type, occurredAt, data }) => html`<li key=${id}>
            <time datetime=${occurredAt}>${new Date(occurredAt).toLocaleTimeString()}</time>
            <code>${type}</code> <span>${told(data)}</span>
          </li>`,
        )}
      </ol>
    </details>
  </section>`;
}

function told(data) {
  const plain = Object.entries(data).filter(([, value]) => typeof value !== 'object');
  return plain.map(([name, value]) => `${name}: ${value}`).join(', ');
}
