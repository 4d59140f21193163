/**
 * Listens to the callers of all sessions: cuts their frames into windows, asks the speech network about those that are
 * loud enough, and tells onsets and ends of speech and the audio between them. One window at a time, fairly among the
 * sessions; a session that falls behind loses its oldest windows.
 */
import { Framer } from '../audio/framer';
import type { ToListener } from '../media/protocol';
import { levelDbOf } from '../turn/energy-gate';
import type { OverlapSound } from '../turn/overlap-sound';
import type { SpeechProbability } from '../turn/silero-vad';
import { VAD_WINDOW_SAMPLES, type VadConfig } from '../turn/vad';
import { VoiceDetector } from '../turn/voice-detector';
import type { ListenerDump, ListenerReport } from './protocol';
import { SpeechTap } from './speech-tap';

export interface ListenerOptions {
  readonly openStream: () => SpeechProbability;
  readonly post: (report: ListenerReport) => void;
  readonly onError: (error: unknown) => void;
  readonly vad?: VadConfig;
  /** Tells what a sound over the agent's voice is; left out: only words do. */
  readonly sounds?: OverlapSound;
}

/** About a second: older audio says nothing about whose turn it is. */
const MAX_WINDOWS = 32;

interface Window {
  readonly startSample: number;
  readonly pcm: Int16Array;
}

interface Session {
  readonly sessionId: string;
  readonly framer: Framer;
  readonly detector: VoiceDetector;
  readonly tap: SpeechTap;
  readonly windows: Window[];
  /** Where the framer's first sample lies, and where the next frame should. */
  framedTo: number;
  receivedTo: number;
  /** Where the next window to be judged should begin. */
  judgedTo: number;
}

export class Listener {
  private readonly sessions = new Map<string, Session>();
  private running = false;
  private windows = 0;
  private judged = 0;
  private dropped = 0;

  constructor(private readonly options: ListenerOptions) {}

  receive(message: ToListener): void {
    if (message.type === 'session-closed') {
      this.sessions.delete(message.sessionId);
      return;
    }
    const session = this.sessionOf(message.sessionId, message.startSample);
    this.frame(session, message.startSample, message.pcm, message.sentDb);
    if (!this.running) void this.run();
  }

  dump(): ListenerDump {
    return {
      sessions: this.sessions.size,
      windows: this.windows,
      windowsJudged: this.judged,
      windowsDropped: this.dropped,
    };
  }

  private sessionOf(sessionId: string, startSample: number): Session {
    let session = this.sessions.get(sessionId);
    if (session === undefined) {
      session = {
        sessionId,
        framer: new Framer(VAD_WINDOW_SAMPLES),
        detector: new VoiceDetector(this.options.openStream(), this.options.vad, this.options.sounds),
        tap: new SpeechTap(),
        windows: [],
        framedTo: startSample,
        receivedTo: startSample,
        judgedTo: startSample,
      };
      this.sessions.set(sessionId, session);
    }
    return session;
  }

  private frame(session: Session, startSample: number, pcm: Int16Array, sentDb: number): void {
    if (startSample < session.receivedTo) return;
    if (startSample > session.receivedTo) {
      session.framer.reset();
      session.framedTo = startSample;
    }
    session.receivedTo = startSample + pcm.length;
    session.detector.frame(startSample, levelDbOf(pcm), sentDb);
    for (const window of session.framer.push(pcm)) {
      session.windows.push({ startSample: session.framedTo, pcm: window });
      session.framedTo += window.length;
    }
    while (session.windows.length > MAX_WINDOWS) {
      session.windows.shift();
      this.dropped += 1;
    }
  }

  /** Goes round the sessions until nothing is left; messages come in between two windows. */
  private async run(): Promise<void> {
    this.running = true;
    try {
      for (let worked = true; worked; ) {
        worked = false;
        for (const session of [...this.sessions.values()]) {
          const window = session.windows.shift();
          if (window === undefined) continue;
          worked = true;
          await this.judge(session, window);
        }
      }
    } catch (error) {
      this.options.onError(error);
    } finally {
      this.running = false;
    }
  }

  private async judge(session: Session, window: Window): Promise<void> {
    this.windows += 1;
    const { detector, tap, sessionId } = session;
    if (window.startSample !== session.judgedTo) {
      for (const event of detector.interrupt(session.judgedTo)) this.options.post({ ...event, sessionId });
      tap.reset();
    }
    session.judgedTo = window.startSample + window.pcm.length;
    const judgedBefore = detector.judged;
    const events = await detector.push(window.startSample, window.pcm);
    this.judged += detector.judged - judgedBefore;
    // Closed while the network was busy.
    if (this.sessions.get(sessionId) !== session) return;
    const heard = tap.push(window, events);
    if (heard !== undefined) this.options.post({ type: 'heard', sessionId, ...heard });
    for (const event of events) this.options.post({ ...event, sessionId });
  }
}
