/** What both sides sound like: two level meters, and the last seconds of the call as a picture. */

const HISTORY_SECONDS = 16;
const COLUMN_MS = 40;
const FLOOR_DB = -60;

/** Loudness of one stream, 0 to 1, on a decibel scale. */
export class LevelMeter {
  #analyser;
  #source;
  #samples;
  #shown = 0;

  constructor(context, stream, bar) {
    this.bar = bar;
    this.#source = context.createMediaStreamSource(stream);
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 2048;
    this.#analyser.smoothingTimeConstant = 0;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source.connect(this.#analyser);
  }

  get analyser() {
    return this.#analyser;
  }

  read() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const decibels = 10 * Math.log10(sum / this.#samples.length + 1e-10);
    const level = Math.min(1, Math.max(0, 1 - decibels / FLOOR_DB));
    // Up at once, down slowly: so that the eye can follow.
    this.#shown = Math.max(level, this.#shown * 0.9);
    this.bar.value = this.#shown;
    return level;
  }

  stop() {
    this.#source.disconnect();
    this.bar.value = 0;
  }
}

/** The caller above the line, the agent below it, newest at the right. */
export class Timeline {
  #canvas;
  #columns = [];
  #lastColumnMs = 0;
  #pending = { user: 0, agent: 0 };

  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.draw()).observe(canvas);
    document.addEventListener('themechange', () => this.draw());
  }

  clear() {
    this.#columns = [];
    this.draw();
  }

  /** A hairline where the conversation changed its state. */
  mark(kind) {
    const last = this.#columns.at(-1);
    if (last !== undefined) last.mark = kind;
  }

  push(nowMs, user, agent) {
    this.#pending.user = Math.max(this.#pending.user, user);
    this.#pending.agent = Math.max(this.#pending.agent, agent);
    if (nowMs - this.#lastColumnMs < COLUMN_MS) return;
    // A tab in the background draws seldom: what was missed stays empty instead of being squeezed together.
    const missed = Math.min(HISTORY_SECONDS * 25, Math.floor((nowMs - this.#lastColumnMs) / COLUMN_MS) - 1);
    if (this.#lastColumnMs !== 0) for (let i = 0; i < missed; i += 1) this.#columns.push({ user: 0, agent: 0 });
    this.#lastColumnMs = nowMs;
    this.#columns.push(this.#pending);
    this.#pending = { user: 0, agent: 0 };
    const limit = (HISTORY_SECONDS * 1000) / COLUMN_MS;
    if (this.#columns.length > limit) this.#columns.splice(0, this.#columns.length - limit);
    this.draw();
  }

  draw() {
    const canvas = this.#canvas;
    const scale = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (width === 0) return;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const paint = canvas.getContext('2d');
    paint.setTransform(scale, 0, 0, scale, 0, 0);
    paint.clearRect(0, 0, width, height);
    const middle = height / 2;
    paint.fillStyle = colour('--line');
    paint.fillRect(0, middle - 0.5, width, 1);
    const limit = (HISTORY_SECONDS * 1000) / COLUMN_MS;
    const step = width / limit;
    const barWidth = Math.max(1, step * 0.62);
    const reach = middle - 5;
    const first = limit - this.#columns.length;
    this.#columns.forEach(({ user, agent, mark }, index) => {
      const x = (first + index) * step;
      if (mark !== undefined) {
        paint.fillStyle = colour(mark === 'interrupted' ? '--stop' : '--line-strong');
        paint.fillRect(x + step, 0, 1, height);
      }
      paint.fillStyle = colour('--you');
      if (user > 0.02) column(paint, x, middle - 2 - user * reach, barWidth, user * reach);
      paint.fillStyle = colour('--agent');
      if (agent > 0.02) column(paint, x, middle + 2, barWidth, agent * reach);
    });
  }
}

function column(paint, x, y, width, height) {
  paint.beginPath();
  paint.roundRect(x, y, width, Math.max(1, height), width / 2);
  paint.fill();
}
