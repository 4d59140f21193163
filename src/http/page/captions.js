/** The conversation as text: one paragraph for each side of each turn, rewritten as it is heard. */

/** A day of talking; the oldest go first. */
const MAX_CAPTIONS = 400;

export class Captions {
  #list;
  #announcer;
  #entries = new Map();

  /** `announcer` is the live region: it gets whole sentences only, so that a screen reader is not stuttering. */
  constructor(list, announcer) {
    this.#list = list;
    this.#announcer = announcer;
  }

  clear() {
    this.#entries.clear();
    this.#list.replaceChildren();
    this.#announcer.textContent = '';
  }

  /** A caption event of src/webrtc/softphone-events.ts. */
  show({ role, turnId, text, heardText, final, interrupted }) {
    if (typeof text !== 'string' || (role !== 'user' && role !== 'agent')) return;
    const following = this.#isAtEnd();
    const entry = this.#entryOf(`${role}-${turnId}`, role);
    const heard = role === 'agent' ? heardPart(text, heardText, final, interrupted) : text;
    const rest = text.slice(heard.length);
    entry.heard.textContent = heard;
    entry.rest.textContent = rest;
    entry.item.classList.toggle('interim', !final);
    entry.item.classList.toggle('interrupted', interrupted === true);
    // A part that was cut off is marked for those who do not see the line through it.
    entry.note.hidden = interrupted !== true;
    if (final && !entry.announced) {
      entry.announced = true;
      const name = role === 'user' ? 'You' : 'Agent';
      this.#announcer.textContent = `${name}: ${interrupted === true ? `${heard.trim()} — interrupted` : text}`;
    }
    if (following) this.#list.parentElement.scrollTop = this.#list.parentElement.scrollHeight;
  }

  #entryOf(key, role) {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const item = document.createElement('li');
    item.className = `caption ${role}`;
    const who = document.createElement('span');
    who.className = 'who';
    who.textContent = role === 'user' ? 'You' : 'Agent';
    const words = document.createElement('p');
    const heard = document.createElement('span');
    heard.className = 'heard';
    const rest = document.createElement('s');
    rest.className = 'rest';
    words.append(heard, rest);
    const note = document.createElement('span');
    note.className = 'note';
    note.textContent = 'interrupted';
    note.hidden = true;
    item.append(who, words, note);
    this.#list.append(item);
    const entry = { item, heard, rest, note, announced: false };
    this.#entries.set(key, entry);
    if (this.#entries.size > MAX_CAPTIONS) {
      const [oldestKey, oldest] = this.#entries.entries().next().value;
      oldest.item.remove();
      this.#entries.delete(oldestKey);
    }
    return entry;
  }

  /** False once the person has scrolled up to read. */
  #isAtEnd() {
    const box = this.#list.parentElement;
    return box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  }
}

/** Without word of what was heard, everything was, unless the turn was cut. */
function heardPart(text, heardText, final, interrupted) {
  if (typeof heardText !== 'string') return interrupted === true ? '' : text;
  if (final && interrupted !== true) return text;
  return text.slice(0, Math.min(heardText.length, text.length));
}
