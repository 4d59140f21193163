/**
 * What an engine does before anybody rings, so that the first caller waits no longer than the later ones: it reads the
 * persona's prompt, and it hears something once, because the first run of a graph and of the code around it takes a tenth
 * of a second more than the next. The voice is warm by then: it has spoken the greeting (call/rehearsal.ts).
 */
import type { Brain } from './brain/conversation-brain';
import type { Ear } from './call-hearing';
import { HEARING_RATE } from './heard-audio';
import type { Persona } from './omni-model';

const HISS_SECONDS = 1.5;
/** −40 dB of full scale: above what the ear takes for silence and does not run for. */
const HISS_PEAK = 0.01;

export class WarmUp {
  private hasHeard = false;

  constructor(private readonly parts: { readonly ear: Ear; readonly brain: Pick<Brain, 'warm'> }) {}

  async *run(persona: Persona): AsyncGenerator<void> {
    yield* this.parts.brain.warm(persona);
    if (this.hasHeard) return;
    this.hasHeard = true;
    await this.parts.ear.hear(hiss(), new AbortController().signal);
  }
}

/** The same noise every time: a linear congruential generator (Park and Miller 1988). */
function hiss(): Float32Array {
  let state = 1;
  return Float32Array.from({ length: HISS_SECONDS * HEARING_RATE }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return ((2 * state) / 2_147_483_647 - 1) * HISS_PEAK;
  });
}
