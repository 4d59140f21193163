import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Brain } from '../../src/model/brain/conversation-brain';
import type { Ear } from '../../src/model/call-hearing';
import { WarmUp } from '../../src/model/warm-up';
import {
  openWhisper,
  type WhisperRecogniser,
  type WhisperRecognition,
} from '../../src/model/whisper/whisper-recogniser';

const persona = (id: string) => ({ id, name: 'Ann', instructions: '', facts: [] });

describe('an engine that is warmed', () => {
  let whisper: WhisperRecogniser;
  beforeAll(async () => {
    whisper = await openWhisper(join(__dirname, '../../models/whisper-base'));
  });
  afterAll(() => whisper.close());

  it('reads each persona, and hears once something that its ear runs for', async () => {
    const heard: WhisperRecognition[] = [];
    const ear: Ear = {
      maxSeconds: whisper.maxSeconds,
      hear: async (pcm, signal) => {
        heard.push(await whisper.recognise(pcm, signal));
        return { recognition: heard[0]!, vectors: [] };
      },
      recognise: (pcm, signal) => whisper.recognise(pcm, signal),
      close: async () => undefined,
    };
    const read: string[] = [];
    const brain: Pick<Brain, 'warm'> = {
      async *warm({ id }) {
        read.push(id);
        yield;
      },
    };
    const warmUp = new WarmUp({ ear, brain });
    for (const id of ['demo', 'hotel']) for await (const _ of warmUp.run(persona(id)));
    expect(read).toEqual(['demo', 'hotel']);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({ speech: false });
    expect(heard[0]?.stoppedBy).not.toBe('quiet');
  });
});
