/** What a caller types into a menu, key by key: when it is an answer, and when more is to be waited for. Pure. */
export interface KeyRules {
  readonly options: readonly string[];
  /** Any keys may be an answer, because an application judges them. */
  readonly open: boolean;
  readonly maxDigits: number;
  /** Ends the input without being part of it; '' for none. */
  readonly endKey: string;
}

export interface KeyInput {
  readonly typed: string;
  readonly done: boolean;
}

export function pressKey(rules: KeyRules, typed: string, key: string): KeyInput {
  const longer = typed + key;
  const couldBe = rules.options.some((option) => option.startsWith(longer));
  // An option may itself hold the key that otherwise ends the input.
  if (key === rules.endKey && !couldBe) return { typed, done: true };
  if (longer.length >= rules.maxDigits) return { typed: longer, done: true };
  const isOption = rules.options.includes(longer);
  const couldGrow = rules.options.some((option) => option.length > longer.length && option.startsWith(longer));
  if (rules.open) return { typed: longer, done: false };
  return { typed: longer, done: (isOption && !couldGrow) || !couldBe };
}
