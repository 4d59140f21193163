/**
 * Token ids to text. Tokens are byte strings written the way of GPT-2: a printable byte stands for itself, any other
 * for the character at U+0100 plus its rank. A word may be split inside a character, so bytes are joined first.
 */
export class Vocabulary {
  private readonly tokens: readonly Uint8Array[];

  /** `text`: one token a line, the line number is the id. Special tokens, `<|…|>`, have no text. */
  constructor(text: string) {
    const byteOf = byteTable();
    this.tokens = text.split('\n').map((token) => {
      if (token.startsWith('<|') && token.endsWith('|>')) return new Uint8Array(0);
      return Uint8Array.from([...token], (character) => byteOf.get(character) ?? 0x3f);
    });
  }

  get size(): number {
    return this.tokens.length;
  }

  /** The first token that is exactly this text. */
  idOf(text: string): number | undefined {
    const bytes = new TextEncoder().encode(text);
    const id = this.tokens.findIndex(
      (token) => token.length === bytes.length && token.every((byte, i) => byte === bytes[i]),
    );
    return id < 0 ? undefined : id;
  }

  text(ids: readonly number[]): string {
    const parts = ids.map((id) => this.tokens[id] ?? new Uint8Array(0));
    return new TextDecoder().decode(Buffer.concat(parts));
  }
}

function byteTable(): Map<string, number> {
  const table = new Map<string, number>();
  let moved = 0;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    table.set(String.fromCodePoint(printable ? byte : 256 + moved++), byte);
  }
  return table;
}
