/**
 * Has the engine speak, before the first call, what is said word for word: greetings, so that a caller hears them with the
 * first packet; fillers and fallbacks, so that they are at hand when the engine is not.
 */
import type { Persona } from '../model/omni-model';
import type { EnginePort } from './engine-port';
import { promptVoiceOf, type SpokenChunk, SpokenPrompts } from './spoken-prompts';

export interface Rehearsal {
  readonly persona: Persona;
  readonly texts: readonly string[];
}

/** Resolves when every text is known or could not be spoken; a text that is missing is spoken when it is needed. */
export async function rehearse(
  { persona, texts }: Rehearsal,
  prompts: SpokenPrompts,
  openEngine: (callId: string, persona: Persona) => EnginePort,
  /** Somebody waits for it. */
  urgent = false,
): Promise<void> {
  const voice = promptVoiceOf(persona);
  const missing = texts.filter((text) => prompts.get(voice, text) === undefined);
  if (missing.length === 0) return;
  const engine = openEngine(`rehearsal:${persona.id}`, persona);
  try {
    for (const [index, text] of missing.entries()) await speakOne(engine, index + 1, text, prompts, voice, urgent);
  } finally {
    engine.close();
  }
}

function speakOne(
  engine: EnginePort,
  turnId: number,
  text: string,
  prompts: SpokenPrompts,
  voice: string,
  urgent: boolean,
): Promise<void> {
  const learn = prompts.learn(voice, text);
  return new Promise((resolve) => {
    engine.onMessage((message) => {
      if (message.type === 'failed') resolve();
      else if (message.type === 'answer-event' && message.turnId === turnId) {
        learn(message.event);
        if (message.event.type === 'end') resolve();
      }
    });
    // As a guess is: whoever is on the line comes first.
    engine.answer(turnId, { kind: 'say', text }, true);
    if (urgent) engine.promote(turnId);
  });
}

/** Nobody in particular: it only reads out what is written. `id` names its engine session. */
export function reader(id: string, voice: string | undefined): Persona {
  const nobody = { id, name: 'Reader', instructions: 'Read out what is written.', facts: [] };
  return voice === undefined ? nobody : { ...nobody, voice };
}

/** A text that is said once, to one person who is about to pick up. Rejects when the engine cannot speak it. */
export async function speakOnce(
  id: string,
  text: string,
  voice: string | undefined,
  openEngine: (callId: string, persona: Persona) => EnginePort,
): Promise<readonly SpokenChunk[]> {
  const prompts = new SpokenPrompts();
  await rehearse({ persona: reader(id, voice), texts: [text] }, prompts, openEngine, true);
  const spoken = prompts.get(voice ?? '', text);
  if (spoken === undefined) throw new Error('the engine could not speak it');
  return spoken;
}
