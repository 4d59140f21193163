/** Hearing a live call from the browser, and taking it over: the agent leaves, and the caller talks with whoever sits here. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { keepApiToken, permitForListening } from '../api.js';
import { WhipCall } from '../whip-call.js';
import { act } from './agent-api.js';
import { Failure } from './calls-view.js';
import { html } from './html.js';
import { useShortcuts } from './shortcuts.js';

const SAID = {
  idle: '',
  connecting: 'Connecting.',
  listening: 'You hear both sides, and nobody hears you.',
  taking: 'Taking over.',
  talking: 'You talk with the caller.',
};

export function ListenIn({ id }) {
  const [state, setState] = useState('idle');
  const [muted, setMuted] = useState(false);
  const [failure, setFailure] = useState();
  const current = useRef();

  const over = (why) => {
    current.current?.loudspeaker.pause();
    current.current = undefined;
    setState('idle');
    setFailure(why);
  };
  useEffect(
    () => () => {
      current.current?.call.hangUp();
      current.current?.loudspeaker.pause();
    },
    [],
  );

  const listen = () => {
    if (current.current !== undefined) return;
    const loudspeaker = new Audio();
    loudspeaker.autoplay = true;
    const call = new WhipCall(id, { way: 'listen', permit: permitForListening });
    current.current = { call, loudspeaker };
    setFailure(undefined);
    setState('connecting');
    // Not that anybody would hear it before the call is taken over.
    call.addEventListener('microphone', () => call.setMuted(true));
    call.addEventListener('remote-track', ({ detail: track }) => {
      loudspeaker.srcObject = new MediaStream([track]);
      loudspeaker.play().catch(() => {});
    });
    call.addEventListener('state', ({ detail }) => {
      if (detail === 'connected') setState((before) => (before === 'connecting' ? 'listening' : before));
    });
    call.addEventListener('failed', ({ detail }) => over(detail));
    call.addEventListener('ended', () => over());
    call.place();
  };
  const takeOver = async () => {
    const { call } = current.current ?? {};
    if (call === undefined || state !== 'listening') return;
    setState('taking');
    try {
      await act(id, { type: 'transfer', callId: call.id });
      call.setMuted(false);
      setMuted(false);
      setState('talking');
    } catch (error) {
      setFailure(error);
      setState('listening');
    }
  };
  const mute = () => {
    current.current?.call.setMuted(!muted);
    setMuted(!muted);
  };
  const stop = () => current.current?.call.hangUp();

  useShortcuts(
    {
      idle: { l: { name: 'listen in', run: listen } },
      listening: { o: { name: 'take over', run: takeOver }, l: { name: 'stop listening', run: stop } },
      talking: { m: { name: muted ? 'unmute' : 'mute', run: mute }, h: { name: 'hang up', run: stop } },
    }[state] ?? {},
  );

  return html`<div class="listen">
    <div class="buttons">
      ${state === 'idle' && html`<button type="button" class="plain" onClick=${listen}>Listen in</button>`}
      ${state === 'connecting' && html`<button type="button" class="plain" onClick=${stop}>Give up</button>`}
      ${
        (state === 'listening' || state === 'taking') &&
        html`<button type="button" class="plain strong" onClick=${takeOver} disabled=${state === 'taking'}>Take over</button>
          <button type="button" class="plain" onClick=${stop}>Stop listening</button>`
      }
      ${
        state === 'talking' &&
        html`<button type="button" class="plain" aria-pressed=${muted} onClick=${mute}>${muted ? 'Unmute' : 'Mute'}</button>
          <button type="button" class="plain danger" onClick=${stop}>Hang up</button>`
      }
    </div>
    <p class="empty" role="status" data-listening=${state}>${SAID[state]}</p>
    ${failure?.kind === 'wants-token' ? html`<${WantsControl} />` : failure !== undefined && html`<${Failure} failure=${failure} />`}
  </div>`;
}

function WantsControl() {
  const again = () => {
    keepApiToken('');
    location.reload();
  };
  return html`<p class="notice" role="alert"><strong>This token may only look.</strong>
    To listen in takes one with the scope control. <button type="button" class="plain" onClick=${again}>Use another</button></p>`;
}
