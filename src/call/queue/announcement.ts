/** What somebody who waits in a line is told: where they stand, how long it may take, and what the dialplan wants said. */
import type { MenuPrompt, QueueAnnouncements } from '../../dialplan/dialplan';

/** Beyond it nobody believes a figure. */
const longestToldMs = 60 * 60_000;

/** In the order in which they are said. `expectedWaitMs` undefined: nobody knows yet. */
export function announcementOf(
  { position: tellsPosition, wait, prompt, voice }: QueueAnnouncements,
  position: number,
  expectedWaitMs: number | undefined,
): readonly MenuPrompt[] {
  const say = (text: string): MenuPrompt => ({ say: text, voice });
  return [
    ...(tellsPosition ? [say(positionText(position))] : []),
    ...(wait && expectedWaitMs !== undefined && expectedWaitMs <= longestToldMs ? [say(waitText(expectedWaitMs))] : []),
    ...(prompt === undefined ? [] : [prompt]),
  ];
}

export function positionText(position: number): string {
  return position === 1 ? 'You are the next in line.' : `You are number ${position} in line.`;
}

function waitText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'It will take less than a minute.';
  return minutes === 1 ? 'It will take about one minute.' : `It will take about ${minutes} minutes.`;
}
