/** Where on the recording each turn stands. Both begin with the answer of the call and run on the same clock. */

/** A pause that still belongs to what is being said. */
const PAUSE_SECONDS = 0.8;
const WINDOW_SECONDS = 0.02;
/** Below it, of full scale, nobody speaks. */
const QUIET = 0.012;
/** How long a caller's turn is taken to be where there is no recording to look at. */
const GUESS_SECONDS = 2;

/**
 * Turns in order: `{ turn, role, text, interrupted, startSeconds, endSeconds }`. `sound`: `{ caller, agent, rate }`, the samples of
 * both channels, where there is a recording. An event tells when a turn was over; where its first and last word are, the recording
 * tells; without one, what was played and waited for is counted back from the event.
 */
export function turnsOnRecording(events, answeredAt, sound) {
  const zero = Date.parse(answeredAt ?? '');
  if (!Number.isFinite(zero)) return [];
  const at = ({ occurredAt }) => Math.max(0, (Date.parse(occurredAt) - zero) / 1000);
  const answers = new Map();
  for (const event of events) if (event.type === 'turn.agent') answers.set(event.data.turn, event);
  const asked = new Map();
  let agentSaid = 0;
  let callerSaid = 0;
  return events.flatMap((event) => {
    const { type, data } = event;
    if (type !== 'turn.user' && type !== 'turn.agent') return [];
    const { turn, text } = data;
    const over = at(event);
    if (type === 'turn.user') {
      const span =
        sound === undefined
          ? guessedQuestion(over, answers.get(turn), at)
          : lastSpeech(sound.caller, sound.rate, callerSaid, over);
      callerSaid = span.endSeconds;
      asked.set(turn, span.endSeconds);
      return [{ turn, role: 'user', text, interrupted: false, ...span }];
    }
    const from = Math.max(agentSaid, asked.get(turn) ?? 0);
    const played = { startSeconds: Math.max(0, over - (data.playedMs ?? 0) / 1000), endSeconds: over };
    const span = sound === undefined ? played : (allSpeech(sound.agent, sound.rate, from, over) ?? played);
    agentSaid = over;
    return [{ turn, role: 'agent', text, interrupted: data.interrupted, ...span }];
  });
}

/** The answer's gap is counted from the last word. */
function guessedQuestion(over, answer, at) {
  const { gapMs, playedMs = 0 } = answer?.data ?? {};
  const endSeconds = gapMs === undefined ? over : Math.max(0, Math.min(over, at(answer) - (playedMs + gapMs) / 1000));
  return { startSeconds: Math.max(0, endSeconds - GUESS_SECONDS), endSeconds };
}

/** From the last word before `over` backwards to a pause that is longer than those within speech. */
function lastSpeech(samples, rate, from, over) {
  let startSeconds;
  let endSeconds;
  for (let end = over; end - WINDOW_SECONDS >= from; end -= WINDOW_SECONDS) {
    if (isLoud(samples, rate, end - WINDOW_SECONDS, end)) {
      endSeconds ??= end;
      startSeconds = end - WINDOW_SECONDS;
    } else if (startSeconds !== undefined && startSeconds - end > PAUSE_SECONDS) break;
  }
  return { startSeconds: startSeconds ?? over, endSeconds: endSeconds ?? over };
}

/** From the first word to the last; undefined: there is none. */
function allSpeech(samples, rate, from, over) {
  let startSeconds;
  let endSeconds;
  for (let start = from; start < over; start += WINDOW_SECONDS) {
    if (!isLoud(samples, rate, start, start + WINDOW_SECONDS)) continue;
    startSeconds ??= start;
    endSeconds = start + WINDOW_SECONDS;
  }
  return startSeconds === undefined ? undefined : { startSeconds, endSeconds };
}

function isLoud(samples, rate, fromSeconds, toSeconds) {
  const end = Math.min(samples.length, Math.round(toSeconds * rate));
  for (let index = Math.max(0, Math.round(fromSeconds * rate)); index < end; index += 1) {
    if (Math.abs(samples[index]) > QUIET) return true;
  }
  return false;
}
