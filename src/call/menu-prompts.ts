/** The sound of a menu's prompt: a file, or a sentence that the engine speaks once and is then at hand. */
import type { MenuPrompt } from '../dialplan/dialplan';
import type { Persona } from '../model/omni-model';
import type { EnginePort } from './engine-port';
import type { Prompt } from './line-performance';
import { reader, rehearse } from './rehearsal';
import type { SpokenPrompts } from './spoken-prompts';

export interface MenuPromptParts {
  readonly readFile: (prompt: { readonly path: string; readonly format: 'wav' | 'ogg' }) => Promise<Prompt>;
  readonly prompts: SpokenPrompts;
  readonly openEngine: (callId: string, persona: Persona) => EnginePort;
}

export class MenuPrompts {
  /** One sentence after the other: each is spoken by an engine session of the same name. */
  private speaking: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: MenuPromptParts) {}

  /** Rejects when the file cannot be read or the engine cannot speak. */
  async load(prompt: MenuPrompt): Promise<readonly Prompt[]> {
    const { prompts, readFile, openEngine } = this.parts;
    if ('path' in prompt) return [await readFile(prompt)];
    const persona = reader('menu', prompt.voice);
    const known = () => prompts.get(persona.voice ?? '', prompt.say);
    if (known() === undefined) {
      this.speaking = this.speaking.then(() => rehearse({ persona, texts: [prompt.say] }, prompts, openEngine));
      await this.speaking;
    }
    const spoken = known();
    if (spoken === undefined) throw new Error('the prompt could not be spoken');
    return spoken;
  }
}
