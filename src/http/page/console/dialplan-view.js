/** The rules of the dialplan, which of them a call would take, and whether its files are right. */
import { useEffect, useState } from 'preact/hooks';
import { getJson } from './agent-api.js';
import { Failure } from './calls-view.js';
import { html } from './html.js';
import { useShortcuts } from './shortcuts.js';

export function DialplanView({ onRefused }) {
  const [plan, setPlan] = useState();
  const [check, setCheck] = useState();
  const [decision, setDecision] = useState();
  const [failure, setFailure] = useState();
  const failed = (error) => (error.wantsToken ? onRefused() : setFailure(error));

  useEffect(() => {
    document.title = 'Dialplan · Trunkline console';
    getJson('v1/dialplan').then(setPlan, failed);
  }, []);
  useShortcuts({ t: { name: 'try a number', run: () => document.getElementById('try-to')?.focus() } });

  const attempt = (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(event.target)) {
      if (value.trim() === '') continue;
      query.append(name, name === 'at' ? new Date(value).toISOString() : value.trim());
    }
    getJson(`v1/dialplan/route?${query}`).then((found) => {
      setDecision(found);
      setFailure(undefined);
    }, failed);
  };
  const look = () => getJson('v1/dialplan/check').then(setCheck, failed);

  return html`
    ${failure !== undefined && html`<${Failure} failure=${failure} />`}
    <section class="card" aria-labelledby="try-title">
      <div class="card-head"><h2 id="try-title">Which rule would a call take?</h2></div>
      <form class="try" onSubmit=${attempt}>
        <label>Number <input id="try-to" name="to" required maxlength="256" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="demo" /></label>
        <label>Caller <input name="from" maxlength="256" autocomplete="off" placeholder="anybody" /></label>
        <label>Trunk <input name="trunk" maxlength="100" autocomplete="off" placeholder="none" /></label>
        <label>Language <input name="language" maxlength="100" autocomplete="off" placeholder="any" /></label>
        <label>Header <input name="header" maxlength="1000" autocomplete="off" placeholder="X-Name=value" pattern="[^=]+=.*" /></label>
        <label>When <input name="at" type="datetime-local" /></label>
        <button type="submit" class="plain">Try it</button>
      </form>
      <div aria-live="polite">${decision !== undefined && html`<${Decision} decision=${decision} />`}</div>
    </section>
    <section class="card" aria-labelledby="rules-title">
      <div class="card-head"><h2 id="rules-title">Rules in use</h2><button type="button" class="plain" onClick=${look}>Check the files</button></div>
      <div aria-live="polite">${check !== undefined && html`<${Check} check=${check} />`}</div>
      ${plan?.warnings.map((warning) => html`<p class="notice" data-tone="calm" key=${warning}>${warning}</p>`)}
      ${
        plan !== undefined &&
        html`<ol class="rules">
          ${plan.rules.map(
            ({ name, place, match, action }) => html`<li key=${place} data-taken=${decision?.rule?.place === place}>
              <p><b>${name}</b> <code>${place}</code></p>
              <p>${wordsOf(match)} → ${action}</p>
            </li>`,
          )}
        </ol>`
      }
    </section>`;
}

function Decision({ decision }) {
  return html`<div class="decision">
    <p class="notice" data-tone="calm"><strong>${decision.rule === undefined ? 'No rule matches.' : `${decision.rule.name}: ${decision.action}`}</strong>
      ${decision.rule === undefined ? ` The call is refused: ${decision.action}.` : html` <code>${decision.rule.place}</code>`}</p>
    ${
      decision.passedOver.length > 0 &&
      html`<details><summary>Passed over: ${decision.passedOver.length}</summary>
        <ul>${decision.passedOver.map(({ name, place, because }) => html`<li key=${place}><b>${name}</b>: ${because}</li>`)}</ul></details>`
    }
  </div>`;
}

function Check({ check }) {
  if (check.right) {
    return html`<p class="notice" data-tone="calm"><strong>The files are right:</strong> ${check.rules} rules.
      ${check.warnings.map((warning) => html` ${warning}`)} What is changed there is taken up at the next start.</p>`;
  }
  return html`<div class="notice" role="alert"><strong>With these files the agent would not start.</strong>
    <ul>${check.faults.map((fault) => html`<li key=${fault}>${fault}</li>`)}</ul></div>`;
}

function wordsOf(match) {
  const parts = Object.entries(match).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return parts.length === 0 ? 'every call' : parts.join(', ');
}
