/** How the call sounded over time: the opinion score, and under it loss and jitter, on one clock. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { html } from './html.js';
import { percent } from './words.js';

const HEIGHT = 150;
/** Both plots end at the same place. */
const RIGHT = 58;

export function Quality({ quality, record }) {
  const score = useRef();
  const wire = useRef();
  const { samples } = quality;
  useEffect(() => {
    if (samples.length < 2) return undefined;
    let plots = [];
    const draw = () => {
      for (const plot of plots) plot.destroy();
      plots = [scorePlot(score.current, samples), wirePlot(wire.current, samples)];
    };
    draw();
    const fit = new ResizeObserver(() => {
      for (const plot of plots) plot.setSize({ width: plot.root.parentElement.clientWidth, height: HEIGHT });
    });
    fit.observe(score.current);
    document.addEventListener('themechange', draw);
    return () => {
      fit.disconnect();
      document.removeEventListener('themechange', draw);
      for (const plot of plots) plot.destroy();
    };
  }, [samples.length, quality.intervalMs]);

  const scores = samples.flatMap(({ mos }) => (mos === undefined ? [] : [mos]));
  const worst = scores.length === 0 ? undefined : Math.min(...scores);
  const mostLoss = Math.max(0, ...samples.map(({ lostShare }) => lostShare));
  const mostJitter = Math.max(0, ...samples.map(({ jitterMs }) => jitterMs));
  const told = `lowest score ${worst?.toFixed(1) ?? '–'}, most loss ${percent(mostLoss)}, most jitter ${mostJitter.toFixed(1)} ms`;
  return html`<section class="card quality" aria-labelledby="quality-title">
    <div class="card-head"><h2 id="quality-title">Line quality</h2>
      <p class="summary">${samples.length > 0 && `lowest MOS ${worst?.toFixed(1) ?? '–'}`}</p></div>
    ${
      samples.length < 2
        ? html`<p class="empty">${
            record.state === 'ended'
              ? 'Nothing is kept of how this call sounded.'
              : 'The first figures come in a few seconds.'
          }</p>`
        : html`<div role="img" aria-label=${`The line over time: ${told}.`}><div ref=${score}></div><div ref=${wire}></div></div>
          <p class="empty">${told.charAt(0).toUpperCase()}${told.slice(1)}; a point stands for ${quality.intervalMs / 1000} s.</p>`
    }
  </section>`;
}

function colours(element) {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(name).trim();
}

function axis(colour, more) {
  const font = '12px system-ui, sans-serif';
  const grid = { stroke: colour('--line'), width: 1 };
  return { stroke: colour('--quiet'), font, grid, ticks: grid, ...more };
}

function base(element, axes, series, scales, data, padding) {
  const colour = colours(element);
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
  const options = {
    width: element.clientWidth,
    height: HEIGHT,
    ...(padding === undefined ? {} : { padding }),
    cursor: { sync: { key: 'call' } },
    legend: { live: true },
    scales: { x: { time: false }, ...scales },
    axes: [axis(colour, { values: (_plot, splits) => splits.map(clock) }), ...axes(colour)],
    series: [{ label: 'At', value: (_plot, seconds) => (seconds === null ? '–' : clock(seconds)) }, ...series(colour)],
  };
  return new uPlot(options, data, element);
}

function scorePlot(element, samples) {
  const seconds = samples.map(({ atMs }) => atMs / 1000);
  return base(
    element,
    (colour) => [axis(colour, { scale: 'mos', size: 44, splits: () => [1, 2, 3, 4] })],
    (colour) => [
      {
        ...{ label: 'MOS', scale: 'mos', stroke: colour('--go'), width: 2, points: { show: samples.length < 30 } },
        value: (_plot, score) => score?.toFixed(2) ?? '–',
      },
    ],
    { mos: { range: [1, 4.6] } },
    [seconds, samples.map(({ mos }) => mos ?? null)],
    [null, RIGHT, null, null],
  );
}

function wirePlot(element, samples) {
  const seconds = samples.map(({ atMs }) => atMs / 1000);
  const upTo = (least) => (_plot, _low, high) => [0, Math.max(least, high * 1.1)];
  return base(
    element,
    (colour) => [
      axis(colour, { scale: 'loss', size: 44, values: (_plot, splits) => splits.map((value) => `${value} %`) }),
      axis(colour, {
        scale: 'jitter',
        side: 1,
        size: RIGHT,
        grid: { show: false },
        values: (_plot, splits) => splits.map((value) => `${value} ms`),
      }),
    ],
    (colour) => [
      {
        ...{ label: 'Loss', scale: 'loss', stroke: colour('--stop'), fill: `${colour('--stop')}22`, width: 2 },
        ...{
          points: { show: samples.length < 30 },
          value: (_plot, share) => (share === null ? '–' : `${share.toFixed(1)} %`),
        },
      },
      {
        ...{ label: 'Jitter', scale: 'jitter', stroke: colour('--agent'), width: 2, dash: [6, 3] },
        ...{ points: { show: samples.length < 30 }, value: (_plot, ms) => (ms === null ? '–' : `${ms.toFixed(1)} ms`) },
      },
    ],
    { loss: { range: upTo(5) }, jitter: { range: upTo(10) } },
    [seconds, samples.map(({ lostShare }) => 100 * lostShare), samples.map(({ jitterMs }) => jitterMs)],
  );
}
