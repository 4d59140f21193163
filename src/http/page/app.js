/** The softphone: wires the parts of the page to one call at a time. */
import { readiness } from './api.js';
import { Captions } from './captions.js';
import { wordsForCause } from './causes.js';
import { Keypad } from './keypad.js';
import { LevelMeter, Timeline } from './levels.js';
import { nameOf, questionsFor } from './numbers.js';
import { clock, PastCalls } from './past-calls.js';
import { setUpTheme } from './theme.js';
import { Waterfall } from './waterfall.js';
import { WhipCall } from './whip-call.js';

const READINESS_INTERVAL_MS = 5_000;
const element = (id) => document.getElementById(id);

const captions = new Captions(element('captions'), element('announcer'));
const waterfall = new Waterfall(element('turns'), element('timing-summary'));
const timeline = new Timeline(element('timeline'));
const pastCalls = new PastCalls(element('past'), element('past-note'), element('token'));
const keypad = new Keypad(element('keys'), element('digits'), (digit) => current?.call.sendDigit(digit) ?? false);

/** Not in the document: it has nothing to show. */
const loudspeaker = new Audio();
loudspeaker.autoplay = true;
/** The call that is going on, with what was opened for it; undefined between calls. */
let current;

setUpTheme(element('theme'));
showQuestions(chosenNumber());
showReadiness();
pastCalls.refresh();
setInterval(showReadiness, READINESS_INTERVAL_MS);

element('numbers').addEventListener('submit', (event) => {
  event.preventDefault();
  const number = chosenNumber();
  if (number === '') element('free-number').focus();
  else placeCall(number);
});
element('numbers').addEventListener('change', () => {
  if (current === undefined && element('captions').childElementCount === 0) showQuestions(chosenNumber());
});
// Not on focus: whoever walks by with the Tab key has chosen nothing.
for (const meant of ['click', 'input']) {
  element('free-number').addEventListener(meant, () => {
    document.querySelector('input[name=number][value=""]').checked = true;
  });
}
document.querySelector('input[name=number][value=""]').addEventListener('change', () => element('free-number').focus());
element('hang-up').addEventListener('click', () => current?.call.hangUp());
element('mute').addEventListener('click', toggleMute);
element('keypad-toggle').addEventListener('click', toggleKeypad);
element('typing').addEventListener('submit', (event) => {
  event.preventDefault();
  sendTyped();
});
addEventListener('keydown', onKey);
addEventListener('pagehide', () => current?.call.hangUp());

function chosenNumber() {
  const chosen = new FormData(element('numbers')).get('number');
  return chosen === '' ? element('free-number').value.trim() : chosen;
}

function placeCall(number) {
  if (current !== undefined) return;
  // Made while the click is being handled: browsers let audio start only then.
  const context = new AudioContext();
  const call = new WhipCall(number);
  current = { call, context, meters: {}, startedMs: undefined, muted: false };
  hideNotice();
  captions.clear();
  waterfall.clear();
  timeline.clear();
  keypad.clear();
  showEmptyStates();
  showQuestions(number);
  element('party-name').textContent = nameOf(number);
  element('timer').textContent = '0:00';
  showMute(false);
  showCalling(true);
  call.addEventListener('microphone', ({ detail: stream }) => {
    current.meters.user = new LevelMeter(context, stream, element('you-level'));
  });
  call.addEventListener('remote-track', ({ detail: track }) => hear(track));
  call.addEventListener('state', ({ detail: state }) => onLineState(state));
  call.addEventListener('message', ({ detail: message }) => onMessage(message));
  call.addEventListener('failed', ({ detail: failure }) => {
    endCall();
    showNotice(failure.message, failure.fix);
  });
  call.addEventListener('ended', ({ detail: cause }) => {
    const lengthMs = current.startedMs === undefined ? 0 : performance.now() - current.startedMs;
    rememberCall(call.number, lengthMs, cause);
    endCall();
    showNotice(`Call ended after ${clock(lengthMs)}.`, sentence(cause), 'calm');
  });
  call.place();
  requestAnimationFrame(animate);
}

function rememberCall(number, lengthMs, cause) {
  const endedMs = Date.now();
  const answeredAt = new Date(endedMs - lengthMs).toISOString();
  const endedAt = new Date(endedMs).toISOString();
  pastCalls.rememberOwn({ to: number, from: 'this browser', startedAt: answeredAt, answeredAt, endedAt, cause });
}

function hear(track) {
  const stream = new MediaStream([track]);
  loudspeaker.srcObject = stream;
  loudspeaker.play().catch(() => {});
  current.meters.agent = new LevelMeter(current.context, stream, element('agent-level'));
}

function onLineState(state) {
  if (state === 'microphone') showState('connecting', 'Asking for the microphone');
  else if (state === 'connecting') showState('connecting', 'Calling');
  else if (state === 'reconnecting') showState('connecting', 'Reconnecting');
  else if (state === 'connected') {
    current.startedMs ??= performance.now();
    showState('connected', 'Connected');
    element('typed').disabled = false;
    element('send').disabled = false;
    showQuestions(current.call.number);
  }
}

function onMessage(message) {
  switch (message.type) {
    case 'state':
      if (message.state === 'listening') showState('listening', 'Listening');
      else if (message.state === 'thinking') showState('thinking', 'Thinking');
      else if (message.state === 'speaking') showState('speaking', 'Speaking');
      if (message.state !== 'ended') timeline.mark(message.state);
      break;
    case 'caption':
      captions.show(message);
      if (message.interrupted === true) timeline.mark('interrupted');
      break;
    case 'turn':
      waterfall.show(message);
      break;
    case 'error':
      if (typeof message.message === 'string') showNotice(message.message, message.fix ?? '');
      break;
    default:
    // A newer agent may say more than this page knows.
  }
  showEmptyStates();
}

function animate(nowMs) {
  if (current === undefined) return;
  const user = current.meters.user?.read() ?? 0;
  const agent = current.meters.agent?.read() ?? 0;
  timeline.push(nowMs, current.muted ? 0 : user, agent);
  if (current.startedMs !== undefined) element('timer').textContent = clock(performance.now() - current.startedMs);
  requestAnimationFrame(animate);
}

function endCall() {
  const { context, meters } = current;
  meters.user?.stop();
  meters.agent?.stop();
  context.close();
  current = undefined;
  loudspeaker.srcObject = null;
  element('typed').disabled = true;
  element('send').disabled = true;
  showCalling(false);
  element('call-button').focus();
  // The record is written when the call has been closed on the other side.
  setTimeout(() => pastCalls.refresh(), 600);
}

function toggleMute() {
  if (current === undefined) return;
  current.muted = !current.muted;
  current.call.setMuted(current.muted);
  showMute(current.muted);
}

function showMute(muted) {
  element('mute').setAttribute('aria-pressed', String(muted));
  element('mute').querySelector('span').textContent = muted ? 'Unmute' : 'Mute';
  element('in-call').classList.toggle('muted', muted);
}

function toggleKeypad() {
  const opened = element('keypad').hidden;
  element('keypad').hidden = !opened;
  element('keypad-toggle').setAttribute('aria-expanded', String(opened));
}

function sendTyped() {
  const text = element('typed').value.trim();
  if (text !== '' && sendText(text)) element('typed').value = '';
}

function sendText(text) {
  const sent = current?.call.sendText(text) === true;
  if (!sent) showNotice('The text could not be sent.', 'Wait until the call is connected.');
  return sent;
}

function onKey(event) {
  if (current === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLInputElement) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const key = event.key.toLowerCase();
  if (key === 'm') toggleMute();
  else if (key === 'k') toggleKeypad();
  else if (key === 'h') current.call.hangUp();
  else if (key === 't') {
    event.preventDefault();
    element('typed').focus();
  } else if (keypad.has(event.key)) keypad.press(event.key);
}

async function showReadiness() {
  const state = await readiness();
  const words = { ready: 'Ready', busy: 'Not ready yet', unreachable: 'Agent not reachable' };
  element('readiness').dataset.state = state;
  const text = element('readiness').querySelector('.text');
  // Only changes are written: the chip is a live region.
  if (text.textContent !== words[state]) text.textContent = words[state];
}

function showCalling(calling) {
  element('dialler').hidden = calling;
  element('in-call').hidden = !calling;
  document.body.classList.toggle('calling', calling);
  if (calling) element('hang-up').focus();
  else {
    element('keypad').hidden = true;
    element('keypad-toggle').setAttribute('aria-expanded', 'false');
  }
}

function showState(state, words) {
  element('call-state').dataset.state = state;
  element('call-state').querySelector('.text').textContent = words;
}

function showEmptyStates() {
  element('captions-empty').hidden = element('captions').childElementCount > 0;
  element('turns-empty').hidden = element('turns').childElementCount > 0;
}

function showNotice(what, fix, tone = 'alarm') {
  const notice = element('notice');
  const strong = document.createElement('strong');
  strong.textContent = what;
  notice.replaceChildren(strong, ` ${fix}`);
  notice.dataset.tone = tone;
  notice.hidden = false;
}

function hideNotice() {
  element('notice').hidden = true;
}

function sentence(cause) {
  if (cause === 'caller-hangup') return 'You hung up.';
  const words = wordsForCause(cause);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** Chips in the empty conversation; during a call they are sent like typed text. */
function showQuestions(number) {
  const questions = questionsFor(number);
  element('questions-lead').hidden = questions.length === 0;
  element('questions').replaceChildren(
    ...questions.map((question) => {
      const item = document.createElement('li');
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = question;
      button.disabled = !lineStands();
      button.addEventListener('click', () => sendText(question));
      item.append(button);
      return item;
    }),
  );
}

function lineStands() {
  return current?.startedMs !== undefined;
}
