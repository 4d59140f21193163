/**
 * Cuts the words of a text into breath groups, each spoken by the net in one piece: at sentence ends, at pauses once the
 * group is long enough (the first one early, because audio starts with it), and anywhere before it grows too long.
 */

import type { SpeakableToken } from '../text/pronouncer';
import type { PauseMark, SpokenText } from '../text/spoken-text';

export interface BreathGroup {
  /** Words with the pauses between them that stay inside the group. */
  readonly parts: readonly { readonly token: SpeakableToken; readonly pauseAfter: PauseMark | undefined }[];
  /** What the group ends with; `undefined`: the text goes on without a mark. */
  readonly end: PauseMark | undefined;
}

const FIRST_GROUP_WORDS = 4;
const GROUP_WORDS = 9;
/** The net's cost and its durations go wrong on very long groups. */
const MAX_GROUP_WORDS = 26;
/** Letters of the words in a group: bounds what one run of the net can cost. */
const MAX_GROUP_LETTERS = 220;

export function breathGroups(text: SpokenText): BreathGroup[] {
  const groups: BreathGroup[] = [];
  let parts: { token: SpeakableToken; pauseAfter: PauseMark | undefined }[] = [];
  let letters = 0;
  const close = (end: PauseMark | undefined) => {
    const last = parts.at(-1);
    if (last !== undefined) {
      last.pauseAfter = undefined;
      groups.push({ parts, end });
    }
    parts = [];
    letters = 0;
  };
  for (const [index, token] of text.tokens.entries()) {
    const next = text.tokens[index + 1];
    if (token.kind !== 'pause') {
      parts.push({ token, pauseAfter: undefined });
      letters += token.text.length;
      const full = parts.length >= MAX_GROUP_WORDS || letters >= MAX_GROUP_LETTERS;
      if (full && next?.kind !== 'pause') close(undefined);
      continue;
    }
    const last = parts.at(-1);
    if (last === undefined) continue;
    const sentenceEnd = token.mark === '.' || token.mark === '!' || token.mark === '?';
    // A written word that is spoken as several ("555-1234") keeps its pauses inside one group: its timing is one span.
    const insideWord = next !== undefined && next.kind !== 'pause' && next.written === last.token.written;
    const enough = parts.length >= (groups.length === 0 ? FIRST_GROUP_WORDS : GROUP_WORDS);
    const full = parts.length >= MAX_GROUP_WORDS || letters >= MAX_GROUP_LETTERS;
    if (full || (!insideWord && (sentenceEnd || enough))) close(token.mark);
    else last.pauseAfter = token.mark;
  }
  close(undefined);
  return groups;
}
