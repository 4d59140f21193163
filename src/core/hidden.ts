/** Text and fields for people to read, without the secrets that may stand in them. */

export const mask = '********';

/** Wherever they stand in the fields, these never reach a line. */
const secretNames = /^(token|password|secret|secrets|apiKey|authorization|credential|credentials)$/i;
/** Our own tokens, and what stands behind Bearer. */
const knownForms = /\b(?:tl|ct)_[A-Za-z0-9_-]{20,}|(?<=\bBearer +)[\x21-\x7e]{8,}|(?<=\bwhsec_)[A-Za-z0-9+/=]{8,}/g;
/** Shorter ones would blacken every other word. */
const shortestSecret = 6;
const deepest = 8;

/** The password of a URL, and the values of its query. */
export function hiddenUrl(text: string): string {
  if (!text.includes('://')) return text;
  return text
    .replace(/(:\/\/[^/?#\s@:]*):[^/?#\s@]*@/g, `$1:${mask}@`)
    .replace(/([?&][^=&#\s]+)=[^&#\s]+/g, `$1=${mask}`);
}

export function hiddenText(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets) {
    if (secret.length >= shortestSecret && shown.includes(secret)) shown = shown.replaceAll(secret, mask);
  }
  return hiddenUrl(shown.replace(knownForms, mask));
}

/** A copy; members named in `dropped`, or as secrets are, are left out at any depth. */
export function hiddenFields(
  fields: Readonly<Record<string, unknown>>,
  secrets: readonly string[],
  dropped: readonly string[] = [],
): Record<string, unknown> {
  const copyOf = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return hiddenText(value, secrets);
    if (value instanceof Error) return hiddenText(value.stack ?? String(value), secrets);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= deepest) return '…';
    if (Array.isArray(value)) return value.map((item) => copyOf(item, depth + 1));
    if (value instanceof Date) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !secretNames.test(name) && !dropped.includes(name))
        .map(([name, member]: [string, unknown]) => [name, copyOf(member, depth + 1)]),
    );
  };
  return copyOf(fields, 0) as Record<string, unknown>;
}
