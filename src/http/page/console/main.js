/** The console: which view is shown, who may look, and the keys that work everywhere. */
import { render } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { apiToken, keepApiToken } from '../api.js';
import { setUpTheme } from '../theme.js';
import { followEvents } from './agent-api.js';
import { CallView } from './call-view.js';
import { CallsView } from './calls-view.js';
import { DialplanView } from './dialplan-view.js';
import { html } from './html.js';
import { keyOf, ShortcutList, useShortcuts } from './shortcuts.js';

const content = document.getElementById('content');

function viewOf(hash) {
  const [view = '', id] = hash.replace(/^#\/?/, '').split('/');
  if (view === 'calls' && id !== undefined) return { name: 'call', id: decodeURIComponent(id) };
  return { name: view === 'dialplan' ? 'dialplan' : 'calls' };
}

function Console() {
  const [view, setView] = useState(viewOf(location.hash));
  const [token, setToken] = useState(apiToken());
  const [refused, setRefused] = useState(false);
  const [happened, setHappened] = useState({ count: 0, callIds: [] });
  const onRefused = useCallback(() => setRefused(true), []);

  useEffect(() => {
    const turn = () => {
      setView(viewOf(location.hash));
      // As after loading a page: whoever reads by ear or key begins at its top.
      content.focus({ preventScroll: true });
      scrollTo(0, 0);
    };
    addEventListener('hashchange', turn);
    return () => removeEventListener('hashchange', turn);
  }, []);

  useEffect(() => {
    for (const link of document.querySelectorAll('nav [data-view]')) {
      const here = link.dataset.view === (view.name === 'call' ? 'calls' : view.name);
      if (here) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }, [view]);

  // Events are only the sign to look again: what is shown is what the agent has on record.
  useEffect(() => {
    if (refused) return undefined;
    const end = new AbortController();
    const fresh = new Set();
    let timer;
    const tell = (callId) => {
      fresh.add(callId);
      timer ??= setTimeout(() => {
        timer = undefined;
        setHappened((before) => ({ count: before.count + 1, callIds: [...fresh] }));
        fresh.clear();
      }, 200);
    };
    followEvents({ take: ({ callId }) => tell(callId), missed: () => tell('*'), signal: end.signal });
    return () => {
      end.abort();
      clearTimeout(timer);
    };
  }, [refused, token]);

  useShortcuts({
    c: { name: 'calls', run: () => (location.hash = '#/') },
    d: { name: 'dialplan', run: () => (location.hash = '#/dialplan') },
  });

  if (refused) {
    const use = (text) => {
      keepApiToken(text);
      setToken(text);
      setRefused(false);
    };
    return html`<${TokenForm} use=${use} tried=${token !== ''} />`;
  }
  const shared = { happened, onRefused };
  if (view.name === 'call') return html`<${CallView} key=${view.id} id=${view.id} ...${shared} />`;
  if (view.name === 'dialplan') return html`<${DialplanView} ...${shared} />`;
  return html`<${CallsView} ...${shared} />`;
}

function TokenForm({ use, tried }) {
  const submit = (event) => {
    event.preventDefault();
    use(new FormData(event.target).get('token').trim());
  };
  return html`<section class="card" aria-labelledby="token-title">
    <h2 id="token-title">Who is looking?</h2>
    <p class="empty">${
      tried
        ? 'That token may not do this. One with the scope read is enough to look; to listen in and take over, control.'
        : 'The console shows what callers said. It needs an API token with the scope read; the path of the file that holds the agent’s own is printed at its start.'
    }</p>
    <form id="token" onSubmit=${submit}>
      <input type="password" name="token" placeholder="API token" aria-label="API token" autocomplete="off" required />
      <button type="submit">Use it</button>
      <small>It is kept in this tab only.</small>
    </form>
  </section>`;
}

setUpTheme(document.getElementById('theme'));
content.replaceChildren();
render(html`<${Console} />`, content);
render(html`<${ShortcutList} />`, document.getElementById('shortcuts'));
addEventListener('keydown', keyOf);
