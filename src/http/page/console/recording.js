/** What was said, beside the recording: a click on either goes to the same place in the other. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import WaveSurfer from 'wavesurfer.js';
import Regions from 'wavesurfer.js/dist/plugins/regions.esm.js';
import { clock } from '../past-calls.js';
import { getBlob } from './agent-api.js';
import { Failure } from './calls-view.js';
import { html } from './html.js';
import { useShortcuts } from './shortcuts.js';
import { turnsOnRecording } from './turns.js';

const STEP_SECONDS = 5;

export function Conversation({ record, events, path }) {
  const picture = useRef();
  const player = useRef();
  const [failure, setFailure] = useState();
  const [sound, setSound] = useState();
  const [seconds, setSeconds] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [length, setLength] = useState();
  const isRecorded = record.state === 'ended' && events.some(({ type }) => type === 'recording.ready');
  const turns = useMemo(
    () => turnsOnRecording(events, record.answeredAt, sound),
    [events.length, record.answeredAt, sound],
  );

  useEffect(() => {
    if (!isRecorded) return undefined;
    const wave = WaveSurfer.create({ container: picture.current, ...look(picture.current), dragToSeek: true });
    player.current = wave;
    const regions = wave.registerPlugin(Regions.create());
    wave.on('timeupdate', setSeconds);
    wave.on('play', () => setPlaying(true));
    wave.on('pause', () => setPlaying(false));
    wave.on('ready', (duration) => {
      const decoded = wave.getDecodedData();
      setLength(duration);
      const agent = decoded.getChannelData(Math.min(1, decoded.numberOfChannels - 1));
      setSound({ caller: decoded.getChannelData(0), agent, rate: decoded.sampleRate });
    });
    wave.on('error', () => setFailure({ message: 'The recording cannot be shown.', fix: '' }));
    getBlob(`${path}/recording`).then((blob) => wave.loadBlob(blob), setFailure);
    const repaint = () => wave.setOptions(look(picture.current));
    document.addEventListener('themechange', repaint);
    wave.regions = regions;
    return () => {
      document.removeEventListener('themechange', repaint);
      player.current = undefined;
      wave.destroy();
    };
  }, [isRecorded, path]);

  useEffect(() => {
    if (player.current === undefined || length === undefined) return;
    const { regions } = player.current;
    regions.clearRegions();
    const style = getComputedStyle(picture.current);
    for (const { role, startSeconds, endSeconds } of turns) {
      const color = `${style.getPropertyValue(role === 'user' ? '--you' : '--agent').trim()}26`;
      regions.addRegion({ start: startSeconds, end: Math.min(length, endSeconds), color, drag: false, resize: false });
    }
  }, [turns, length]);

  const toggle = () => void player.current?.playPause();
  const seek = (to) => player.current?.setTime(Math.max(0, Math.min(length ?? 0, to)));
  const back = () => seek(seconds - STEP_SECONDS);
  const on = () => seek(seconds + STEP_SECONDS);
  useShortcuts(
    length === undefined
      ? {}
      : {
          p: { name: playing ? 'pause' : 'play', run: toggle },
          arrowleft: { name: 'back', run: back },
          arrowright: { name: 'on', run: on },
        },
  );
  const now = turns.findLast(({ startSeconds }) => startSeconds <= seconds + 0.05);

  return html`<section class="card" aria-labelledby="conversation-title">
    <div class="card-head">
      <h2 id="conversation-title">Conversation</h2>
      <p class="legend"><span class="you">Caller</span><span class="agent">Agent</span></p>
    </div>
    ${failure !== undefined && html`<${Failure} failure=${failure} />`}
    ${
      isRecorded &&
      html`<div class="wave" ref=${picture} role="img" aria-label="Loudness of the recording: the caller above, the agent below"></div>
        <div class="player">
          <button type="button" class="plain" onClick=${toggle} disabled=${length === undefined} aria-keyshortcuts="P">${playing ? 'Pause' : 'Play'}</button>
          <input type="range" min="0" max=${length ?? 0} step="0.1" value=${seconds} aria-label="Place in the recording"
            aria-valuetext=${clock(1000 * seconds)} disabled=${length === undefined} onInput=${(event) => seek(Number(event.target.value))} />
          <span class="number">${clock(1000 * seconds)} / ${length === undefined ? '–' : clock(1000 * length)}</span>
        </div>`
    }
    ${!isRecorded && record.state === 'ended' && html`<p class="empty">There is no recording of this call.</p>`}
    ${
      turns.length === 0
        ? html`<p class="empty">Nothing was said.</p>`
        : html`<ol class="transcript" aria-label="Transcript">
            ${turns.map(
              (
                turn,
                index,
              ) => html`<li key=${index} class=${turn.role} aria-current=${playing && turn === now ? 'true' : undefined}>
                <${Turn} turn=${turn} go=${
                  length === undefined
                    ? undefined
                    : () => {
                        seek(turn.startSeconds);
                        void player.current?.play();
                      }
                } />
              </li>`,
            )}
          </ol>`
    }
  </section>`;
}

function Turn({ turn, go }) {
  const { role, text, interrupted, startSeconds } = turn;
  const words = html`<time>${clock(1000 * startSeconds)}</time>
    <span class="who">${role === 'user' ? 'Caller' : 'Agent'}</span>
    <span class="text">${text}${interrupted && html` <em>interrupted</em>`}</span>`;
  return go === undefined ? html`<p>${words}</p>` : html`<button type="button" onClick=${go}>${words}</button>`;
}

/** Both sides of the call in their colours, the caller above. */
function look(element) {
  const style = getComputedStyle(element);
  const colour = (name) => style.getPropertyValue(name).trim();
  const side = (name, height) => ({ waveColor: colour(name), progressColor: colour(name), height });
  return {
    splitChannels: [side('--you', 56), side('--agent', 56)],
    cursorColor: colour('--ink'),
    cursorWidth: 2,
    barWidth: 2,
    barGap: 1,
    barRadius: 2,
    normalize: true,
  };
}
