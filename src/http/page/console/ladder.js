/** The call's SIP messages as a ladder (the form of RFC 3665): one column a party, one arrow a message, its text on request. */
import { useState } from 'preact/hooks';
import { html } from './html.js';

const OURS = 'Trunkline';

export function Ladder({ sip, record }) {
  const [open, setOpen] = useState();
  const [withCopies, setWithCopies] = useState(false);
  const copies = sip.messages.filter(({ copy }) => copy).length;
  const shown = sip.messages.filter(({ copy }) => withCopies || !copy);
  const farEnds = [...new Set(sip.messages.map(({ remote }) => remote))];
  const parties = record.direction === 'inbound' ? [...farEnds, OURS] : [OURS, ...farEnds];
  const beganMs = Date.parse(sip.messages[0]?.at ?? '');
  return html`<section class="card" aria-labelledby="ladder-title">
    <div class="card-head">
      <h2 id="ladder-title">SIP</h2>
      ${
        copies > 0 &&
        html`<label class="tick"><input type="checkbox" checked=${withCopies} onChange=${(event) => setWithCopies(event.target.checked)} /> ${copies} sent again</label>`
      }
    </div>
    ${
      sip.messages.length === 0
        ? html`<p class="empty">${
            record.transport === 'webrtc'
              ? 'A browser’s call has no SIP.'
              : 'Nothing is kept of this call’s messages: they are of calls since the agent’s start.'
          }</p>`
        : html`<div class="ladder" style=${{ '--parties': parties.length }}>
            <div class="parties"><span></span>${parties.map((name) => html`<span key=${name}>${name}</span>`)}</div>
            <ol aria-label="SIP messages, oldest first">
              ${shown.map((message, index) => {
                const key = `${message.at} ${index}`;
                return html`<${Arrow} key=${key} message=${message} parties=${parties} afterMs=${Date.parse(message.at) - beganMs}
                  open=${open === key} toggle=${() => setOpen(open === key ? undefined : key)} />`;
              })}
            </ol>
          </div>`
    }
    ${sip.dropped > 0 && html`<p class="empty">${sip.dropped} more were not kept.</p>`}
  </section>`;
}

function Arrow({ message, parties, afterMs, open, toggle }) {
  const [us, them] = [parties.indexOf(OURS), parties.indexOf(message.remote)];
  const [from, to] = message.sent ? [us, them] : [them, us];
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  const span = right - left + 1;
  const name = labelOf(message.text);
  const kind = /^[1-6]\d\d/.exec(name)?.[0][0] ?? 'request';
  return html`<li>
    <button type="button" aria-expanded=${open} onClick=${toggle}>
      <time>${shownMs(afterMs)}</time>
      ${parties.map((party, at) => html`<i key=${party} style=${{ gridColumn: at + 2 }}></i>`)}
      <span class="arrow" data-way=${to > from ? 'right' : 'left'} data-kind=${kind} data-copy=${message.copy}
        style=${{ gridColumn: `${left + 2} / ${right + 3}`, marginInline: `calc(100% / ${2 * span})` }}><b>${name}</b></span>
      <span class="unseen">from ${parties[from]} to ${parties[to]}</span>
    </button>
    ${open && html`<pre tabindex="0" aria-label=${`Text of ${name}`}>${message.text}</pre>`}
  </li>`;
}

function shownMs(ms) {
  return ms < 10_000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Method or status, and what of the message a call turns on. */
export function labelOf(text) {
  const [first = ''] = text.split('\r\n', 1);
  const header = (name) => new RegExp(`^${name}[ \\t]*:[ \\t]*([^\\r\\n]*)`, 'im').exec(text)?.[1] ?? '';
  const method = header('CSeq').split(' ')[1] ?? '';
  const status = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(first);
  const head = status === null ? first.split(' ')[0] : `${status[1]} ${status[2]} (${method})`;
  const notes = [];
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(text)?.[1];
  if (/^m=audio/m.test(text)) notes.push(direction === undefined ? 'SDP' : `SDP ${direction}`);
  if (/^(proxy-)?authorization[ \t]*:/im.test(text)) notes.push('Authorization');
  if (header('Refer-To') !== '') notes.push('Refer-To');
  if (header('Reason') !== '') notes.push(header('Reason').slice(0, 40));
  return [head, ...notes].join(', ');
}
