/** Gives every word of a clause its phonemes: lexicon and neighbours first, the net for the rest. */
import { brotliDecompressSync } from 'node:zlib';
import { type ModelFolder, openModelFolder } from '../manifest';
import { G2pNet } from './g2p-net';
import { Lexicon } from './lexicon';
import { type OwnWords, withEnding } from './own-words';
import type { SpokenToken } from './spoken-text';

export type SpeakableToken = Exclude<SpokenToken, { kind: 'pause' }>;

export interface Pronounced {
  readonly token: SpeakableToken;
  /** IPA with stress marks, as espeak-ng writes it for en-us. */
  readonly phonemes: string;
  /** True when no blank stands between this word and the next. */
  readonly joined: boolean;
}

export class Pronouncer {
  constructor(
    private readonly lexicon: Lexicon,
    private readonly net: G2pNet,
  ) {}

  static async open(folderPath: string): Promise<Pronouncer> {
    const folder = await openModelFolder(folderPath);
    const [words, contexts, letters] = await Promise.all(
      ['lexicon.tsv.br', 'contexts.tsv.br', 'letters.tsv.br'].map((name) => readTable(folder, name)),
    );
    const lexicon = new Lexicon({ words: words ?? '', contexts: contexts ?? '', letters: letters ?? '' });
    return new Pronouncer(lexicon, await G2pNet.open(folder));
  }

  /** `tokens`: what is said in one breath; its end is the clause's end. `own`: sounds that stand above the lexicon's. */
  async pronounce(tokens: readonly SpeakableToken[], own?: OwnWords): Promise<Pronounced[]> {
    const alone: string[] = [];
    const given = tokens.map((token) => (token.kind === 'word' ? own?.phonemes(token.text) : undefined));
    for (const [index, token] of tokens.entries()) alone.push(given[index] ?? (await this.alone(token)));
    const out: Pronounced[] = [];
    for (let index = 0; index < tokens.length; index += 1) {
      const token = tokens[index]!;
      const next = tokens[index + 1];
      const phonemesGiven = given[index];
      if (phonemesGiven !== undefined) {
        out.push({ token, phonemes: phonemesGiven, joined: false });
        continue;
      }
      const pair =
        token.kind === 'word' && next?.kind === 'word' && given[index + 1] === undefined
          ? this.lexicon.pair(token.text, next.text)
          : undefined;
      if (pair !== undefined && next !== undefined) {
        const second = this.lexicon.beforeVowel(pair[1], alone[index + 2]);
        out.push({ token, phonemes: pair[0], joined: true }, { token: next, phonemes: second, joined: false });
        index += 1;
        continue;
      }
      const before = tokens[index - 1];
      const inContext =
        token.kind === 'word'
          ? this.lexicon.inContext(token.text, before?.kind === 'word' ? before.text : undefined, alone[index + 1])
          : undefined;
      const phonemes = this.lexicon.linked(inContext ?? alone[index] ?? '', alone[index + 1]);
      if (phonemes !== '') out.push({ token, phonemes, joined: false });
    }
    return out;
  }

  close(): Promise<void> {
    return this.net.close();
  }

  private async alone(token: SpeakableToken): Promise<string> {
    if (token.kind === 'letter') return this.lexicon.letter(token.text);
    return this.lexicon.word(token.text) ?? (await this.possessive(token.text)) ?? this.net.pronounce(token.text);
  }

  /** "hotel's" is "hotel" and an ending: better known than spelled. */
  private async possessive(word: string): Promise<string | undefined> {
    if (!word.endsWith("'s")) return undefined;
    const stem = this.lexicon.word(word.slice(0, -2));
    if (stem === undefined) return undefined;
    return withEnding(stem);
  }
}

async function readTable(folder: ModelFolder, name: string): Promise<string> {
  return new TextDecoder().decode(brotliDecompressSync(await folder.read(name)));
}
