/** Where the time of an answer goes: one bar for each step from the end of the caller's speech to the first packet. */

const MAX_TURNS = 50;

/** Each step waits for another; the bar spans the time between the two. */
const STEPS = [
  { key: 'decidedMs', after: ['speechEndMs'], name: 'End of turn' },
  { key: 'transcriptMs', after: ['speechEndMs'], name: 'Transcript' },
  { key: 'firstTextMs', after: ['transcriptMs', 'speechEndMs'], name: 'First words' },
  { key: 'firstAudioMs', after: ['firstTextMs', 'speechEndMs'], name: 'First audio' },
  { key: 'firstPacketMs', after: ['firstAudioMs', 'decidedMs'], latest: true, name: 'First packet' },
];

export class Waterfall {
  #list;
  #summary;
  #turns = new Map();

  constructor(list, summary) {
    this.#list = list;
    this.#summary = summary;
  }

  clear() {
    this.#turns.clear();
    this.#list.replaceChildren();
    this.#summary.textContent = '';
  }

  /** A turn event of src/webrtc/softphone-events.ts; a later one of the same turn replaces the earlier. */
  show({ turnId, stages }) {
    if (stages === null || typeof stages !== 'object' || !Number.isFinite(stages.speechEndMs)) return;
    let turn = this.#turns.get(turnId);
    if (turn === undefined) {
      turn = { item: document.createElement('li'), gapMs: undefined };
      turn.item.className = 'turn';
      this.#turns.set(turnId, turn);
      this.#list.prepend(turn.item);
      if (this.#turns.size > MAX_TURNS) {
        const [oldestId, oldest] = this.#turns.entries().next().value;
        oldest.item.remove();
        this.#turns.delete(oldestId);
      }
    }
    turn.gapMs = Number.isFinite(stages.firstPacketMs) ? stages.firstPacketMs - stages.speechEndMs : undefined;
    turn.stages = stages;
    for (const each of this.#turns.values()) this.#draw(each);
    this.#summarise();
  }

  #draw(turn) {
    const { stages } = turn;
    // One scale for all turns: a slow one should look slow.
    const ends = [...this.#turns.values()].flatMap((each) =>
      STEPS.map(({ key }) => each.stages[key] - each.stages.speechEndMs).filter(Number.isFinite),
    );
    const scaleMs = Math.max(1000, ...ends);
    const head = document.createElement('div');
    head.className = 'turn-head';
    const name = document.createElement('span');
    name.textContent = `Turn ${[...this.#turns.values()].indexOf(turn) + 1}`;
    const total = document.createElement('strong');
    total.className = 'total';
    total.textContent = turn.gapMs === undefined ? 'under way' : milliseconds(turn.gapMs);
    head.append(name, total);
    const rows = document.createElement('dl');
    for (const { key, after, latest, name: label } of STEPS) {
      const endMs = stages[key] - stages.speechEndMs;
      if (!Number.isFinite(endMs)) continue;
      const begins = after.map((each) => stages[each] - stages.speechEndMs).filter(Number.isFinite);
      const beganMs = Math.min(endMs, Math.max(0, (latest ? Math.max(...begins) : begins[0]) || 0));
      const term = document.createElement('dt');
      term.textContent = label;
      const detail = document.createElement('dd');
      const lane = document.createElement('span');
      lane.className = 'lane';
      const bar = document.createElement('span');
      bar.className = `bar ${key}`;
      bar.style.insetInlineStart = `${(100 * Math.max(0, beganMs)) / scaleMs}%`;
      bar.style.inlineSize = `max(3px, ${(100 * Math.max(0, endMs - beganMs)) / scaleMs}%)`;
      lane.append(bar);
      const value = document.createElement('span');
      value.className = 'value';
      value.textContent = milliseconds(endMs);
      value.title = `${label}: ${milliseconds(endMs)} after the end of speech, ${milliseconds(endMs - beganMs)} of its own`;
      detail.append(lane, value);
      rows.append(term, detail);
    }
    turn.item.replaceChildren(head, rows);
  }

  #summarise() {
    const gaps = [...this.#turns.values()].map(({ gapMs }) => gapMs).filter(Number.isFinite);
    if (gaps.length === 0) {
      this.#summary.textContent = '';
      return;
    }
    const sorted = gaps.toSorted((a, b) => a - b);
    const median = sorted[Math.floor((sorted.length - 1) / 2)];
    this.#summary.textContent = `median ${milliseconds(median)}`;
  }
}

function milliseconds(value) {
  return `${Math.round(value).toLocaleString('en')} ms`;
}
