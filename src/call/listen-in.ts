/** Somebody who listens in on a call: hears both of its sides, is heard by neither, and leaves when the call ends. */
import { lineVoice } from '../media/mix-minus';
import type { Call, Performance, Stage } from './call';

/** What the record calls it. */
export const listenIn = 'listen';

export function performListenIn(target: Call, stage: Stage): Performance {
  let over = false;
  const watch = (): void =>
    target.whenLeft(() => {
      if (over) return;
      // Something else is done with it, or it is over.
      if (target.snapshot.state === 'answered') watch();
      else stage.end('finished');
    });
  // It may have ended while the browser was being answered.
  if (target.snapshot.state === 'answered') watch();
  else stage.end('finished');
  const { sessionId } = target.link;
  stage.link.post({ type: 'source', source: { kind: 'bridge', peers: [sessionId, lineVoice(sessionId)] } });
  return {
    onMedia: () => undefined,
    onHold: () => undefined,
    command: () => false,
    close: async () => {
      over = true;
    },
    turnGapsMs: [],
    interruptions: 0,
  };
}
