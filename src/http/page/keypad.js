/** Twelve keys; each can be pressed with the pointer, by Tab and Enter, or by typing the digit. */
const KEYS = [
  ['1', ''],
  ['2', 'ABC'],
  ['3', 'DEF'],
  ['4', 'GHI'],
  ['5', 'JKL'],
  ['6', 'MNO'],
  ['7', 'PQRS'],
  ['8', 'TUV'],
  ['9', 'WXYZ'],
  ['*', ''],
  ['0', '+'],
  ['#', ''],
];
const NAMES = { '*': 'star', '#': 'hash' };

export class Keypad {
  #shown;
  #buttons = new Map();

  /** `onDigit(digit)` says whether the digit could be sent. */
  constructor(box, shown, onDigit) {
    this.#shown = shown;
    this.onDigit = onDigit;
    for (const [digit, letters] of KEYS) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'key';
      button.setAttribute('aria-label', NAMES[digit] ?? digit);
      const face = document.createElement('span');
      face.textContent = digit;
      const small = document.createElement('small');
      small.className = 'letters';
      small.textContent = letters;
      button.append(face, small);
      button.addEventListener('click', () => this.press(digit));
      box.append(button);
      this.#buttons.set(digit, button);
    }
  }

  press(digit) {
    const button = this.#buttons.get(digit);
    if (button === undefined || !this.onDigit(digit)) return;
    this.#shown.textContent = `${this.#shown.textContent}${digit}`.slice(-18);
    button.classList.add('pressed');
    setTimeout(() => button.classList.remove('pressed'), 140);
  }

  has(digit) {
    return this.#buttons.has(digit);
  }

  clear() {
    this.#shown.textContent = '';
  }
}
