/** A media thread with what belongs to it: the router that sorts its messages by call, its line to the listener, its end. */
import type { Logger } from './core/log';
import type { ListenerThread } from './listener/listener-thread';
import { MediaRouter } from './media/media-router';
import { MediaThread } from './media/media-thread';
import type { CallTraces } from './store/call-traces';
import { workerEntry } from './workers/locate';

export interface MediaLine {
  readonly router: MediaRouter;
  readonly thread: MediaThread;
  close(): Promise<void>;
}

export function openMediaLine(name: string, listener: ListenerThread, traces: CallTraces, log: Logger): MediaLine {
  let router: MediaRouter | undefined;
  const thread = MediaThread.start({
    name,
    entry: workerEntry('media'),
    onMessage: (message) => {
      // A session bears its call's id.
      if (message.type === 'quality') traces.sample(message.sessionId, message.sample);
      else if (message.type === 'captured') traces.captured(message.sessionId, message.capture);
      else router?.receive(message);
    },
    onDied: (error) => {
      log.error('a media thread ended', { name, error: error.message });
      router?.failAll('media.thread-died', 'The media thread ended.');
    },
  });
  router = new MediaRouter(thread);
  const port = listener.mediaPort();
  thread.post({ type: 'attach-listener', port }, [port]);
  return { router, thread, close: () => thread.close() };
}
